"""Every operation in every mode of differentiation, to third order, against mpmath."""

from __future__ import annotations

import functools
import itertools
import math
import sys
from pathlib import Path

import pytest
from mpmath import mpf

sys.path.insert(0, str(Path(__file__).parent))
from every_mode import (
    ALL_EXCEPTIONS,
    MODES,
    OPERATIONS,
    beside_a_zero,
    expected,
    middle_points,
    reverse,
    third_derivative,
    trial_points,
    worst_in_every_mode,
)
from reference import BOUND

from autograd import grad

COUNT = 2  # points of each kind; benchmarks/modes.py tries more

operations = functools.partial(
    pytest.mark.parametrize, "operation", OPERATIONS.values(), ids=lambda o: o.name
)


@operations()
def test_every_mode_agrees_with_mpmath(operation):
    worst = worst_in_every_mode(operation, COUNT)
    for order, modes in MODES.items():
        bound, _ = ALL_EXCEPTIONS.get((operation.name, order), (BOUND, ""))
        for mode in modes:
            error, positions, point = worst[mode]
            assert error <= bound, (mode, positions, point)


@operations()
def test_grad_is_backward_to_the_last_bit(operation):
    for point in trial_points(operation, COUNT):
        assert grad(operation.function)([*point]) == reverse(operation.function, point)


def places(size):
    """Up to their order, the operands to differentiate by; of long lists a few."""
    if size > 2:
        return [(0, 0, 0), (0, 0, 1), (0, 1, 2)]
    return [*itertools.combinations_with_replacement(range(size), 3)]


@operations()
def test_third_derivatives_agree_with_mpmath_to_1e_12(operation):
    """But where they under- or overflow, and beside their zeros, where terms cancel."""
    for point in [*trial_points(operation, 1), *middle_points(operation, 6)]:
        for positions in places(len(point)):
            true = expected(operation, point, positions)
            found = third_derivative(operation.function, [*point], positions)
            if true == 0:
                assert found == 0.0, (positions, point)
            elif 1e-290 < abs(true) < 1e300:
                assert math.isfinite(found), (positions, point)
                agrees = abs(mpf(found) - true) <= 1e-12 * abs(true)
                assert agrees or beside_a_zero(operation, point, positions), (positions, point)


def test_the_page_on_modes_has_every_operation_in_every_mode():
    page = Path(__file__).parents[1] / "docs" / "modes.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert {row.split("`")[1] for row in rows} == OPERATIONS.keys()
    assert {row.count("|") for row in rows} == {2 + sum(map(len, MODES.values()))}
