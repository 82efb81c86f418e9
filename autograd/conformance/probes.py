"""Questions that no expression asks: types, memory, determinism. Each gives named readings."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapter import Adapter

Readings = dict[str, float]


def types(adapter: Adapter) -> Readings:
    """How many numbers are floats, also of a value that was made from an int."""
    a = adapter.new(3)
    y = adapter.apply("mul", a, a)
    adapter.backward(y)
    floats = [isinstance(found, float) for found in (adapter.data(y), adapter.grad(a))]
    return {"floats among data and grad": float(sum(floats))}


def identity(adapter: Adapter) -> Readings:
    """How many of two values with equal numbers a set holds."""
    return {"values in the set": float(len({adapter.new(2.0), adapter.new(2.0)}))}


def determinism(adapter: Adapter) -> Readings:
    """How many different gradients the same program has, when objects lie elsewhere in memory."""
    found = set()
    kept: list[Any] = []  # so that nothing is where something was
    for turn in range(50):
        a = adapter.new(0.1)
        terms = []
        for k in range(32):
            kept += [adapter.new(0.0) for _ in range((turn * 7 + k * 3) % 5)]
            terms.append(adapter.apply("mul", a, adapter.new(0.1 + k * 0.37 % 1.0)))
        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=True)
            terms = [adapter.apply("add", *pair) for pair in pairs]
        adapter.backward(terms[0])
        found.add(float(adapter.grad(a)))
        kept += terms
    return {"different gradients": float(len(found))}


def cycles(adapter: Adapter) -> Readings:
    """How many objects of dropped graphs are left to the garbage collector, 10 at most counted."""
    _small_graph(adapter)  # an engine may make things once
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            _small_graph(adapter)
        return {"objects left to the collector": float(min(gc.collect(), 10))}
    finally:
        gc.enable()


def memory(adapter: Adapter) -> Readings:
    """Whether a dropped graph leaves bytes behind even after garbage collection."""
    tracemalloc.start()
    try:
        sizes = []
        for _ in range(3):
            for _ in range(200):
                _small_graph(adapter)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        return {"memory grows": float(sizes[2] - sizes[1] > 200 * 50)}
    finally:
        tracemalloc.stop()


def deletion(adapter: Adapter) -> Readings:
    """Whether a graph of 200,000 nodes can be dropped."""
    a = adapter.new(1.0)
    y = a
    for _ in range(200_000):
        y = adapter.apply("add", y, a)
    found = float(adapter.data(y))
    del y
    gc.collect()
    return {"last sum": found}


def _small_graph(adapter: Adapter) -> None:
    a, b = adapter.new(2.0), adapter.new(3.0)
    y = adapter.apply("add", adapter.apply("mul", a, b), a)
    adapter.backward(y)
