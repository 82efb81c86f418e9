import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nn.datasets import DataError, Dataset, iris, read_csv, split
from nn.recipe import OneHot, Recipe, Standardised

CARS = "colour,doors,wheels,price\nred,2,4,10.5\nblue,4,4,8\nred,4,4,7\ngreen,3,4,9\n"

finite = st.floats(-1e150, 1e150)
ONE = (1.0).hex()
NUMBER = {"name": "y", "mean": ONE, "deviation": ONE}


@pytest.fixture
def cars(tmp_path):
    path = tmp_path / "cars.csv"
    path.write_text(CARS, encoding="utf-8")
    return read_csv(path, "price")


def test_numbers_are_standardised_as_scikit_learn_does():
    data = iris()
    expected = StandardScaler().fit_transform(data.X)
    assert np.allclose(expected, Recipe.fit(data).encode(data.X), rtol=0, atol=1e-14)


def test_texts_are_one_hot_as_scikit_learn_does(cars):
    column = [row[:1] for row in cars.X]
    expected = OneHotEncoder(sparse_output=False).fit_transform(column)
    assert expected.tolist() == [row[:3] for row in Recipe.fit(cars).encode(cars.X)]


def test_inputs_are_named_after_columns_and_categories(cars):
    expected = ["colour=blue", "colour=green", "colour=red", "doors", "wheels"]
    assert expected == Recipe.fit(cars).inputs


