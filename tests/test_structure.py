"""Structures come apart and together again, and say where something is no number."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from autograd.structure import Array, flatten, names_of_arguments, paths, unflatten


class Pair(NamedTuple):
    a: object
    b: object


NUMBERS = st.floats(allow_nan=False)
STRUCTURES = st.recursive(
    NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.tuples(inner, inner).map(lambda pair: Pair(*pair))
        | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(structure=STRUCTURES)
def test_a_structure_taken_apart_and_put_together_is_itself(structure):
    leaves, template = flatten(structure, "x")
    again = unflatten(template, leaves)
    assert again == structure
    assert repr(again) == repr(structure)  # so types are the same, all the way down
    assert all(type(leaf) is float for leaf in leaves)


@given(structure=STRUCTURES)
def test_positions_in_a_template_are_those_of_the_leaves(structure):
    leaves, template = flatten(structure, "x")
    positions, _ = flatten(template, "template")
    assert positions == [*range(len(leaves))]


@given(structure=STRUCTURES)
def test_paths_lead_to_the_leaves_in_their_order(structure):
    leaves, template = flatten(structure, "x")
    assert [eval(path, {"x": structure}) for path in paths(template, "x")] == leaves


SHAPES = [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (0, 2), (1, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_arrays_of_any_shape_come_back_as_float_arrays(shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    leaves, template = flatten(array, "x")
    again = unflatten(template, leaves)
    assert template == Array(shape, 0)
    assert len(leaves) == template.size
    assert (type(again), again.shape, again.dtype) == (np.ndarray, shape, np.dtype(float))
    assert np.array_equal(again, array)


@pytest.mark.parametrize("shape", SHAPES)
def test_arrays_of_other_numbers_come_back_as_object_arrays(shape):
    leaves, template = flatten(np.ones(shape), "x")
    values = [*map(Value, leaves)]
    again = unflatten(template, values)
    assert again.shape == shape
    if values:
        assert again.dtype == object
        assert again.ravel().tolist() == values


@pytest.mark.parametrize("inner", SHAPES)
@pytest.mark.parametrize("outer", SHAPES)
def test_arrays_of_arrays_are_arrays_of_more_dimensions(outer, inner):
    _, template = flatten(np.ones(outer), "x")
    for kind in (float, object):
        leaves = [np.full(inner, i, dtype=kind) for i in range(template.size)]
        again = unflatten(template, leaves, inner)
        assert again.shape == outer + inner
        if again.size:
            assert again.dtype == kind
            assert again.ravel()[-1] == template.size - 1


def test_arrays_stand_inside_other_structures():
    structure = {"a": np.array([1.0, 2.0]), "b": [np.array(3.0), 4.0]}
    leaves, template = flatten(structure, "x")
    assert leaves == [1.0, 2.0, 3.0, 4.0]
    again = unflatten(template, [10.0, 20.0, 30.0, 40.0])
    assert again["a"].tolist() == [10.0, 20.0]
    assert (again["b"][0].shape, again["b"][0].item(), again["b"][1]) == ((), 30.0, 40.0)


@pytest.mark.parametrize(
    "number", [2, True, Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.int8(3), np.bool_(True)]
)
def test_real_numbers_of_any_type_are_floats(number):
    leaves, template = flatten(number, "x")
    assert (template, leaves, type(leaves[0])) == (0, [float(number)], float)


def test_values_are_leaves_themselves():
    a = Value(1.0)
    leaves, _ = flatten([a, np.array([a], dtype=object)], "x")
    assert leaves[0] is leaves[1] is a


def test_subclasses_of_containers_are_plain_ones_but_for_namedtuples():
    _, template = flatten([OrderedDict(a=1.0), Pair(1.0, 2.0)], "x")
    assert [*map(type, unflatten(template, [1.0, 2.0, 3.0]))] == [dict, Pair]


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ("1", "x: expected a number or a list, tuple, dict or array of numbers, got str '1'"),
        ([1.0, {"a": (2.0, None)}], r"x\[1\]\['a'\]\[1\]: expected a number .* got NoneType None"),
        (np.array([1.0, "b"], dtype=object), r"x\.flat\[1\]: expected a number .* got str 'b'"),
        (np.array([1j]), r"x\.flat\[0\]: expected a number .* got complex 1j"),
        ({1.0}, r"x: expected a number .* got set \{1\.0\}"),
        (lambda: 1.0, "x: expected a number .* got function"),
    ],
)
def test_what_is_no_number_is_named_with_its_place(structure, message):
    with pytest.raises(TypeError, match=message):
        flatten(structure, "x")


def test_arguments_have_the_names_that_the_function_gives_them():
    assert names_of_arguments(lambda a, b: a + b, 2) == ["a", "b"]
    assert names_of_arguments(lambda *args: args, 2) == ["x0", "x1"]
    assert names_of_arguments(max, 3) == ["x0", "x1", "x2"]
