"""Every operation in every mode of differentiation, to third order, against mpmath."""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path

import pytest
from mpmath import mpf

sys.path.insert(0, str(Path(__file__).parent))
from every_mode import MODES, in_mode, reverse, third_derivative
from reference import OPERATIONS
from reference_values import errors, truths, truths_of_thirds

from autograd import grad

operations = functools.partial(
    pytest.mark.parametrize, "operation", OPERATIONS.values(), ids=lambda o: o.name
)


@operations()
def test_every_mode_keeps_to_the_bounds(operation):
    for order, modes in MODES.items():
        for name, mode in modes.items():
            beyond, _ = errors(operation.name, in_mode(operation, mode, order))
            assert beyond == [], name


@operations()
def test_grad_is_backward_to_the_last_bit(operation):
    for point, *_ in truths(operation.name):
        actual = grad(operation.function)([*point])
        for a, b in zip(actual, reverse(operation.function, point), strict=True):
            assert a == b or math.isnan(a + b), point


@operations()
def test_third_derivatives_agree_with_mpmath_to_1e_12(operation):
    """But where they under- or overflow; beside their zeros, where terms cancel, of their size."""
    for truth in truths_of_thirds(operation.name):
        for positions, true in truth.truths.items():
            found = third_derivative(operation.function, [*truth.point], positions)
            if true == 0:
                assert found == 0.0, (positions, truth.point)
            elif 1e-290 < abs(true) < 1e300:
                assert math.isfinite(found), (positions, truth.point)
                size = max(abs(true), truth.sizes.get(positions, 0.0))
                assert abs(mpf(found) - true) <= 1e-12 * size, (positions, truth.point)


def test_the_page_on_modes_has_every_operation_in_every_mode():
    page = Path(__file__).parents[1] / "docs" / "modes.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert {row.split("`")[1] for row in rows} == OPERATIONS.keys()
    assert {row.count("|") for row in rows} == {2 + sum(map(len, MODES.values()))}
