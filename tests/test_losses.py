import math
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, softmax
from nn import binary_cross_entropy, cross_entropy, hinge, huber, mae, mse

numbers = st.floats(-1e3, 1e3)
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6)
logits = st.lists(st.floats(-800.0, 800.0), min_size=1, max_size=6)


def value_and_gradient(loss, predictions, target):
    """Return the loss of Values and its derivative by each."""
    values = [Value(p) for p in predictions]
    result = loss(values, target)
    result.backward()
    return result.data, [v.grad for v in values]


# Values and gradients against exact and precise references


@settings(deadline=None)
@given(pairs)
def test_mse_is_the_mean_of_squared_errors(given_pairs):
    predictions, targets = map(list, zip(*given_pairs, strict=True))
    n = len(predictions)
    errors = [Fraction(p) - Fraction(t) for p, t in given_pairs]
    value, gradient = value_and_gradient(mse, predictions, targets)
    assert float(sum(e * e for e in errors) / n) == pytest.approx(value, rel=1e-14)
    assert [float(2 * e / n) for e in errors] == pytest.approx(gradient, rel=1e-14)


@settings(deadline=None)
@given(pairs)
def test_mae_is_the_mean_of_absolute_errors(given_pairs):
    predictions, targets = map(list, zip(*given_pairs, strict=True))
    n = len(predictions)
    errors = [Fraction(p) - Fraction(t) for p, t in given_pairs]
    value, gradient = value_and_gradient(mae, predictions, targets)
    assert float(sum(map(abs, errors)) / n) == pytest.approx(value, rel=1e-14)
    assert [((e > 0) - (e < 0)) / n for e in errors] == pytest.approx(gradient)


@settings(deadline=None)
@given(pairs, st.floats(0.01, 100.0))
def test_huber_is_quadratic_within_delta_and_linear_outside(given_pairs, delta):
    predictions, targets = map(list, zip(*given_pairs, strict=True))
    n, d = len(predictions), Fraction(delta)
    errors = [Fraction(p - t) for p, t in given_pairs]
    terms = [e * e / 2 if abs(e) <= d else d * (abs(e) - d / 2) for e in errors]
    slopes = [max(-d, min(e, d)) for e in errors]
    value, gradient = value_and_gradient(lambda p, t: huber(p, t, delta), predictions, targets)
    assert float(sum(terms) / n) == pytest.approx(value, rel=1e-12)
    assert [float(s / n) for s in slopes] == pytest.approx(gradient, rel=1e-12)


def test_huber_ignores_the_overflow_of_the_branch_not_taken():
    value, gradient = value_and_gradient(huber, [1e200], [0.0])
    assert (value, gradient) == (1e200, [1.0])


@settings(deadline=None)
@given(numbers, st.sampled_from([-1, 1]))
def test_hinge_is_the_missing_margin(score, target):
    x = Value(score)
    loss = hinge(x, target)
    loss.backward()
    missing = 1 - target * Fraction(score)
    assert float(max(missing, 0)) == pytest.approx(loss.data, abs=1e-15)
    if missing != 0 and loss.data:
        assert x.grad == -target
    elif missing < 0:
        assert x.grad == 0.0


@settings(deadline=None)
@given(logits, st.data())
def test_cross_entropy_is_minus_the_logarithm_of_the_softmax(scores, data):
    target = data.draw(st.integers(0, len(scores) - 1))
    with mpmath.workdps(700):
        powers = [mpmath.exp(mpmath.mpf(s)) for s in scores]
        total = mpmath.fsum(powers)
        expected = float(mpmath.log(total) - scores[target])
        slopes = [float(p / total - (i == target)) for i, p in enumerate(powers)]
    value, gradient = value_and_gradient(cross_entropy, scores, target)
    assert expected == pytest.approx(value, rel=1e-14, abs=5e-13)
    assert slopes == pytest.approx(gradient, rel=1e-12, abs=1e-15)


@settings(deadline=None)
@given(logits, st.data())
def test_an_index_means_probability_one(scores, data):
    target = data.draw(st.integers(0, len(scores) - 1))
    certain = [float(i == target) for i in range(len(scores))]
    by_index = value_and_gradient(cross_entropy, scores, target)
    by_probability = value_and_gradient(cross_entropy, scores, certain)
    assert by_index[0] == pytest.approx(by_probability[0], rel=1e-14, abs=1e-320)
    assert by_index[1] == pytest.approx(by_probability[1], rel=1e-12, abs=1e-15)


