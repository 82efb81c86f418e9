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
from reference_values import CANCEL, LEAST, LISTS, POINTS, errors, truths, truths_of_thirds, wanted

from autograd.primitives import TABLE

operations = functools.partial(
    pytest.mark.parametrize, "operation", OPERATIONS.values(), ids=lambda o: o.name
)


@functools.cache
def eager_answers(operation):
    return eager(operation, [truth.point for truth in truths(operation.name)])


@operations()
def test_values_are_within_4_ulp_first_partials_within_8_second_ones_within_32(operation):
    """Second ones within 8 too, unless they are sums, of lists, or below the normal numbers."""
    answers = zip(truths(operation.name), eager_answers(operation), strict=True)
    beyond, taken = errors(
        operation.name,
        [(truth, *item) for truth, answer in answers for item in answer.items()],
    )
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
    kinds = (
        (truths, reference_values.entry, reference_values.places),
        (
            truths_of_thirds,
            reference_values.entry_of_thirds,
            reference_values.places_of_thirds,
        ),
    )
    for table, entry, places in kinds:
        stored = random.Random(operation.name).choice(table(operation.name))
        made = reference_values.truth_of(entry(operation, stored.point), places)
        with mp.workdps(30):
            for positions, truth in stored.truths.items():
                assert abs(made.truths[positions] - truth) <= abs(truth) * mpf("1e-19"), positions
        assert made.sizes == stored.sizes
        assert made.terms == stored.terms


def test_the_page_on_accuracy_has_every_operation():
    page = Path(__file__).parents[1] / "docs" / "accuracy.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    assert {line.split("`")[1] for line in lines if line.startswith("| `")} == {*OPERATIONS}
