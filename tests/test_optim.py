import math
import sys
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn.optim
from autograd import Value
from nn import (
    SGD,
    Adam,
    AdamW,
    clip_gradients,
    constant,
    cosine,
    step_decay,
    warmup,
)
from nn.optim import adam_update, adamw_update, momentum_update, nesterov_update

gradients = st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=6)


def path(make_optimizer, start, gradients):
    """Return where an optimizer takes one parameter, given its gradient at every step."""
    parameter = Value(start)
    optimizer = make_optimizer([parameter])
    reached = []
    for gradient in gradients:
        parameter.grad = gradient
        optimizer.step()
        reached.append(parameter.data)
    return reached


# Update rules, recomputed exactly


@settings(deadline=None)
@given(gradients, st.floats(0.0, 0.99), st.booleans(), st.sampled_from([0.0, 0.125]))
def test_sgd_follows_pytorchs_formula(gs, momentum, nesterov, decay):
    nesterov = nesterov and momentum > 0.0
    p, buffer, expected = Fraction(3), None, []
    mu, lr = Fraction(momentum), Fraction(0.25)
    for g in map(Fraction, gs):  # torch.optim.SGD's documentation, with dampening 0
        g = g + Fraction(decay) * p  # noqa: PLW2901
        if momentum:
            buffer = g if buffer is None else mu * buffer + g
            g = g + mu * buffer if nesterov else buffer  # noqa: PLW2901
        p = p - lr * g
        expected.append(float(p))
    actual = path(lambda ps: SGD(ps, 0.25, momentum, nesterov, decay), 3.0, gs)
    assert expected == pytest.approx(actual, rel=1e-12, abs=1e-12)


def exact_adam(gs, start, lr, betas, eps, decay, decoupled):
    """Kingma & Ba 2015, algorithm 1, and Loshchilov & Hutter 2019, algorithm 2, in 50 digits."""
    with localcontext() as context:
        context.prec = 50
        theta, m, v = Decimal(start), Decimal(0), Decimal(0)
        lr, beta1, beta2, eps, decay = map(Decimal, (lr, *betas, eps, decay))
        reached = []
        for t, g in enumerate(map(Decimal, gs), start=1):
            if decoupled:
                theta -= lr * decay * theta
            else:
                g += decay * theta  # noqa: PLW2901
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            theta -= lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
            reached.append(float(theta))
        return reached


@settings(deadline=None)
@given(gradients, st.sampled_from([(0.9, 0.999), (0.5, 0.25), (0.0, 0.0)]), st.booleans())
def test_adam_and_adamw_follow_their_papers(gs, betas, decoupled):
    kind = AdamW if decoupled else Adam
    for decay in (0.0, 0.125):
        expected = exact_adam(gs, 3.0, 0.25, betas, 1e-8, decay, decoupled)
        actual = path(lambda ps, d=decay: kind(ps, 0.25, betas, 1e-8, d), 3.0, gs)
        assert expected == pytest.approx(actual, rel=1e-9, abs=1e-9)


def test_defaults_are_pytorchs():
    x = [Value(0.0)]
    adam, adamw, sgd = Adam(x), AdamW(x), SGD(x, lr=1.0)
    assert (adam.lr, adam.betas, adam.eps, adam.weight_decay) == (0.001, (0.9, 0.999), 1e-8, 0.0)
    assert (*(adamw.lr, adamw.betas, adamw.eps, adamw.weight_decay),) == (
        0.001,
        (0.9, 0.999),
        1e-8,
        0.01,
    )
    assert (sgd.momentum, sgd.weight_decay) == (0.0, 0.0)


def test_two_steps_worked_by_hand():
    assert pytest.approx(path(lambda p: SGD(p, 0.1, 0.5), 1.0, [1.0, 1.0])) == [0.9, 0.75]
    assert pytest.approx(path(lambda p: SGD(p, 0.1, 0.5, True), 1.0, [1.0, 1.0])) == [0.85, 0.675]
    assert pytest.approx(path(lambda p: Adam(p, 0.1), 1.0, [7.0, 7.0])) == [0.9, 0.8]
    assert pytest.approx(path(lambda p: AdamW(p, 0.1, weight_decay=0.1), 1.0, [7.0, 7.0])) == [
        0.89,
        0.7811,
    ]


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.booleans())
def test_adams_first_step_is_lr_whatever_the_gradient(size, negative):
    (reached,) = path(lambda p: Adam(p, 0.5), 0.0, [-size if negative else size])
    assert (0.5 if negative else -0.5) == pytest.approx(reached, rel=1e-4)


