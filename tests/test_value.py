"""Value: what it accepts, how it answers, its modes, its copies, and how it goes."""

from __future__ import annotations

import asyncio
import copy
import gc
import math
import operator
import pickle
import re
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from autograd import (
    Value,
    detect_anomaly,
    dot,
    elu,
    exp,
    hypot,
    leaky_relu,
    log,
    no_grad,
    primitives,
    relu,
    sqrt,
    tanh,
    where,
)
from autograd.backward import cotangents, graph

DEEP = 100_000
HERE = re.escape(str(Path(__file__)))

ACCEPTED = [
    3,
    -2.5,
    True,
    Fraction(1, 3),
    Decimal("0.1"),
    np.float64(1.5),
    np.float32(0.1),
    np.float16(0.5),
    np.int64(-7),
    np.uint8(200),
    np.bool_(True),
]
REFUSED = [1j, "1", None, [1.0], (1.0,), {}, np.array([1.0]), np.array(1.0), object(), b"1"]
SIGNS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}


def kind(x):
    return type(x).__name__


def chain(length=DEEP):
    """A leaf and the end of a long chain of nodes over it."""
    leaf = Value(1.0, "leaf")
    x = leaf
    for _ in range(length):
        x = x * 1.0
    return leaf, x


# Construction


@pytest.mark.parametrize("number", ACCEPTED, ids=kind)
def test_every_real_number_becomes_a_float(number):
    v = Value(number, "a")
    assert type(v.data) is float
    assert v.data == float(number)
    assert (v.grad, v.label, v.primitive, v.operands, v.partials) == (0.0, "a", None, (), ())


@pytest.mark.parametrize("wrong", [*REFUSED, Value(1.0)], ids=kind)
def test_what_is_no_real_number_is_refused_by_name(wrong):
    with pytest.raises(
        TypeError, match=rf"Value\(data\): expected a real number, got {kind(wrong)} "
    ):
        Value(wrong)


def test_a_long_operand_is_cut_short_in_the_error():
    with pytest.raises(TypeError) as error:
        Value("x" * 1000)
    assert len(str(error.value)) < 100


@pytest.mark.parametrize("size", [1, 39, 40, 41, 42, 1000])
def test_an_error_shows_at_most_40_characters_of_what_was_given_and_all_if_it_can(size):
    text = "x" * (size - 2)  # and its two quotes
    with pytest.raises(TypeError) as error:
        Value(text)
    shown = str(error.value).partition(" got str ")[2]
    assert shown == (repr(text) if len(repr(text)) <= 40 else repr(text)[:37] + "...")
    assert len(shown) <= 40


@pytest.mark.parametrize("wrong", ["1", None, [1.0], object()], ids=kind)
def test_only_an_array_is_sent_to_numpy(wrong):
    with pytest.raises(TypeError) as error:
        exp(wrong)
    assert "np." not in str(error.value)
    with pytest.raises(TypeError, match=r"; np\.exp takes arrays$"):
        exp(np.array([1.0]))
    with pytest.raises(TypeError) as error:  # NumPy has no relu
        relu(np.array([1.0]))
    assert "np." not in str(error.value)


def test_a_new_node_has_no_gradient_and_no_label_whatever_made_it():
    x = Value(2.0, "x")
    x.grad = 3.0
    made = [relu(x), (-x).relu(), -x, tanh(x), hypot(x, 1.0), dot([x], [x], x), dot([x], [1.0], x)]
    for sign in SIGNS.values():
        made += [sign(x, x), sign(x, 3), sign(3, x)]
    assert {(node.grad, node.label) for node in made} == {(0.0, "")}


def test_dot_refuses_by_name_what_has_data_and_is_no_number():
    class Tensor:
        def __rmul__(self, _):
            return self

        __radd__ = __add__ = __mul__ = __rmul__
        data = property(lambda self: self)

    x = Value(2.0)
    for ws, xs, bias, name in (
        ([x, Tensor()], [x, x], x, r"ws\[1\]"),
        ([x, x], [x, Tensor()], x, r"xs\[1\]"),
        ([x, x], [x, x], Tensor(), "bias"),
    ):
        with pytest.raises(TypeError, match=rf"dot: expected a number or Value as {name}, got Te"):
            dot(ws, xs, bias)


