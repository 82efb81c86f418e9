"""The reverse sweep: what it adds, what it leaves alone, and that nothing disturbs it."""

from __future__ import annotations

import contextlib
import math
import os
import random
import re
import signal
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest

from autograd import (
    Value,
    backward_steps,
    clip,
    dot,
    exp,
    log,
    logsumexp,
    maximum,
    minimum,
    norm,
    relu,
    tanh,
    where,
)
from autograd.backward import cotangents, graph, topological_order
from autograd.primitives import TABLE, times

inf, nan = math.inf, math.nan


OPERATIONS = [
    lambda a, _, c: a * 0.5 - c,
    lambda a, b, _: tanh(a) * b,
    lambda a, b, _: relu(a - b),
    lambda a, b, _: maximum(a, b) + a,
    lambda a, b, c: where(a < b, a, c) * 0.5,
    lambda a, b, c: dot([a, b], [c, a], b) * 0.25,
    lambda *xs: logsumexp(xs),
    lambda a, b, _: a / (b * b + 1.0),
]


def random_graph(rng, size=60):
    """Leaves, and a root over `size` random operations whose operands are shared."""
    leaves = [Value(rng.uniform(0.5, 2.0), f"x{i}") for i in range(5)]
    nodes = list(leaves)
    for _ in range(size):
        nodes.append(rng.choice(OPERATIONS)(*rng.choices(nodes[-12:], k=3)))
    return leaves, sum(nodes[-6:])


def gradient(root, leaves):
    for leaf in leaves:
        leaf.grad = 0.0
    root.backward()
    return [leaf.grad for leaf in leaves]


# The order


@pytest.mark.parametrize("seed", range(20))
def test_the_order_has_every_node_once_operands_before_users_and_unselected_branches_too(seed):
    _, root = random_graph(random.Random(seed))
    order = topological_order(root)
    assert len(order) == len({*order})
    assert {*order} == {*graph(root)}
    place = {node: i for i, node in enumerate(order)}
    for node in order:
        assert all(place[x] < place[node] for x in node.operands if isinstance(x, Value))


def test_a_branch_is_in_the_order_on_whichever_side_it_was_not_selected():
    low, high = Value(1.0) * 2.0, Value(5.0) * 2.0
    for root in (maximum(low, high), maximum(high, low), where(True, high, low)):
        assert {*topological_order(root)} == {*graph(root)}
        assert low in {*topological_order(root)}


def test_a_graph_is_not_looked_at_below_the_nodes_it_ends_at():
    a = Value(2.0)
    b = a * 3.0
    c = b * 5.0
    assert graph(c, above={b}) == [b, c]
    assert graph(c + a, above={b})[:2] == [b, c]
    assert graph(c, above={c}) == [c]


# What is added


@pytest.mark.parametrize("k", [1, 2, 5])
def test_k_backward_calls_give_k_times_the_gradient(k):
    leaves, root = random_graph(random.Random(k))
    once = gradient(root, leaves)
    leaves_again, root_again = random_graph(random.Random(k))
    for _ in range(k):
        root_again.backward()
    assert [x.grad for x in leaves_again] == pytest.approx([k * g for g in once], rel=1e-14)


def test_roots_that_share_nodes_add_up():
    a = Value(3.0)
    shared = a * a
    (2.0 * shared).backward()
    (shared * shared).backward()
    assert a.grad == 2 * 6 + 4 * 27


def test_a_root_may_be_inside_another_graph():
    a = Value(3.0)
    inner = a * a
    outer = 5.0 * inner
    inner.backward()
    outer.backward()
    inner.backward()
    assert a.grad == 6.0 + 30.0 + 6.0


def test_an_operand_used_twice_gets_both_contributions():
    a = Value(3.0)
    (a + a).backward()
    assert a.grad == 2.0
    (a * a - a).backward()
    assert a.grad == 2.0 + 5.0


def test_a_diamond_of_2_to_the_200_paths_is_swept_once():
    a = Value(1.0)
    x = a
    for _ in range(200):
        x = x + x
    x.backward()
    assert a.grad == 2.0**200
    assert len([*backward_steps(x)]) == 200


def test_a_leaf_is_its_own_root():
    a = Value(3.0)
    a.backward()
    a.backward(0.5)
    assert a.grad == 1.5


