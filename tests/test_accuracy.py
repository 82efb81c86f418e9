"""Every operation against the stored table of mpmath's answers, eager and compiled, in ulps."""

from __future__ import annotations

import functools
import math
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import reference_values
from every_mode import compiled, eager
from mpmath import mp, mpf
from reference import OPERATIONS
from reference_values import BOUNDS, CANCEL, LEAST, LISTS, POINTS, truths, wanted

from autograd.primitives import TABLE

operations = functools.partial(
    pytest.mark.parametrize, "operation", OPERATIONS.values(), ids=lambda o: o.name
)


@functools.cache
def eager_answers(operation):
    return eager(operation, [truth.point for truth in truths(operation.name)])


def errors(operation, answers):
    """What is beyond its bound, and the exceptions that it took to keep to the bounds."""
    beyond, taken = [], set()
    for truth, answer in zip(truths(operation.name), answers, strict=True):
        for positions in truth.truths:
            name, order = operation.name, len(positions)
            found = truth.error(positions, answer[positions])
            if found <= BOUNDS[order]:
                continue
            if (name, positions, truth.point) in POINTS:
                taken.add((name, positions, truth.point))
            elif (name, order) in LISTS and found <= LISTS[name, order][0]:
                taken.add((name, order))
            elif (name, positions) in CANCEL and (
                truth.error(positions, answer[positions], of_terms=True) <= BOUNDS[order]
            ):
                taken.add((name, positions))
            else:
                beyond.append((positions, truth.point, found))
    return beyond, taken


@operations()
def test_values_are_within_4_ulp_first_partials_within_8_second_ones_within_32(operation):
    beyond, taken = errors(operation, eager_answers(operation))
    assert beyond == []
    assert taken == {key for key in (*CANCEL, *LISTS, *POINTS) if key[0] == operation.name}


@operations()
def test_machine_code_gives_the_same_bits(operation):
    """So it is as accurate."""
    pytest.importorskip("llvmlite")
    points = [truth.point for truth in truths(operation.name)]
    for point, answer, expected in zip(
        points, compiled(operation, points), eager_answers(operation), strict=True
    ):
        for positions, number in expected.items():
            same = answer[positions] == number or math.isnan(answer[positions] + number)
            assert same, (positions, point)


def test_every_operation_is_tried_at_60_points_or_more():
    assert {*TABLE} < {*OPERATIONS}
    for name, operation in OPERATIONS.items():
        assert len({truth.point for truth in truths(name)}) >= LEAST
        for truth in truths(name):
            assert [*truth.truths] == wanted(operation, truth.point)


@operations()
def test_the_stored_table_is_what_mpmath_gives(operation):
    stored = random.Random(operation.name).choice(truths(operation.name))
    made = reference_values.truth_of(*reference_values.entry(operation, stored.point))
    with mp.workdps(30):
        for positions, truth in stored.truths.items():
            assert abs(made.truths[positions] - truth) <= abs(truth) * mpf("1e-19"), positions
    assert made.sizes == stored.sizes
    assert made.terms == stored.terms


def test_the_page_on_accuracy_has_every_operation():
    page = Path(__file__).parents[1] / "docs" / "accuracy.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    assert {line.split("`")[1] for line in lines if line.startswith("| `")} == {*OPERATIONS}