def test_a_constant_column_becomes_zero(cars):
    assert [row[-1] for row in Recipe.fit(cars).encode(cars.X)] == [0.0] * 4


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_a_constant_column_has_its_value_as_mean_and_no_deviation(value, count):
    assert Standardised.fit("x", [value] * count) == Standardised("x", value, 0.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_decoding_undoes_encoding(numbers):
    column = Standardised.fit("x", numbers)
    largest = max(map(abs, numbers)) + 1e-300  # the deviation of subnormal numbers may round to 0
    for number in numbers:
        assert column.decode(*column.encode(number)) == pytest.approx(number, abs=1e-12 * largest)


@given(st.lists(st.sampled_from([-1.7e308, 1e308, 1.7e308]), min_size=2, max_size=9))
def test_the_largest_numbers_are_standardised_without_overflow(numbers):
    expected = Standardised.fit("x", [number / 2**500 for number in numbers])
    column = Standardised.fit("x", numbers)
    for number in numbers:
        assert expected.encode(number / 2**500) == pytest.approx(column.encode(number))


def test_means_and_deviations_are_those_of_the_training_rows_alone():
    training, test = split(iris())
    recipe = Recipe.fit(training)
    for row in test.X:
        row[:] = [1e9] * 4
    assert recipe == Recipe.fit(training)
    column = [row[0] for row in training.X]
    assert math.isclose(np.mean(column), recipe.features[0].mean)
    assert math.isclose(np.std(column), recipe.features[0].deviation)


def test_a_category_that_only_test_rows_have_is_still_an_input(cars):
    assert Recipe.fit(cars.take([0, 1])).inputs == Recipe.fit(cars).inputs


def test_class_targets_stay_indices_and_numbers_are_standardised(cars):
    flowers = iris()
    assert Recipe.fit(flowers).samples(flowers)[1] == flowers.y
    _, z = Recipe.fit(cars).samples(cars)
    assert np.allclose(StandardScaler().fit_transform([[y] for y in cars.y]).ravel(), z)


def test_outputs_decode_to_the_largest_class_or_to_the_targets_unit(cars):
    assert Recipe.fit(iris()).decode([[0.1, 0.7, 0.2], [3.0, -1.0, 2.0]]) == [1, 0]
    recipe = Recipe.fit(cars)
    _, z = recipe.samples(cars)
    assert recipe.decode(z) == pytest.approx(cars.y)


def test_a_network_has_an_output_for_each_class_or_one_for_a_number(cars):
    assert (Recipe.fit(iris()).outputs, Recipe.fit(cars).outputs) == (3, 1)


@given(
    mean=finite,
    deviation=st.floats(0, 1e150),
    categories=st.lists(st.text(), min_size=2, unique=True),
)
def test_a_recipe_returns_from_json_to_the_last_bit(mean, deviation, categories):
    recipe = Recipe([Standardised("x", mean, deviation)], OneHot("y", categories))
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize(
    "damage",
    [
        None,
        [],
        "recipe",
        {},
        {"features": [], "target": None},
        {"features": [{"name": "x"}], "target": {"name": "y", "categories": ["a"]}},
        {"features": 3, "target": {"name": "y", "categories": ["a"]}},
        {"features": [], "target": {"name": "y", "mean": "0x1", "deviation": "wide"}},
        {"features": [], "target": {"name": "y", "mean": 1.0, "deviation": 1.0}},
        {"features": [], "target": {"name": "y", "mean": "0.1", "deviation": ONE}},
        {"features": [], "target": {"name": "y", "mean": "nan", "deviation": ONE}},
        {"features": [], "target": {"name": "y", "mean": ONE, "deviation": "-inf"}},
        {"features": [], "target": {"name": "y", "mean": ONE, "deviation": "inf"}},
        {"features": [], "target": {"name": "y", "mean": "0x1p99999", "deviation": ONE}},
        {"features": [], "target": {"name": 3, "mean": ONE, "deviation": ONE}},
        {"features": [], "target": {"name": "y", "categories": "ab"}},
        {"features": [], "target": {"name": "y", "categories": ["a"]}},
        {"features": [], "target": {"name": "y", "categories": ["a", "b", "a"]}},
        {"features": [], "target": {"name": "y", "categories": ["a", 1]}},
        {"features": [{"name": None, "mean": ONE, "deviation": ONE}], "target": NUMBER},
        {"features": [{"name": 3, "categories": ["a", "b"]}], "target": NUMBER},
        {"features": [{"name": "x", "categories": []}], "target": NUMBER},
        {"features": [NUMBER], "target": NUMBER},
    ],
)
def test_a_damaged_recipe_is_an_error(damage):
    with pytest.raises(ValueError, match="recipe for the data is missing or damaged"):
        Recipe.from_json(damage)


def test_columns_are_found_by_name_in_any_order_and_among_others(cars, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("wheels,id,doors,colour\n4,,2,red\n4,,4,blue\n", encoding="utf-8")
    assert Recipe.fit(cars).read(path) == cars.X[:2]


def test_a_number_can_be_a_category_and_stays_one(tmp_path):
    data = Dataset([["1"], ["2"]], [0.0, 1.0], ["code"], "y", categories={"code": ["1", "2"]})
    path = tmp_path / "codes.csv"
    path.write_text("code\n2\n1\n", encoding="utf-8")
    assert Recipe.fit(data).read(path) == [["2"], ["1"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour,doors\nred,2\n", "other.csv: there is no column 'wheels'"),
        (
            "colour,doors,wheels\nred,2,4\npink,2,4\n",
            "line 3, column 'colour': 'pink' did not occur",
        ),
        ("colour,doors,wheels\npink,2,4\n", "use one of blue, green, red"),
        ("colour,doors,wheels\nred,two,4\n", "line 2, column 'doors': 'two' is not a number"),
        ("colour,doors,wheels\nred,,4\n", "line 2, column 'doors': the value is missing"),
        ("colour,doors,wheels\nred,1.7e308,4\n", "line 2, column 'doors': 1.7e+308 is too far"),
    ],
)
def test_rows_that_training_cannot_have_meant_are_errors(cars, tmp_path, text, message):
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Recipe.fit(cars).read(path)
    assert message in str(caught.value)


def test_an_unknown_category_does_not_encode(cars):
    with pytest.raises(ValueError, match="'pink' did not occur in training"):
        Recipe.fit(cars).encode([["pink", 2.0, 4.0]])
