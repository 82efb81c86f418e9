"""The compiler: a Program as machine code that runs over a batch."""

MISSING = "jit needs llvmlite and numpy: pip install 'glassgrad[compile]'"
try:
    import numpy  # noqa: F401, ICN001  that it is there
except ModuleNotFoundError:
    raise ImportError(MISSING) from None
