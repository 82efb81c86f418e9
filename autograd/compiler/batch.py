"""Batch: structures of arrays with a leading axis, the rows.

What a caller gives becomes a template, the structure of one row, and for each array one of float64,
(n, columns). The results of all rows, (n, results), become such a structure again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import ndarray

from autograd.primitives import Scalar, is_real, shown, to_float
from autograd.structure import Array, nested

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

FLOAT = np.dtype(np.float64)


def taken_apart(
    name: str, names: Sequence[str], structures: tuple[Any, ...]
) -> tuple[tuple[Any, ...], int, list[ndarray]]:
    """Take arrays apart: the template of one row, how many numbers it has, and (n, columns) each.

    Raises:
        TypeError: something is no array of numbers with a leading axis.
        ValueError: the arrays differ in length.
    """
    lengths: dict[str, int] = {}
    arrays: list[ndarray] = []
    start = 0

    def template_of(x: Any, path: str) -> Any:
        nonlocal start
        if isinstance(x, dict):
            return {key: template_of(item, f"{path}[{key!r}]") for key, item in x.items()}
        if isinstance(x, list | tuple) and _holds_arrays(x):
            items = [template_of(item, f"{path}[{i}]") for i, item in enumerate(x)]
            if isinstance(x, list):
                return items
            return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
        array = as_array(x, path)
        if not array.ndim:
            raise TypeError(
                f"{name}: expected an array with a leading axis as {path}, got {shown(x)}; what is "
                "the same for every row, let f capture it"
            )
        lengths[path], *shape = array.shape
        columns = math.prod(shape)
        arrays.append(array.reshape(lengths[path], columns))
        start += columns
        if not shape:
            return start - 1
        if isinstance(x, list | tuple):
            return nested(shape, start - columns)
        return Array(tuple(shape), start - columns)

    template = tuple(template_of(x, path) for path, x in zip(names, structures, strict=True))
    if not arrays:
        raise TypeError(f"{name}: expected at least one array, whose leading axis is the rows")
    if len({*lengths.values()}) > 1:
        found = ", ".join(f"{path} has {length}" for path, length in lengths.items())
        raise ValueError(f"{name}: expected arrays of one length: {found} rows")
    if any(array.dtype.hasobject for array in arrays):
        arrays = [array.astype(object) for array in arrays]
    return template, start, arrays


def _holds_arrays(x: Any) -> bool:
    """Whether a list or tuple is a structure of arrays, not one array written as lists."""
    return any(
        isinstance(item, ndarray | dict) or (isinstance(item, list | tuple) and _holds_arrays(item))
        for item in x
    )


def as_array(x: Any, name: str) -> ndarray:
    """Return an array of floats in order; of objects if there are `Scalar`s among them.

    Raises:
        TypeError: it is no array of numbers.
    """
    if np.ma.is_masked(x):
        raise TypeError(f"{name}: expected an array of numbers, got one with masked numbers")
    try:
        array = np.asarray(x)
    except ValueError:
        raise TypeError(
            f"{name}: expected an array of numbers, got rows of differing shape"
        ) from None
    if array.dtype.kind in "fiub":
        return np.ascontiguousarray(array, dtype=FLOAT).reshape(array.shape)
    if array.dtype.kind != "O":
        given = f"one of {array.dtype}" if array.ndim else shown(x)
        raise TypeError(f"{name}: expected an array of numbers, got {given}")
    numbers = []
    for item in array.ravel().tolist():
        if not (isinstance(item, Scalar) or is_real(type(item))):
            raise TypeError(f"{name}: expected an array of numbers, got {shown(item)} in it")
        numbers.append(item if isinstance(item, Scalar) else to_float(item))
    kind = object if any(isinstance(item, Scalar) for item in numbers) else FLOAT
    found = np.empty(len(numbers), dtype=kind)
    for i, item in enumerate(numbers):
        found[i] = item
    return found.reshape(array.shape)


def plain(array: ndarray, name: str) -> ndarray:
    """Return an array of floats.

    Raises:
        TypeError: there are Values or the like in it.
    """
    if array.dtype.hasobject:
        raise TypeError(
            f"{name}: expected plain numbers, got Values: pass [x.data for x in values]"
        )
    return array


def with_arrays(template: Any) -> Any:
    """Return a structure with an Array for each regular nested list of numbers."""
    if type(template) is int or type(template) is Array:
        return template
    like = _items(with_arrays, template)
    if not isinstance(template, list):
        return like
    shapes = {_shape(item) for item in like} or {()}
    shape = shapes.pop()
    if shape is None or shapes:
        return like
    first = like[0] if like else 0
    return Array((len(like), *shape), first.start if type(first) is Array else first)


def _shape(template: Any) -> tuple[int, ...] | None:
    """The shape of a number or an array, None for others."""
    if type(template) is int:
        return ()
    return template.shape if type(template) is Array else None


def structured(template: Any, results: ndarray) -> Any:
    """Put results (n, results) into a structure, as arrays with leading axis n."""
    if type(template) is int:
        return results[:, template]
    if type(template) is Array:
        columns = results[:, template.start : template.start + template.size]
        return columns.reshape(len(results), *template.shape)
    return _items(lambda item: structured(item, results), template)


def _items(change: Callable[[Any], Any], structure: Any) -> Any:
    """Return a dict, list or tuple with each of its items changed."""
    if isinstance(structure, dict):
        return {key: change(item) for key, item in structure.items()}
    items = [*map(change, structure)]
    if isinstance(structure, list):
        return items
    return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