@pytest.mark.parametrize("rule", [momentum_update, nesterov_update])
def test_momentum_rules_also_run_on_values(rule):
    numbers = [0.5, 0.25, -1.0, 0.1, 0.9, 0.01]
    values = [Value(x) for x in numbers]
    assert list(rule(*numbers)) == [result.data for result in rule(*values)]


@pytest.mark.parametrize("rule", [adam_update, adamw_update])
def test_adam_rules_also_run_on_values(rule):
    numbers = [0.5, 0.25, -1.0, 0.5, 3.0, 0.1, 0.9, 0.99, 1e-8, 0.01]
    values = [Value(x) for x in numbers]
    assert list(rule(*numbers)) == pytest.approx([result.data for result in rule(*values)])


# Optimizers


OPTIMIZERS = [
    lambda p, lr=0.1: SGD(p, lr),
    lambda p, lr=0.1: SGD(p, lr, momentum=0.9),
    lambda p, lr=0.1: SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p, lr=0.1: Adam(p, lr),
    lambda p, lr=0.1: AdamW(p, lr),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_every_optimizer_finds_the_minimum_of_a_parabola(make):
    x, y = Value(3.0), Value(-2.0)
    optimizer = make([x, y], cosine(0.1, steps=400, minimum=1e-5))
    for _ in range(400):
        optimizer.zero_grad()
        ((x - 1.0) ** 2 + 3.0 * (y + 1.0) ** 2).backward()
        optimizer.step()
    assert pytest.approx([x.data, y.data], abs=0.02) == [1.0, -1.0]


def test_a_real_number_of_any_type_is_a_learning_rate():
    x = Value(1.0)
    x.grad = 1.0
    SGD([x], lr=Decimal("0.25"), momentum=Fraction(1, 2)).step()
    assert x.data == 0.75


def test_what_is_no_pair_or_no_state_is_refused():
    with pytest.raises(ValueError, match=r"betas must be a pair of numbers, .* got 0\.9$"):
        Adam([Value(1.0)], betas=0.9)
    with pytest.raises(TypeError, match=r"what state_dict\(\) of Adam gives, got 3$"):
        Adam([Value(1.0)]).load_state_dict(3)


def test_zero_grad_zeroes_the_gradients():
    x = Value(1.0)
    x.grad = 3.0
    SGD([x], 0.1).zero_grad()
    assert x.grad == 0.0


def test_a_parameter_given_twice_is_updated_once():
    x, equal = Value(1.0), Value(1.0)
    optimizer = SGD([x, equal, x], 0.5)
    x.grad = equal.grad = 1.0
    optimizer.step()
    assert (x.data, equal.data) == (0.5, 0.5)


def test_an_iterable_read_once_is_enough():
    x = Value(1.0)
    assert len(SGD((p for p in [x]), 0.5).parameters) == 1


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_loaded_state_goes_on_bit_for_bit(make):
    gs = [1.0, -0.3, 0.7, 0.2, -2.0, 0.4]
    lr = lambda step: 0.1 / (1 + step)  # noqa: E731
    whole = path(lambda p: make(p, lr), 1.0, gs)
    first = Value(1.0)
    before = make([first], lr)
    for g in gs[:3]:
        first.grad = g
        before.step()
    second = Value(first.data)
    after = make([second], lr)
    after.load_state_dict(before.state_dict())
    rest = []
    for g in gs[3:]:
        second.grad = g
        after.step()
        rest.append(second.data)
    assert whole[3:] == rest


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"optimizer": "SGD"}, ValueError, "expected the state of Adam, got 'SGD'"),
        ({"optimizer": None}, ValueError, "expected the state of Adam, got None"),
        ({"steps": -1}, ValueError, "steps must be a whole number"),
        ({"steps": 1.5}, ValueError, "steps must be a whole number"),
        ({"memory": []}, ValueError, "2 numbers for each of 1 parameters"),
        ({"memory": [[1.0]]}, ValueError, "2 numbers for each of 1 parameters"),
        ({"memory": None}, ValueError, "2 numbers for each of 1 parameters"),
        ({"memory": [[1.0, "x"]]}, TypeError, "'x'"),
        ({"memory": [3]}, ValueError, "2 numbers for each of 1 parameters"),
        ({"memory": [[1.0, -1.0]]}, ValueError, r"memory\[0\] holds .* a variance at least 0"),
        ({"memory": [[math.nan, 1.0]]}, ValueError, r"memory\[0\] holds .* must be finite"),
    ],
)
def test_a_wrong_state_changes_nothing(change, error, message):
    optimizer = Adam([Value(1.0)])
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(error, match=message):
        optimizer.load_state_dict({**before, "steps": 9, **change})
    assert before == optimizer.state_dict()