@pytest.mark.parametrize("cotangent", [2, -0.5, True, Fraction(1, 4), np.float32(3.0)])
def test_the_cotangent_scales_the_gradient(cotangent):
    a = Value(3.0)
    root = a * a
    root.backward(cotangent)
    assert (a.grad, root.grad) == (6.0 * float(cotangent), float(cotangent))
    assert type(root.grad) is float


def test_the_grad_of_a_computed_node_is_what_the_last_sweep_gave_it():
    a = Value(3.0)
    b = a * a
    c = 5.0 * b
    for _ in range(3):
        c.backward()
        assert (b.grad, c.grad) == (5.0, 1.0)
    b.backward()
    assert b.grad == 1.0


def test_grad_can_be_set_between_sweeps():
    a = Value(3.0)
    b = a * a
    b.backward()
    a.grad = 0.0
    b.backward()
    assert a.grad == 6.0


def test_data_changed_between_sweeps_changes_no_recorded_gradient():
    a, b = Value(3.0), Value(4.0)
    c = a * b
    first = gradient(c, [a, b])
    a.data, c.data, b.data = nan, 7.0, inf
    assert gradient(c, [a, b]) == first == [4.0, 3.0]


def test_a_graph_may_grow_after_a_sweep():
    a = Value(2.0)
    b = a * a
    b.backward()
    (b * a).backward()
    assert a.grad == 4.0 + 12.0


def test_a_chain_of_100_000_nodes_needs_no_recursion():
    a = b = Value(1.0)
    for _ in range(100_000):
        b = b + a
    b.backward()
    assert (a.grad, b.data) == (100_001.0, 100_001.0)


def test_a_node_of_100_000_operands_is_swept():
    xs = [Value(1.0) for _ in range(100_000)]
    (norm(xs) + dot(xs, xs)).backward()
    assert {x.grad for x in xs} == {2.0 + 1.0 / math.sqrt(100_000)}


# Order and steps


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("nodes_of", [topological_order, graph])
def test_an_order_has_every_node_once_and_operands_before_users(nodes_of, seed):
    _, root = random_graph(random.Random(seed))
    nodes = nodes_of(root)
    place = {node: i for i, node in enumerate(nodes)}
    assert len(place) == len(nodes)
    assert nodes[-1] is root
    used = {x for node in nodes for x in node.operands if isinstance(x, Value)}
    assert used | {root} == {*nodes}
    assert all(place[x] < place[node] for node in nodes for x in node.operands if x in used)


@pytest.mark.parametrize("seed", range(5))
def test_cotangents_are_of_every_node_that_something_flows_to(seed):
    _, root = random_graph(random.Random(seed))
    flows_to = {root}
    for node in reversed(topological_order(root)):
        if node in flows_to:
            pairs = zip(node.operands, node.edges[len(node.operands) :], strict=True)
            flows_to |= {x for x, partial in pairs if partial is not None}
    assert flows_to == {*cotangents(root)}


def test_the_order_does_not_depend_on_what_is_selected():
    def places(a, b):
        """Where the nodes stand that make maximum(f(a), g(a, b)) and more of it."""
        nodes = [Value(a), Value(b)]
        nodes += [tanh(nodes[0]), nodes[0] * nodes[1]]
        nodes += [maximum(nodes[2], nodes[3]), relu(nodes[3] - nodes[2])]
        nodes += [nodes[4] + nodes[5] * nodes[2], where(b > 0.0, nodes[3], nodes[4])]
        order = topological_order(nodes[6] * nodes[7] + nodes[2])
        place = {node: i for i, node in enumerate(order)}
        return [place[node] for node in nodes]

    assert places(1.0, 2.0) == places(1.0, -2.0) == places(1.0, 0.0)


def test_a_node_whose_cotangent_is_minus_zero_is_reached():
    a = Value(0.0)
    b = log(a)
    for totals in (cotangents(0.0 * b, -1.0), cotangents(1.0 * b, -0.0)):
        assert math.copysign(1.0, totals[b]) == -1.0
        assert math.isnan(totals[a])


def test_the_order_and_the_graph_of_a_leaf_are_itself():
    a = Value(1.0)
    assert topological_order(a) == graph(a) == [a]
    assert cotangents(a, 3.0) == {a: 3.0}
    assert [*backward_steps(a)] == []