@settings(deadline=None)
@given(st.floats(-1e300, 1e300), st.floats(-40.0, 40.0))
def test_cross_entropy_is_exact_at_the_tails_and_far_from_zero(base, lead):
    far = base + lead
    with mpmath.workdps(700):
        difference = mpmath.mpf(far) - mpmath.mpf(base)
        expected = [float(mpmath.log1p(mpmath.exp(sign * difference))) for sign in (1, -1)]
    for i in (0, 1):
        certain = [float(i == 0), float(i == 1)]
        for target in (i, certain):
            assert expected[i] == pytest.approx(cross_entropy([base, far], target), rel=1e-14)


@pytest.mark.parametrize("target", [0, [1.0, 0.0, 0.0]])
def test_a_class_ruled_out_by_its_logit_adds_nothing_to_cross_entropy(target):
    value, gradient = value_and_gradient(cross_entropy, [1.0, 1.0, -math.inf], target)
    assert math.log(2.0) == pytest.approx(value, rel=1e-15)
    assert pytest.approx(gradient) == [-0.5, 0.5, 0.0]


def test_a_certain_prediction_costs_nothing_if_right_and_infinitely_much_if_wrong():
    assert [binary_cross_entropy(x, 1) for x in (math.inf, -math.inf)] == [0.0, math.inf]
    assert [binary_cross_entropy(x, 0) for x in (math.inf, -math.inf)] == [math.inf, 0.0]
    assert [cross_entropy([math.inf, 0.0], target) for target in (0, 1)] == [0.0, math.inf]
    assert [cross_entropy([0.0, -math.inf], target) for target in (0, 1)] == [0.0, math.inf]


@settings(deadline=None)
@given(logits, st.data())
def test_the_gradient_of_cross_entropy_is_softmax_minus_target(scores, data):
    weights = data.draw(st.lists(st.integers(0, 9), min_size=len(scores), max_size=len(scores)))
    weights[0] += 1
    target = [w / sum(weights) for w in weights]
    _, gradient = value_and_gradient(cross_entropy, scores, target)
    expected = [p - t for p, t in zip(softmax(scores), target, strict=True)]
    assert expected == pytest.approx(gradient, rel=1e-12, abs=1e-15)


@settings(deadline=None)
@given(st.floats(-1e4, 1e4), st.sampled_from([0, 1, 0.25]))
def test_binary_cross_entropy_is_exact_to_the_tails(logit, target):
    with mpmath.workdps(50):
        x, t = mpmath.mpf(logit), mpmath.mpf(target)
        expected = float(t * mpmath.log1p(mpmath.exp(-x)) + (1 - t) * mpmath.log1p(mpmath.exp(x)))
        slope = float((1 - t) / (1 + mpmath.exp(-x)) - t / (1 + mpmath.exp(x)))
    value = Value(logit)
    loss = binary_cross_entropy(value, target)
    loss.backward()
    assert expected == pytest.approx(loss.data, rel=1e-14, abs=1e-320)
    assert slope == pytest.approx(value.grad, rel=1e-13, abs=1e-16 if target == 0.25 else 1e-320)


@settings(deadline=None)
@given(st.floats(-30, 30), st.integers(0, 1))
def test_binary_cross_entropy_is_the_cross_entropy_of_two_classes(logit, target):
    expected = cross_entropy([0.0, logit], target)
    assert expected == pytest.approx(binary_cross_entropy(logit, target), abs=1e-14)


# Kinds of numbers


@pytest.mark.parametrize(
    ("loss", "prediction", "target"),
    [
        (mse, 1.5, 1.0),
        (mse, [1.5, 2.0], [1.0, 4.0]),
        (mae, 1.5, 1.0),
        (mae, [1.5, 2.0], [1.0, 4.0]),
        (huber, 1.5, 1.0),
        (huber, [1.5, 2.0], [1.0, 4.0]),
        (hinge, 0.5, 1),
        (cross_entropy, [0.5, 1.0], 0),
        (cross_entropy, [0.5, 1.0], [0.25, 0.75]),
        (binary_cross_entropy, 0.5, 0),
    ],
)
def test_numbers_of_every_kind_give_the_same(loss, prediction, target):
    expected = loss(prediction, target)
    assert type(expected) is float
    if isinstance(prediction, list):
        values = list(map(Value, prediction))
        arrays = [np.array(prediction), tuple(values), np.array(values)]
    else:
        values = Value(prediction)
        arrays = [np.float64(prediction)]
    for other in [values, *arrays]:
        assert expected == float(loss(other, target))
    for other in (np.array(target), np.array(target)[()]):  # [()] makes a number of a number
        assert expected == loss(values, other).data