def test_operands_that_are_left_out_have_their_defaults():
    for x in (-2.0, 3.0, Value(-2.0)):
        assert elu(x) == elu(x, 1.0) == elu(x, alpha=1.0)
        assert leaky_relu(x) == leaky_relu(x, 0.01) == leaky_relu(x, slope=0.01)


def test_a_kind_of_number_must_say_how_it_records():
    class Number(primitives.Scalar):
        rank = 9

    with pytest.raises(NotImplementedError):
        hypot(Number(), 1.0)


def test_a_value_has_no_other_attributes():
    with pytest.raises(AttributeError):
        Value(1.0).gradient = 1.0


def test_the_label_can_be_set_later():
    v = Value(1.0) + 2.0
    v.label = "sum"
    assert v.label in repr(v)


# Operators


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("number", ACCEPTED, ids=kind)
def test_operators_take_every_real_number_on_either_side(sign, number):
    operate, v, x = SIGNS[sign], Value(0.75), float(number)
    for answer, expected, operands in (
        (operate(v, number), operate(v, Value(x)), (v, x)),
        (operate(number, v), operate(Value(x), v), (x, v)),
    ):
        assert type(answer) is Value
        assert answer.data == expected.data or math.isnan(expected.data)
        assert [*map(type, answer.operands)] == [*map(type, operands)]
        assert answer.operands == operands


@pytest.mark.parametrize("sign", [*SIGNS, "<", ">="])
@pytest.mark.parametrize("other", ["1", None, [1.0], 1j], ids=kind)
def test_operators_leave_other_types_to_python(sign, other):
    operate = {**SIGNS, "<": operator.lt, ">=": operator.ge}[sign]
    v = Value(2.0)
    for operands in ((v, other), (other, v)):
        with pytest.raises(
            TypeError, match=r"unsupported operand|not supported between|can't multiply|concatenate"
        ):
            operate(*operands)


@pytest.mark.parametrize(
    "method", ["__add__", "__rsub__", "__mul__", "__rtruediv__", "__pow__", "__eq__", "__lt__"]
)
def test_operators_answer_not_implemented_to_other_types(method):
    assert getattr(Value(1.0), method)("1") is NotImplemented


@pytest.mark.parametrize("sign", SIGNS)
def test_operators_broadcast_over_arrays_on_either_side(sign):
    v, array = Value(2.0), np.array([[1.0, 2.0], [3.0, 4.0]])
    for answer, expected in (
        (SIGNS[sign](v, array), SIGNS[sign](2.0, array)),
        (SIGNS[sign](array, v), SIGNS[sign](array, 2.0)),
    ):
        assert answer.dtype == object
        assert all(type(x) is Value for x in answer.flat)
        assert np.array(answer, dtype=float) == pytest.approx(expected)


def test_arrays_of_values_multiply_as_matrices():
    w = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(5.0), Value(6.0)])

    total = (w @ x).sum()
    total.backward()

    assert total.data == 56.0
    assert [v.grad for v in w.flat] == [5.0, 6.0, 5.0, 6.0]
    assert [v.grad for v in x] == [4.0, 6.0]


def test_pythons_sum_adds_values():
    values = [Value(1.0), Value(2.0), Value(3.0)]
    sum(values).backward()
    assert [v.grad for v in values] == [1.0, 1.0, 1.0]


def test_in_place_operators_make_a_new_node():
    a = Value(2.0)
    b = a
    b += 1.0
    b *= 3.0
    assert (a.data, b.data, b.operands[0].operands) == (2.0, 9.0, (a, 1.0))


def test_abs_plus_and_minus():
    v = Value(-2.0)
    assert (abs(v).data, (+v).data, (-v).data) == (2.0, -2.0, 2.0)