@pytest.mark.parametrize("seed", range(5))
def test_the_steps_are_the_sweep_to_the_last_bit(seed):
    _, root = random_graph(random.Random(seed))
    steps = [*backward_steps(root, 0.75)]
    expected = cotangents(root, 0.75)

    totals = {root: 0.75}
    for step in steps:
        assert step.cotangent == totals[step.node] == expected[step.node]
        for operand, partial, contribution, total in step.contributions:
            assert contribution == step.cotangent * partial
            totals[operand] = totals.get(operand, 0.0) + contribution
            assert total == totals[operand]
    assert totals == expected
    computed = [node for node in topological_order(root) if node.primitive and node in expected]
    assert [step.node for step in reversed(steps)] == computed


def test_a_step_shows_each_edge_with_partial_contribution_and_total():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    root = a * b + a
    first, second = backward_steps(root)
    product = root.operands[0]
    assert (first.node, first.cotangent) == (root, 1.0)
    assert first.contributions == [(product, 1.0, 1.0, 1.0), (a, 1.0, 1.0, 1.0)]
    assert second.contributions == [(a, 3.0, 3.0, 4.0), (b, 2.0, 2.0, 2.0)]
    assert repr(first) == f"Step({root!r}, cotangent=1.0, 2 edges)"


@pytest.mark.parametrize("sweep", [cotangents, lambda root: [*backward_steps(root)]])
def test_looking_at_the_sweep_touches_no_grad(sweep):
    _, root = random_graph(random.Random(1))
    for node in graph(root):
        node.grad = 0.125
    sweep(root)
    assert {node.grad for node in graph(root)} == {0.125}


# What was not selected


def infinite(x):
    return exp(800.0 * x)  # inf, and so is its derivative


UNSELECTED = {
    "where": lambda x: where(x > 0, x, infinite(x)),
    "where not": lambda x: where(x < 0, infinite(x), x),
    "where nan": lambda x: where(x > 0, x, log(-x)),
    "where with an infinite partial": lambda x: where(x > 0, x, (x - 1.0) ** 0.5),
    "maximum": lambda x: maximum(-infinite(x), x),
    "minimum": lambda x: minimum(x, infinite(x)),
    "clip": lambda x: clip(x, -infinite(x), infinite(x)),
    "relu": lambda x: x + relu(-infinite(x)),
    "times": lambda x: x + times(0.0, infinite(x)),
    "nested": lambda x: where(x > 0, maximum(x, -infinite(x)), where(x > 0, infinite(x), -x)),
}


@pytest.mark.parametrize("function", UNSELECTED.values(), ids=UNSELECTED)
def test_an_unselected_branch_contributes_nothing(function):
    x = Value(1.0)
    y = function(x)
    y.backward()
    assert (y.data, x.grad) == (1.0, 1.0)


@pytest.mark.parametrize("hidden", [inf, -inf, nan])
def test_an_infinite_branch_that_was_not_selected_is_not_reached(hidden):
    x, bad = Value(1.0), Value(hidden)
    y = where(False, bad * bad, x)
    y.backward()
    assert (y.data, x.grad, bad.grad) == (1.0, 1.0, 0.0)
    assert bad not in cotangents(y)


def test_these_rows_select():
    names = {row.name for row in TABLE.values() if row.selects}
    assert names == {"where", "maximum", "minimum", "clip", "relu", "times"}


def test_elsewhere_0_times_inf_is_nan():
    x = Value(0.0)
    (0.0 * log(x)).backward()
    assert math.isnan(x.grad)
    y = Value(inf)
    (y * 0.0 + y).backward()
    assert y.grad == 1.0
    (Value(0.0) * tanh(y) * inf).backward()
    assert math.isnan(y.grad)


# Nothing disturbs it


def disturbed(line, disturb):
    """The gradients of a small graph if `disturb(root)` is called before one line of its sweep.

    Lines are counted as they run; with them comes whether there are so many.
    """
    leaves, root = random_graph(random.Random(7), size=6)
    for leaf in leaves:
        leaf.grad = 0.125
    count = 0

    def trace(frame, event, _argument):
        nonlocal count
        if frame.f_globals["__name__"] not in {"autograd.value", "autograd.backward"}:
            return None
        if event == "line":
            count += 1
            if count == line:
                disturb(root)
        return trace

    sys.settrace(trace)
    try:
        root.backward()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return count >= line, [
        node.grad for node in (*leaves, *(n for n in graph(root) if n.primitive))
    ]


