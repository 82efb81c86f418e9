"""The model file: a network's parameters to the last bit, and whatever belongs to them.

It is JSON:

    {
     "format": "glassgrad model",
     "version": 1,
     "architecture": {"nin": 2, "nouts": [16, 1], "activation": "relu", "output": "linear"},
     "parameters": {"layers.0.neurons.0.weights.0": "0x1.5bf0a8b145769p+1", ...},
     ...
    }

Parameters are hexadecimal floats (`float.hex`), exact to the last bit, infinities and nan included.
Whatever else its writer wants to keep, such as the recipe that prepares the data, stands beside
them under names of its own.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections import Counter
from contextlib import suppress
from pathlib import Path
from time import time

from nn.arguments import plain, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    FilePath = str | os.PathLike[str]

FORMAT = "glassgrad model"
VERSION = 1
ABANDONED = 3600.0  # seconds


def write_model(
    path: FilePath,
    architecture: dict[str, Any],
    parameters: Mapping[str, float],
    extra: Mapping[str, Any],
) -> None:
    """Write a model file, whole or not at all.

    Args:
        path: the file.
        architecture: the arguments that build the model anew.
        parameters: its numbers, by dotted name.
        extra: whatever else belongs in it, by name, as JSON.

    Raises:
        TypeError: if JSON cannot hold something given.
        ValueError: if a name in `extra` is one of the model file's own, or a float in it is not
            finite.
        OSError: if the file cannot be written.
    """
    contents = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": architecture,
        "parameters": {name: number.hex() for name, number in parameters.items()},
    }
    if taken := sorted(contents.keys() & extra):
        raise ValueError(f"save: the model file keeps the name {taken[0]} for itself")
    write_whole(path, json.dumps({**contents, **extra}, indent=1, allow_nan=False) + "\n")


def read_model(path: FilePath) -> dict[str, Any]:
    """Return the contents of a model file, its parameters as floats by name, and all the rest.

    Raises:
        ValueError: if the file is damaged or foreign, in one line that says where.
        OSError: if it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        contents = json.loads(text, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a {FORMAT}, or damaged: {error}") from None
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise ValueError(f'{path}: not a {FORMAT}: it lacks "format": "{FORMAT}"')
    version = contents.get("version")
    if type(version) is not int or version != VERSION:  # True == 1
        raise ValueError(
            f"{path}: written in version {shown(version)} of the format, "
            f"but this program reads version {VERSION}"
        )
    parts = ("architecture", "parameters")
    if missing := [part for part in parts if not isinstance(contents.get(part), dict)]:
        raise ValueError(f'{path}: damaged: "{missing[0]}" is missing or no JSON object')
    for name, text in contents["parameters"].items():
        try:
            contents["parameters"][name] = exact_float(text)
        except ValueError as error:
            raise ValueError(f"{path}: damaged: parameter {plain(name)} is {error}") from None
    return contents


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object as a dict; a name that occurs twice in it is a ValueError."""
    contents = dict(pairs)
    if len(contents) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"{shown(twice)} occurs twice in one object")
    return contents


def exact_float(text: Any) -> float:
    """Read what `float.hex` wrote, and nothing else: a decimal "0.1" would silently mean 1/16.

    >>> exact_float("0x1.8000000000000p+0")
    1.5

    Raises:
        ValueError: if it is anything else.
    """
    try:
        number = float.fromhex(text)
        if number.hex() == text:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{shown(text)}, not a float written by hex()")


def write_whole(path: FilePath, text: str) -> None:
    """Write a UTF-8 text file so that it is there whole, or as it was before.

    The text goes to a new file in the same folder, is synced to the disk, and takes the name `path`
    in one move. It keeps the permissions of the old one. A writer that is killed leaves the new
    file behind; whoever writes in that folder an hour later, or more, removes it.

    Raises:
        OSError: if it cannot be written, or `path` is there and no regular file, such as a folder
            or a device; the new file is then removed.
    """
    name = os.fspath(path)
    permissions = None
    if Path(name).exists():
        mode = Path(name).stat().st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        permissions = stat.S_IMODE(mode)
    target = Path(path).resolve()  # through a symbolic link, so that the link stays one
    remove_abandoned(target.parent)
    temporary = target.with_name(f".nn-{os.urandom(8).hex()}.part")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            if permissions is not None:
                temporary.chmod(permissions)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException as error:  # Ctrl-C too must leave nothing behind
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, name) from None  # not the new file's name
        raise


def remove_abandoned(folder: Path) -> None:
    """Remove what writers that were killed have left half done in a folder, `.nn-*.part`.

    It is theirs for an hour, much longer than any takes to write.
    """
    for path in folder.glob(".nn-*.part"):
        with suppress(OSError):
            if time() - path.lstat().st_mtime < ABANDONED:
                continue
            if path.is_dir() and not path.is_symlink():
                import shutil  # noqa: PLC0415  only where it is needed

                shutil.rmtree(path)
            else:
                path.unlink()