# Comparing and hashing


@pytest.mark.parametrize(
    "compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)
@pytest.mark.parametrize("b", [1.0, 2.0, 3.0, math.nan])
def test_comparisons_compare_data_and_give_a_plain_bool(compare, b):
    expected = compare(2.0, b)
    for x in (Value(2.0), 2.0):
        for y in (Value(b), b):
            assert compare(x, y) is expected


def test_values_compare_with_every_real_number():
    assert Value(0.5) == Fraction(1, 2)
    assert Value(0.5) < Decimal(1)
    assert np.float64(0.5) >= Value(0.5)
    assert Value(1.0) == True  # noqa: E712
    assert Value(1.0) != "1"
    assert (Value(1.0) == None) is False  # noqa: E711


def test_hashing_is_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == b
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[b] == "b"


def test_max_min_and_sorted_go_by_data():
    a, b = Value(3.0), Value(1.0)
    assert max(a, b) is a
    assert min(a, b) is b
    assert [*map(id, sorted([a, b]))] == [id(b), id(a)]


# As a number


def test_a_value_converts_like_its_data():
    v = Value(-2.75)
    assert (float(v), int(v), v.item(), bool(v), bool(Value(0.0))) == (
        -2.75,
        -2,
        -2.75,
        True,
        False,
    )
    assert (round(v), round(v, 1), f"{v:.1f}", f"{v:+e}") == (-3, -2.8, "-2.8", "-2.750000e+00")
    assert type(round(v)) is int
    assert (math.exp(v), math.floor(v), math.ceil(v)) == (math.exp(-2.75), -3, -2)
    assert np.array([v, 1.0], dtype=float).tolist() == [-2.75, 1.0]


def test_the_repr_shows_data_grad_and_label():
    v = Value(2, "w")
    v.grad = 0.5
    assert repr(v) == str(v) == f"{v}" == "Value(data=2.0, grad=0.5, label='w')"
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"


def test_methods_take_the_further_operands_of_their_function():
    assert Value(-2.0).leaky_relu(0.1).data == -0.2
    assert Value(-2.0).leaky_relu().data == -0.02
    assert Value(-1.0).elu(2.0).data == 2.0 * math.expm1(-1.0)


def test_functions_of_several_operands_are_no_methods():
    for name in ("hypot", "maximum", "where", "clip", "xlogy", "pow", "dot", "mean"):
        assert not hasattr(Value, name), name


# The graph


def test_operands_are_shown_as_called_with_repeats_and_floats():
    a = Value(3.0)
    assert (a + a).operands == (a, a)
    assert (2.0 - a).operands == (2.0, a)
    assert (2.0 - a).partials == (0.0, -1.0)
    assert where(True, a, 5.0).operands == (1.0, a, 5.0)
    assert relu(Value(-1.0)).partials == (0.0,)
    ws, xs = [Value(1.0), Value(2.0)], [3.0, 4.0]
    z = dot(ws, xs, a)
    assert z.operands == (*ws, *xs, a)
    assert z.partials == (3.0, 4.0, 0.0, 0.0, 1.0)


def test_setting_data_later_does_not_change_what_was_recorded():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    a.data, b.data = 100.0, 200.0
    c.backward()
    assert (c.data, a.grad, b.grad) == (6.0, 3.0, 2.0)


# no_grad and detach


EVERY_WAY = {
    "a + a": lambda a: a + a,
    "a + 3": lambda a: a + 3,
    "3 + a": lambda a: 3 + a,
    "a - a": lambda a: a - a,
    "a - 3": lambda a: a - 3,
    "3 - a": lambda a: 3 - a,
    "a * a": lambda a: a * a,
    "a * 3": lambda a: a * 3,
    "3 * a": lambda a: 3 * a,
    "a / a": lambda a: a / a,
    "a / 3": lambda a: a / 3,
    "3 / a": lambda a: 3 / a,
    "a ** a": lambda a: a**a,
    "a ** 3": lambda a: a**3,
    "3 ** a": lambda a: 3**a,
    "-a": operator.neg,
    "abs(a)": abs,
    "exp(a)": exp,
    "a.exp()": lambda a: a.exp(),
    "relu(a)": relu,
    "a.relu()": lambda a: a.relu(),
    "hypot(a, 3)": lambda a: hypot(a, 3),
    "where(True, a, 3)": lambda a: where(True, a, 3),
    "sum([a, 3])": lambda a: primitives.sum([a, 3]),
    "dot([a], [a], a)": lambda a: dot([a], [a], a),
    "dot([a], [3.0], a)": lambda a: dot([a], [3.0], a),
    "dot([3], [a])": lambda a: dot([3], [a]),
}
every_way = pytest.mark.parametrize("make", EVERY_WAY.values(), ids=EVERY_WAY)


@every_way
def test_no_grad_records_nothing(make):
    a = Value(2.0)
    recorded = make(a)
    with no_grad():
        v = make(a)
    assert type(v) is Value
    assert (v.primitive, v.edges, v.data) == (None, (), recorded.data)
    assert make(a).operands == recorded.operands != ()


def test_no_grad_nests_and_ends_with_an_exception():
    a = Value(2.0)
    block = no_grad()
    with block:
        with block, pytest.raises(KeyError), no_grad():
            raise KeyError
        assert (a * a).primitive is None
    assert (a * a).primitive is not None


def test_modes_are_per_thread():
    a = Value(0.0)
    inside, made = threading.Event(), []
    leave = threading.Event()

    def elsewhere():
        with no_grad(), detect_anomaly():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    inside.wait(10)
    made += [a * a, log(a), relu(a), -a, 2 * a, dot([a], [1.0], a)]
    leave.set()
    thread.join()

    assert all(v.operands for v in made)
    assert made[1].data == -math.inf


def test_modes_are_per_context():
    a = Value(2.0)
    context = copy_context()
    with no_grad():
        assert context.run(lambda: a * a).operands == (a, a)
        assert (a * a).operands == ()


def test_detach_stops_the_gradient():
    a = Value(3.0, "a")
    b = a.detach()
    (a * b).backward()
    assert (b.data, b.label, b.primitive, b.grad, a.grad) == (3.0, "a", None, 3.0, 3.0)
    assert b is not a


# detect_anomaly


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


def test_detect_anomaly_names_operation_operands_and_line_of_a_value():
    def make():
        x = Value(0.0, "x")
        return log(x * 1.0 + x)

    expected = rf"log gave -inf from 0\.0, at line {line_of(make, 2)} of {HERE}"
    with detect_anomaly(), pytest.raises(FloatingPointError, match=expected):
        make()


@every_way
def test_detect_anomaly_watches_every_way_to_make_a_node(make):
    name = make(Value(2.0)).primitive.name
    with detect_anomaly(), pytest.raises(FloatingPointError, match=f"^{name} gave nan .*{HERE}$"):
        make(Value(math.nan))


def test_detect_anomaly_names_the_operands_by_label():
    with (
        detect_anomaly(),
        pytest.raises(FloatingPointError, match=r"div gave nan from x = 0\.0, 0\.0, at"),
    ):
        Value(0.0, "x") / 0


def test_detect_anomaly_names_the_line_of_a_cotangent():
    def make():
        return sqrt(Value(0.0, "x"))

    with detect_anomaly():
        y = make()
        expected = (
            rf"the cotangent of x = 0\.0 through sqrt is inf, "
            r"having got inf \(cotangent 1\.0 x partial inf\), "
            rf"at line {line_of(make, 1)} of {HERE}"
        )
        with pytest.raises(FloatingPointError, match=expected):
            y.backward()


def test_detect_anomaly_leaves_gradients_alone_when_it_raises():
    x = Value(0.0)
    y = 3.0 * x + sqrt(x)
    x.grad = 7.0
    with detect_anomaly(), pytest.raises(FloatingPointError, match="a line outside detect_anomaly"):
        y.backward()
    assert (x.grad, y.grad) == (7.0, 0.0)


def test_detect_anomaly_lets_unselected_branches_be():
    x = Value(0.0)
    y = where(x > 0, x.reciprocal(), 2.0 * x)
    with detect_anomaly():
        y.backward()
    assert x.grad == 2.0


def test_detect_anomaly_changes_no_number():
    def run():
        a, b = Value(0.3), Value(-1.7)
        c = tanh(a * b + a / b) ** 2 + dot([a, b], [b, a], 0.5)
        c.backward()
        return c.data, a.grad, b.grad

    outside = run()
    with detect_anomaly():
        assert run() == outside


def test_nothing_raises_outside_detect_anomaly():
    y = log(Value(0.0))
    y.backward()
    assert y.data == -math.inf
    with detect_anomaly():
        pass
    assert (Value(1.0) / 0).data == math.inf


# Copies and pickles


def shape(root):
    """The graph as data: every node with its operands' positions."""
    nodes = graph(root)
    position = {node: i for i, node in enumerate(nodes)}
    return [
        (
            node.data,
            node.grad,
            node.label,
            node.primitive,
            [("node", position[x]) if isinstance(x, Value) else x for x in node.operands],
            node.partials,
            [p is None for p in node.edges],
        )
        for node in nodes
    ]


def small_graph():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    c = a * b + dot([a, b], [1.0, 2.0], 0.5)
    d = where(c > 0, c, b**2) - relu(c) + (c + c)
    d.label = "d"
    d.backward()
    return d


def through_pickle(x):
    return pickle.loads(pickle.dumps(x))


both = pytest.mark.parametrize("duplicate", [copy.deepcopy, through_pickle])


@both
def test_a_copy_is_the_same_graph_of_new_nodes(duplicate):
    root = small_graph()
    other = duplicate(root)
    assert shape(other) == shape(root)
    assert not {*graph(other)} & {*graph(root)}


@both
def test_a_copy_trains_on_its_own(duplicate):
    root = small_graph()
    before = [node.grad for node in graph(root)]
    other = duplicate(root)
    leaves = [node for node in graph(other) if node.primitive is None]
    for leaf in leaves:
        leaf.grad = 0.0
    other.backward()
    assert [leaf.grad for leaf in leaves] == [n.grad for n in graph(root) if n.primitive is None]
    assert [node.grad for node in graph(root)] == before


@both
def test_copies_keep_leaves_shared_between_roots(duplicate):
    a = Value(2.0)
    roots = [a, a * 3.0, a + 1.0]
    leaf, *others = duplicate(roots)
    assert all(root.operands[0] is leaf for root in others)
    assert leaf is not a


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_keeps_the_graph(protocol):
    root = small_graph()
    assert shape(pickle.loads(pickle.dumps(root, protocol))) == shape(root)


def test_deepcopy_keeps_interiors_shared_between_roots():
    shared = Value(2.0) * 3.0
    first, second = copy.deepcopy([shared + 1.0, shared * 2.0])
    assert first.operands[0] is second.operands[0]
    assert first.operands[0] is not shared


def test_copy_shares_the_operands():
    a = Value(2.0, "a")
    c = a * 3.0
    c.grad = 0.25
    other = copy.copy(c)
    assert other is not c
    assert (other.data, other.grad, other.label, other.primitive) == (6.0, 0.25, "", c.primitive)
    assert other.operands[0] is a


@both
def test_copies_go_to_any_depth(duplicate):
    _, end = chain()
    other = duplicate(end)
    nodes = graph(other)
    assert len(nodes) == DEEP + 1
    assert nodes[0].label == "leaf"
    assert cotangents(other)[nodes[0]] == 1.0


@both
def test_copies_of_containers_go_to_any_depth(duplicate):
    leaf, end = chain()
    model = duplicate({"w": leaf, "loss": end})
    model["loss"].backward()
    assert (model["w"].grad, leaf.grad) == (1.0, 0.0)


# How it goes


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_graph_is_freed_without_the_collector():
    a = Value(2.0)
    b = tanh(a) * dot([a, a], [1.0, 2.0], a) + a.relu() ** 2
    b.backward()
    interior = [weakref.ref(node) for node in graph(b) if node.primitive]
    assert all(r() is not None for r in interior)

    del b

    assert all(r() is None for r in interior)
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_collector")
def test_a_deep_graph_is_freed_without_recursion_or_collector():
    leaf, end = chain()
    last = weakref.ref(end.operands[0])
    end.backward()
    del end
    assert last() is None
    assert leaf.grad == 1.0


@pytest.mark.usefixtures("no_collector")
def test_detect_anomaly_keeps_nothing_alive():
    with detect_anomaly():
        a = Value(2.0)
        square = weakref.ref(a * a)
        assert square() is None


def test_values_can_be_referred_to_weakly():
    v = Value(1.0)
    assert weakref.ref(v)() is v


# What outlives its block, or ends out of order


def test_blocks_that_end_in_any_order_leave_recording_on():
    def generator():
        with no_grad():
            yield

    first, second = generator(), generator()
    next(first)
    next(second)
    first.close()
    second.close()
    assert hypot(Value(3.0), 4.0).partials == (0.6, 0.0)


def test_a_task_that_outlives_the_block_it_was_made_in_records():
    async def task():
        await asyncio.sleep(0)
        return hypot(Value(3.0), 4.0).partials

    async def main():
        with no_grad():
            made = asyncio.ensure_future(task())
        return await made

    assert asyncio.run(main()) == (0.6, 0.0)


def test_a_block_that_was_never_ended_counts_no_more_once_it_is_gone():
    block = no_grad()
    block.__enter__()
    assert hypot(Value(3.0), 4.0).partials == ()
    del block
    assert hypot(Value(3.0), 4.0).partials == (0.6, 0.0)


def test_one_block_serves_several_threads():
    block = no_grad()

    def work(_):
        with block:
            return [(Value(3.0) * 4.0).partials for _ in range(100)]

    with ThreadPoolExecutor(4) as pool:
        assert all(found == [()] * 100 for found in pool.map(work, range(8)))
    assert (Value(3.0) * 4.0).partials == (4.0, 0.0)


def test_a_pickle_keeps_partials_that_were_made_of_ints():
    a, b = Value(2.0), Value(5.0)
    a.data = 0
    copied = pickle.loads(pickle.dumps(a * b))
    assert (copied.partials, copied.data) == ((5.0, 0.0), 0.0)


def test_copies_of_a_subclass_are_of_the_subclass():
    class Weight(Value):
        pass

    weight = Weight(2.0)
    weight.decay = 0.5
    copied = copy.deepcopy(weight * 3.0)
    copied.backward()
    assert weight.grad == 0.0
    (twin, _) = copied.operands
    assert (type(twin), twin.decay, twin.grad) == (Weight, 0.5, 3.0)


def test_detect_anomaly_sees_a_total_that_overflows():
    x = Value(0.0, "x")
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"cotangent of x = 0.0 .* inf"):
        (x * 1e308 + x * 1e308).backward()


def test_a_grad_that_is_no_number_is_named_and_nothing_changes():
    a, b = Value(1.0, "a"), Value(1.0, "b")
    a.grad = None
    with pytest.raises(TypeError, match=r"a.grad is None, not a number: set it to 0.0"):
        (a * b).backward()
    assert b.grad == 0.0


def test_a_label_is_a_string():
    with pytest.raises(TypeError, match="expected a string as label, got int 5"):
        Value(1.0, 5)


def test_detect_anomaly_sees_the_cotangent_that_a_sweep_starts_with():
    x = Value(1.0, "x")
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"of x = 1.0 got inf"):
        x.backward(math.inf)
    assert x.grad == 0.0
