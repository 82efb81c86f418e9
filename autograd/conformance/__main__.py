"""The command: grade an engine, as `python -m autograd.conformance` or by the folder's path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if not __package__:  # run by its path: the folder is a package that nothing has imported yet
    __package__ = "conformance_kit"
    _folder = Path(__file__).parent
    sys.path[0] = ""  # the homework's folder; a module there may be called as one of ours is
    _spec = importlib.util.spec_from_file_location(
        __package__, _folder / "__init__.py", submodule_search_locations=[str(_folder)]
    )
    assert _spec is not None
    sys.modules[__package__] = importlib.util.module_from_spec(_spec)

from .command import main

if __name__ == "__main__":
    sys.exit(main())