def test_a_state_is_a_mapping():
    with pytest.raises(TypeError, match=r"state must be what state_dict\(\) of Adam gives, got"):
        Adam([Value(1.0)]).load_state_dict(None)


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("gradient", [1e300, math.nan])
def test_a_step_that_overflows_names_the_parameter_and_changes_nothing(make, gradient):
    x, slope = Value(1.0), Value(1.0, "slope")
    optimizer = make([x, slope], lambda _step: 1e300)
    slope.grad = gradient
    before = optimizer.state_dict()
    with pytest.raises(FloatingPointError, match="the update of slope overflows: it is 1, its"):
        optimizer.step()
    assert (x.data, slope.data, before) == (1.0, 1.0, optimizer.state_dict())


def test_repr_of_an_optimizer_is_one_short_line():
    assert repr(Adam(nn.MLP(2, [16, 16, 1]).parameters(), 0.01)) == "Adam(337 parameters, lr=0.01)"
    assert repr(SGD([Value(1.0)], constant(0.1))) == "SGD(1 parameter, lr=a schedule)"


def interrupt_at_event(count, function):
    """Call the function, interrupted at the given line event inside nn; return whether it was."""
    left = [count]

    def trace(frame, event, _argument):
        if not frame.f_code.co_filename.startswith(nn.__path__[0]):
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(outer)
    return False


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_step_interrupted_on_any_line_is_taken_or_not_taken_as_a_whole(make):
    outcomes, count, interrupted = set(), 0, True
    while interrupted:
        count += 1
        parameters = [Value(1.0), Value(2.0), Value(3.0)]
        optimizer = make(parameters)
        for p in parameters:
            p.grad = 1.0
        optimizer.step()
        interrupted = interrupt_at_event(count, optimizer.step)
        state = optimizer.state_dict()
        memory = tuple(map(tuple, state["memory"]))
        outcomes.add((state["steps"], memory, *(p.data for p in parameters)))
    assert count > 10
    assert sorted(steps for steps, *_ in outcomes) == [1, 2]


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "there are no parameters"),
        (iter(()), ValueError, "there are no parameters"),
        ([Value(1.0), 2.0], TypeError, r"parameters\[1\] must be a Value, got 2.0"),
        ([None], TypeError, r"parameters\[0\] must be a Value, got None"),
        ([[Value(1.0)]], TypeError, r"parameters\[0\] must be a Value, got \[Value"),
        (Value(1.0), TypeError, r"such as model.parameters\(\), got Value"),
        (nn.MLP(1, [1]), TypeError, r"such as model.parameters\(\), got MLP"),
        ([Value(1.0).tanh()], ValueError, r"parameters\[0\] was computed by tanh"),
    ],
)
def test_parameters_are_an_iterable_of_leaf_values(parameters, error, message):
    for make in (lambda: SGD(parameters, 0.1), lambda: clip_gradients(parameters, 1.0)):
        with pytest.raises(error, match=message):
            make()


@pytest.mark.parametrize("lr", [0, 0.0, -1.0, 10**400, math.inf, math.nan, "0.1", None])
def test_lr_is_a_positive_finite_number(lr):
    for make in (SGD, Adam, AdamW):
        with pytest.raises(ValueError, match="lr must be a number above 0 and finite, got"):
            make([Value(1.0)], lr)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD(p, 0.1, momentum=1.0), "momentum must be a number at least 0 and below 1"),
        (lambda p: SGD(p, 0.1, momentum=-0.1), "momentum must be a number at least 0 and below 1"),
        (lambda p: SGD(p, 0.1, nesterov=True), "nesterov=True needs a momentum"),
        (lambda p: SGD(p, 0.1, weight_decay=-1.0), "weight_decay must be"),
        (lambda p: Adam(p, betas=(1.0, 0.9)), r"betas\[0\] must be"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), r"betas\[1\] must be"),
        (lambda p: Adam(p, eps=-1e-8), "eps must be"),
        (lambda p: Adam(p, eps=0.0), "eps must be a number above 0"),
        (lambda p: AdamW(p, weight_decay=math.inf), "weight_decay must be"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make([Value(1.0)])


@pytest.mark.parametrize("rate", [-0.1, math.inf, math.nan, None])
def test_a_schedule_that_gives_no_learning_rate_is_refused_before_the_step(rate):
    x = Value(1.0)
    x.grad = 1.0
    with pytest.raises(ValueError, match=r"lr\(0\) must be a number at least 0 and finite, got"):
        SGD([x], lambda _step: rate).step()
    assert x.data == 1.0


# Clipping


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=5), st.floats(0.01, 1000))
def test_clipping_keeps_the_direction_and_bounds_the_norm(grads, limit):
    parameters = [Value(0.0) for _ in grads]
    for parameter, g in zip(parameters, grads, strict=True):
        parameter.grad = g
    before = clip_gradients(parameters, limit)
    assert math.hypot(*grads) == before
    factor = min(1.0, limit / before) if before else 1.0
    assert [g * factor for g in grads] == pytest.approx([p.grad for p in parameters], rel=1e-14)