def interrupt(*_):
    raise KeyboardInterrupt


def test_an_interrupt_at_any_line_leaves_all_gradients_or_none():
    _, before = disturbed(1, interrupt)
    _, after = disturbed(inf, interrupt)
    outcomes = [disturbed(1, interrupt)]
    while outcomes[-1][0]:
        outcomes.append(disturbed(len(outcomes) + 1, interrupt))
    assert len(outcomes) > 100
    assert {tuple(grads) for _, grads in outcomes} == {tuple(before), tuple(after)}


def test_another_sweep_at_any_line_loses_nothing():
    """As a thread would come in between, at every place where it may, in turn."""
    _, once = disturbed(inf, interrupt)
    twice = [0.125 + 2 * (g - 0.125) for g in once[:5]] + once[5:]  # the leaves come first
    count = 0
    while True:
        count += 1
        reached, grads = disturbed(count, Value.backward)
        if not reached:
            break
        assert grads == pytest.approx(twice, rel=1e-14, abs=1e-15), count
    assert count > 100


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no interval timer")
def test_a_signal_during_the_sweep_leaves_all_gradients_or_none():
    leaves = [Value(float(i)) for i in range(3000)]
    root = dot(leaves, leaves) + sum(leaf * 2.0 for leaf in leaves)

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        for delay in range(1, 60):
            for leaf in leaves:
                leaf.grad = 0.0
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, delay * 1e-4)
                root.backward()
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            touched = {leaf.grad == 2.0 * leaf.data + 2.0 for leaf in leaves}
            assert touched in ({True}, {False})
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_threads_that_add_to_shared_leaves_lose_nothing():
    leaves = [Value(1.0) for _ in range(50)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work():
        for _ in range(100):
            dot(leaves, [1.0] * len(leaves), Value(0.0)).backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert {leaf.grad for leaf in leaves} == {400.0}


SCRIPT = """
import math, random
from autograd import *
rng = random.Random(3)
xs = [Value(rng.gauss(0, 1), f"x{i}") for i in range(30)]
ys = [tanh(dot(rng.choices(xs, k=8), rng.choices(xs, k=8), rng.choice(xs))) for _ in range(30)]
loss = logsumexp(ys) + norm(ys) + sum(softmax(ys[:5])[1:3]) + xs[0] * ys[3] / (xs[1] ** 2 + 1)
loss.backward()
print(loss.data.hex(), *(x.grad.hex() for x in xs + ys))
"""


def test_results_are_bit_identical_for_every_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2", "random")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 61


@pytest.mark.parametrize("seed", range(3))
def test_results_are_bit_identical_from_run_to_run(seed):
    runs = []
    for _ in range(2):
        leaves, root = random_graph(random.Random(seed))
        runs.append([root.data, *gradient(root, leaves)])
    assert runs[0] == runs[1]


# Wrong types


@pytest.mark.parametrize("wrong", ["1", None, [1.0], 1j])
def test_a_cotangent_that_is_no_number_is_named(wrong):
    a = Value(1.0)
    with pytest.raises(
        TypeError, match=rf"backward\(cotangent\): expected a number, got {type(wrong).__name__}"
    ):
        a.backward(wrong)
    assert a.grad == 0.0


@pytest.mark.parametrize("wrong", [None, "1", [0.0]], ids=lambda x: type(x).__name__)
def test_a_grad_that_is_no_number_is_named_and_no_other_changes(wrong):
    a, b = Value(2.0, "a"), Value(3.0, "b")
    b.grad = wrong
    with pytest.raises(TypeError, match=rf"b\.grad is {re.escape(repr(wrong))}, not a number"):
        (a * b).backward()
    assert (a.grad, b.grad) == (0.0, wrong)


@pytest.mark.parametrize("wrong", [1.0, "x", None, [Value(1.0)]], ids=lambda x: type(x).__name__)
def test_a_root_that_is_no_value_is_named(wrong):
    expected = rf"backward_steps\(root\): expected a Value, got {type(wrong).__name__}"
    with pytest.raises(TypeError, match=expected):
        [*backward_steps(wrong)]