def test_a_value_may_be_a_target_and_gets_its_gradient():
    target = Value(1.0)
    mse(3.0, target).backward()
    assert target.grad == -4.0


def test_a_loss_of_one_number_has_no_mean_in_its_graph():
    assert mse(Value(3.0), 1.0).primitive.name == "square"


# What is refused


@pytest.mark.parametrize("loss", [mse, mae, huber])
def test_prediction_and_target_must_be_alike(loss):
    with pytest.raises(ValueError, match=f"{loss.__name__}: .* got 2 and 3 numbers"):
        loss([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"prediction is Value\(.*\), target a list of 1;"):
        loss(Value(1.0), [1.0])
    with pytest.raises(ValueError, match=r"prediction is a list of 2, target 1\.0;"):
        loss([1.0, 2.0], 1.0)
    with pytest.raises(ValueError, match="not empty"):
        loss([], [])
    name = loss.__name__
    with pytest.raises(TypeError, match=f"^{name}: target must be a number, got '1.0'$"):
        loss(Value(1.0), "1.0")
    with pytest.raises(TypeError, match=f"^{name}: prediction must be a number, got 'a'$"):
        loss("a", 1.0)
    with pytest.raises(TypeError, match=rf"^{name}: target\[1\] must be a number, got None$"):
        loss([1.0, 2.0], [1.0, None])


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan])
def test_huber_refuses_a_delta_that_is_not_positive(delta):
    with pytest.raises(ValueError, match="huber: delta must be a number above 0"):
        huber(1.0, 2.0, delta)


@pytest.mark.parametrize("target", [0, 2, 0.5, math.nan])
def test_hinge_refuses_targets_other_than_plus_or_minus_one(target):
    with pytest.raises(ValueError, match="hinge: target must be 1 or -1, got"):
        hinge(Value(0.5), target)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (3, ValueError, "an index from 0 to 2, got 3"),
        (-1, ValueError, "an index from 0 to 2, got -1"),
        (1.0, TypeError, "the index of a class or a list of probabilities, got 1.0"),
        ("cat", TypeError, "the index of a class or a list of probabilities, got 'cat'"),
        (None, TypeError, "the index of a class or a list of probabilities, got None"),
        ([0.5, 0.5], ValueError, "got 3 and 2 numbers"),
        ([0.5, 0.5, 0.5], ValueError, "probabilities that add up to 1, got"),
        ([1.5, -0.5, 0.0], ValueError, "probabilities that add up to 1, got"),
        ([math.nan, 0.5, 0.5], ValueError, "probabilities that add up to 1, got"),
    ],
)
def test_cross_entropy_refuses_what_is_no_class(target, error, message):
    with pytest.raises(error, match=message):
        cross_entropy([Value(0.0)] * 3, target)


def test_cross_entropy_refuses_a_single_logit():
    with pytest.raises(TypeError, match="use binary_cross_entropy"):
        cross_entropy(Value(0.0), 0)
    with pytest.raises(ValueError, match="got 0 and 0 numbers"):
        cross_entropy([], [])


@pytest.mark.parametrize("target", [-1, 2, 1.0001, math.nan])
def test_binary_cross_entropy_refuses_targets_outside_zero_to_one(target):
    with pytest.raises(ValueError, match="target must lie between 0 and 1"):
        binary_cross_entropy(Value(0.0), target)


@pytest.mark.parametrize("target", [Decimal("0.5"), Fraction(1, 2), np.float32(0.5)])
def test_a_real_number_of_any_type_is_a_target(target):
    for loss in (mse, mae, huber, binary_cross_entropy):
        for prediction in (1.5, Value(1.5), Decimal("1.5")):
            assert float(loss(1.5, 0.5)) == float(loss(prediction, target))


@pytest.mark.parametrize("target", [np.False_, Decimal(2), Fraction(3, 2), np.int64(-2)])
def test_a_target_out_of_range_is_refused_whatever_its_type(target):
    with pytest.raises(ValueError, match="target must be 1 or -1"):
        hinge(Value(0.5), target)
    if target:
        with pytest.raises(ValueError, match="target must lie between 0 and 1"):
            binary_cross_entropy(Value(0.5), target)


def test_a_list_where_one_number_belongs_is_refused():
    with pytest.raises(TypeError, match=r"binary_cross_entropy: logit .* number, got \[1\.0\]$"):
        binary_cross_entropy([1.0], 1)
    with pytest.raises(TypeError, match=r"hinge: score must be a number, got 'a'$"):
        hinge("a", 1)
    with pytest.raises(TypeError, match=r"cross_entropy: logits\[1\] must be a number, got 'a'$"):
        cross_entropy([1.0, "a"], 1)