def test_clipping_neither_overflows_nor_underflows():
    for size in (1e200, 1e-200):
        parameters = [Value(0.0), Value(0.0)]
        parameters[0].grad, parameters[1].grad = 3.0 * size, 4.0 * size
        assert 5.0 * size == pytest.approx(clip_gradients(parameters, size), rel=1e-15)
        assert [0.6 * size, 0.8 * size] == pytest.approx([p.grad for p in parameters], rel=1e-15)


def test_gradients_whose_norm_is_no_float_are_clipped_too():
    parameters = [Value(0.0), Value(0.0)]
    parameters[0].grad = parameters[1].grad = 1.5e308
    assert clip_gradients(parameters, 2.0) == math.inf
    assert pytest.approx([p.grad for p in parameters], rel=1e-15) == [math.sqrt(2.0)] * 2


@pytest.mark.parametrize("grad", [math.inf, math.nan])
def test_clipping_refuses_gradients_that_are_not_finite(grad):
    x, y = Value(0.0), Value(0.0)
    x.grad, y.grad = 1.0, grad
    with pytest.raises(FloatingPointError, match="the norm of the gradients is"):
        clip_gradients([x, y], 0.5)
    assert x.grad == 1.0


@pytest.mark.parametrize("norm", [0.0, -1.0, math.inf, math.nan, "1"])
def test_the_norm_to_clip_to_is_positive_and_finite(norm):
    with pytest.raises(ValueError, match="norm must be a number above 0 and finite"):
        clip_gradients([Value(1.0)], norm)


# Schedules


def test_lr_is_asked_for_the_number_of_steps_taken_before():
    asked = []
    optimizer = SGD([Value(1.0)], lambda step: asked.append(step) or 0.1)
    for _ in range(3):
        optimizer.step()
    assert asked == [0, 1, 2]


def test_a_schedule_sets_the_size_of_the_step():
    reached = path(lambda p: SGD(p, step_decay(1.0, factor=0.5, every=2)), 0.0, [-1.0] * 5)
    assert reached == [1.0, 2.0, 2.5, 3.0, 3.25]


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1.0), st.integers(1, 50), st.integers(0, 200))
def test_schedules_follow_their_formulas(lr, period, step):
    assert lr == constant(lr)(step)
    assert lr * 0.5 ** (step // period) == step_decay(lr, 0.5, period)(step)
    along = min(step / period, 1.0)
    expected = 0.001 + (lr - 0.001) * (1.0 + math.cos(math.pi * along)) / 2.0
    assert expected == pytest.approx(cosine(lr, period, minimum=0.001)(step))
    rising = lr * (step + 1) / period
    assert (rising if step < period else lr) == pytest.approx(warmup(lr, period)(step))


def test_schedules_stay_finite_for_every_finite_learning_rate():
    assert [cosine(1e308, steps=2)(step) for step in (0, 1, 2)] == [1e308, 5e307, 0.0]
    assert [warmup(1e308, steps=4)(step) for step in (1, 3, 9)] == [5e307, 1e308, 1e308]


def test_a_schedule_that_grows_without_bound_is_refused_where_it_overflows():
    optimizer = SGD([Value(1.0)], step_decay(1.0, factor=1e200, every=1))
    optimizer.step()
    optimizer.step()
    with pytest.raises(ValueError, match=r"lr\(2\) must be a number .* finite, got inf"):
        optimizer.step()


def test_warmup_hands_over_to_a_schedule_at_its_start():
    schedule = warmup(cosine(1.0, steps=10), steps=5)
    assert pytest.approx([schedule(step) for step in range(5)]) == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert [cosine(1.0, steps=10)(k) for k in range(20)] == [schedule(5 + k) for k in range(20)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: constant(0.0),
        lambda: step_decay(-1.0, 0.5, 1),
        lambda: step_decay(1.0, 0.0, 1),
        lambda: step_decay(1.0, 0.5, 0),
        lambda: cosine(math.nan, 10),
        lambda: cosine(1.0, 0),
        lambda: cosine(1.0, 10, minimum=-1.0),
        lambda: warmup(1.0, 0),
        lambda: warmup(0.0, 5),
    ],
)
def test_schedules_refuse_numbers_out_of_range(make):
    with pytest.raises(ValueError, match=r"must be a (whole )?number"):
        make()
