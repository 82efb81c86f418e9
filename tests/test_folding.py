"""Folding: every node stands in one box, every edge in one arrow, and few boxes stand for many."""

import math
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from autograd import Value, dot, logsumexp, mean, norm, relu, tanh, where
from autograd.draw import draw
from autograd.draw.folding import FARTHEST, FEW, MOST, UNFOLDED, _common_label, view_of
from autograd.draw.graph import Edge, Graph, Node, graph_of, number
from nn import MLP, hinge

LABELS = [
    *("", "", "x", "x1", "x22", "x*", "x٣", "x²", "3", "..", "a.b.c", "0.0.0", "x*.y", "a.\nb.c"),
    *("layers.0", "layers.0.weights.1", "layers.0.weights.*", "layers.1.neurons.0.bias"),
    *("layers.1.neurons.0.weights.٣", "٣.weights.²", "layers.1.neurons.10.bias", "loss", "a.b"),
]


def tangle(seed, steps, reach):
    """A graph of random operations on values labelled at random, old ones or the last few."""
    random = Random(seed)
    values = [Value(random.gauss(0, 1), random.choice(LABELS)) for _ in range(8)]
    for _ in range(steps):
        a, b, c = (random.choice(values[-reach:]) for _ in range(3))
        one = Value(random.gauss(0, 1), random.choice(LABELS))
        values.append(
            random.choice(
                [
                    lambda a=a, b=b: a + b,
                    lambda a=a, b=b: a - b,
                    lambda a=a, b=b: 0.5 * a * tanh(b),
                    lambda a=a: tanh(a),
                    lambda a=a, one=one: a + one,
                    lambda a=a, b=b, c=c, one=one: dot([a, b, one], [c, a, 2.0], b),
                    lambda a=a, b=b, c=c: where(a > b, relu(c), a),
                ]
            )()
        )
        values[-1].label = random.choice(["", "", "", *LABELS])
    return values[-1]


def recurrent(steps):
    """A state that is computed from itself by the same three weights again and again."""
    w, u, b = Value(0.9, "w"), Value(0.3, "u"), Value(0.1, "b")
    h = Value(0.0, "h0")
    for i in range(steps):
        h = (w * h + u * Value(math.sin(i), f"x{i}") + b).tanh()
    return h


def losses(model, samples):
    return [hinge(model([math.sin(i), math.cos(i)]), (-1) ** i) for i in range(samples)]


def loss(sizes, samples):
    """A network's mean loss of several samples, with a penalty on the weights that they share."""
    model = MLP(2, sizes)
    penalty = sum(w * w for w in model.parameters())
    total = sum(losses(model, samples)) / samples + 1e-4 * penalty
    total.label = "loss"
    return total


def chain(size, start="x"):
    x = Value(1.0, start)
    for _ in range(size - 1):
        x = x * 0.5
    return x


def alternating(size):
    x = Value(1.0)
    for i in range(size - 1):
        x = tanh(x) if i % 2 else x * 0.5
    return x


def wide(leaves):
    return dot([Value(float(i), f"x{i}") for i in range(leaves)], [0.5] * leaves)


def hub(size):
    """Two values that ever further ones are computed from, so that folds would make a ring."""
    a = b = Value(0.1, "a")
    for i in range(size // 7):
        a, b = 0.5 * tanh(b) + 0.5 * a, b * tanh(a + Value(float(i)))
    return a * b


tangles = st.builds(tangle, st.integers(0, 10**6), st.integers(0, 300), st.integers(1, 400))
structured = st.one_of(
    st.builds(recurrent, st.integers(0, 60)),
    st.builds(loss, st.sampled_from([[1], [2, 1], [16, 16, 1]]), st.integers(1, 5)),
    st.builds(chain, st.integers(1, 200), st.sampled_from(LABELS)),
    st.builds(alternating, st.integers(1, 200)),
    st.builds(wide, st.integers(1, 200)),
    st.builds(hub, st.integers(1, 200)),
)
roots = tangles | structured
depths = st.none() | st.integers(0, 12)


def check(graph, view):
    """The laws of every picture."""
    shown = [node for box in view.boxes for node in box.nodes]
    assert Counter(shown) == Counter(graph.nodes)
    box_of = {node.name: box.name for box in view.boxes for node in box.nodes}
    within = [edge for edge in graph.edges if box_of[edge.operand] == box_of[edge.result]]
    shown = [edge for arrow in view.arrows for edge in arrow.edges]
    assert Counter(shown) + Counter(within) == Counter(graph.edges)
    for arrow in view.arrows:
        for edge in arrow.edges:
            assert box_of[edge.operand] == arrow.operand.name
            assert box_of[edge.result] == arrow.result.name
    place = {box.name: i for i, box in enumerate(view.boxes)}
    assert len(place) == len(view.boxes)
    assert all(place[arrow.operand.name] < place[arrow.result.name] for arrow in view.arrows)
    for box in view.boxes:
        used = {arrow.operand.name for arrow in view.arrows if arrow.result.name == box.name}
        assert {operand for operand in box.operands if isinstance(operand, str)} == used
    assert view.boxes[-1].nodes == graph.nodes[-1:]
    few, many = len(view.boxes), len(graph.nodes)
    assert view.folding == ("" if few == many else f"folded {many:,} → {few:,} nodes")


# What every picture holds -------------------------------------------------------------------------


@settings(max_examples=200)
@given(roots, depths)
def test_every_node_is_in_one_box_every_edge_in_one_arrow_and_no_arrow_points_back(root, depth):
    graph = graph_of(root)
    check(graph, view_of(graph, depth))


@settings(max_examples=100)
@given(roots, depths)
def test_a_picture_has_at_most_fifty_boxes(root, depth):
    assert len(view_of(graph_of(root), depth).boxes) <= UNFOLDED == 50


@given(roots)
def test_a_graph_of_fifty_nodes_is_not_folded_and_a_larger_one_to_few(root):
    graph = graph_of(root)
    view = view_of(graph)
    if len(graph.nodes) <= UNFOLDED:
        assert [box.nodes for box in view.boxes] == [(node,) for node in graph.nodes]
    else:
        assert len(view.boxes) <= FEW


@pytest.mark.parametrize("size", [UNFOLDED, UNFOLDED + 1])
def test_folding_starts_above_fifty_nodes(size):
    view = view_of(graph_of(chain(size)))
    assert view.folding == ("" if size == UNFOLDED else "folded 51 → 3 nodes")


@given(roots)
def test_fold_false_shows_every_node_or_refuses_in_one_line(root):
    graph = graph_of(root)
    many, ranks = len(graph.nodes), ranks_across(graph)
    if many <= MOST and ranks <= FARTHEST:
        view = view_of(graph, fold=False)
        check(graph, view)
        assert len(view.boxes) == many
    else:
        reason = f"{many:,} boxes are too many" if many > MOST else f"the arrows span {ranks:,} "
        with pytest.raises(ValueError, match=rf"^{reason}.*depth="):
            view_of(graph, fold=False)


def ranks_across(graph):
    """How many ranks the arrows span where every node stands as near to the output as it can."""
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    rank = dict.fromkeys(place, 0)
    pairs = {(edge.result, edge.operand) for edge in graph.edges}
    for result, operand in sorted(pairs, key=lambda pair: -place[pair[0]]):
        rank[operand] = max(rank[operand], rank[result] + 1)
    return sum(rank[operand] - rank[result] for result, operand in pairs)


def dense(size):
    """Each value is computed from all before it, in ways that are not alike."""
    values = [Value(0.5, "x"), Value(0.3, "y")]
    for i in range(size):
        values.append([norm, mean, logsumexp][i * i % 7 % 3](values))
    return values[-1]


@pytest.mark.parametrize("size", [10, 25, 40, 48, 60, 300])
def test_arrows_too_long_to_be_laid_out_are_folded(size):
    graph = graph_of(dense(size))
    view = view_of(graph)
    check(graph, view)
    assert len(view.boxes) == size + 2 or 10 <= len(view.boxes) <= FEW
    nodes = [Node(box.name, *"   ", (), 0.0, 0.0) for box in view.boxes]
    edges = [Edge(arrow.operand.name, arrow.result.name, 0, 0.0, 0.0) for arrow in view.arrows]
    assert ranks_across(Graph(nodes, edges)) <= FARTHEST


def test_fold_false_refuses_arrows_that_take_minutes_to_lay_out():
    x = y = Value(0.5, "x")
    for _ in range(200):
        y = y * x
    with pytest.raises(ValueError, match=r"^the arrows span 20,299 ranks, at most 2,000 .*fold=T"):
        draw(y, fold=False)


def test_fold_false_refuses_what_no_one_could_read():
    with pytest.raises(ValueError, match="601 boxes are too many to lay out, at most 600: draw"):
        draw(chain(601), fold=False)
    assert len(draw(chain(600), fold=False).picture.view.boxes) == 600


@pytest.mark.parametrize(
    ("root", "boxes"),
    [
        (sum(Value(float(i), f"x{i}") for i in range(10_000)), 4),
        (sum(Value(float(i)) for i in range(10_000)), 4),
        (wide(10_000), 2),
        (chain(100_000), 3),
        (alternating(20_000), FEW),
        (hub(20_000), FEW),
    ],
    ids=["sum", "sum of constants", "dot", "chain", "alternating", "hub"],
)
def test_a_huge_graph_is_a_small_picture(root, boxes):
    drawing = draw(root)
    view = drawing.picture.view
    check(graph_of(root), view)
    assert len(view.boxes) <= boxes
    assert view.folding in drawing.svg
    assert view.folding in str(drawing)


# Depth --------------------------------------------------------------------------------------------


def distances(graph):
    """The number of edges on the longest way from each node to the output."""
    longest = {node.name: 0 for node in graph.nodes}
    for edge in reversed(graph.edges):
        longest[edge.operand] = max(longest[edge.operand], longest[edge.result] + 1)
    return longest


@settings(max_examples=200)
@given(roots, st.integers(0, 12))
def test_depth_shows_what_is_near_and_one_box_for_each_part_beyond_that_hangs_together(root, depth):
    graph = graph_of(root)
    longest = distances(graph)
    near = [node.name for node in graph.nodes if longest[node.name] <= depth]
    far = {node.name: i for i, node in enumerate(n for n in graph.nodes if n.name not in {*near})}
    pairs = [
        (far[edge.operand], far[edge.result])
        for edge in graph.edges
        if edge.operand in far and edge.result in far
    ]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    links = coo_array(([1] * len(pairs), (rows, columns)), shape=(len(far), len(far)))
    count, part_of = connected_components(links, directed=False) if far else (0, [])
    parts = [{name for name, i in far.items() if part_of[i] == part} for part in range(count)]
    if len(near) + count <= MOST:
        view = view_of(graph, depth, fold=False)
        check(graph, view)
        boxes = [{node.name for node in box.nodes} for box in view.boxes]
        assert sorted(map(sorted, boxes)) == sorted(map(sorted, [*({x} for x in near), *parts]))


def test_depth_zero_is_the_output_and_one_box_or_two():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    view = draw(a * b, depth=0).picture.view
    assert [(box.label, box.operation) for box in view.boxes] == [("a", ""), ("b", ""), ("", "mul")]
    view = draw((a + b) * (a - b), depth=0).picture.view
    assert [len(box.nodes) for box in view.boxes] == [4, 1]
    assert view.folding == "folded 5 → 2 nodes"


def test_no_depth_beyond_the_graph_changes_anything():
    root = recurrent(5)
    assert draw(root, depth=10**30).dot == draw(root).dot


# What is alike ------------------------------------------------------------------------------------


def boxes_of(root, **arguments):
    view = draw(root, **arguments).picture.view
    return [(box.label, box.operation, len(box.nodes)) for box in view.boxes]


def test_the_neurons_of_a_layer_and_the_samples_of_a_batch_are_one_box():
    boxes = boxes_of(loss([16, 16, 1], samples=3))
    assert [box for box in boxes if box[0]] == [
        ("layers.2.neurons.0.weights.*", "", 16),
        ("layers.1.neurons.*.weights.*", "", 256),
        ("layers.0.neurons.*.weights.*", "", 32),
        ("layers.0.neurons.*.bias", "", 16),
        ("layers.1.neurons.*.bias", "", 16),
        ("layers.2.neurons.0.bias", "", 1),
        ("layers.0.neurons.*", "dot", 48),
        ("layers.0.neurons.*", "relu", 48),
        ("layers.1.neurons.*", "dot", 48),
        ("layers.1.neurons.*", "relu", 48),
        ("layers.2.neurons.0", "dot", 3),
        ("loss", "add", 1),
    ]


def test_a_sum_is_one_box_whatever_its_terms_and_the_output_another():
    boxes = boxes_of(loss([16, 16, 1], samples=3))
    assert [count for _, operation, count in boxes if operation == "add"] == [337, 3, 1]
    assert boxes_of(sum(Value(float(i), f"x{i}") ** 2 for i in range(100))) == [
        ("x*", "", 100),
        ("", "pow", 100),
        ("", "add", 99),
        ("", "add", 1),
    ]


def test_weights_are_folded_by_neuron_before_neurons_are():
    model = MLP(5, [8], activation="tanh")
    boxes = boxes_of(sum(model([1.0] * 5)))
    assert [box for box in boxes if "weights" in box[0]] == [
        (f"layers.0.neurons.{i}.weights.*", "", 5) for i in range(8)
    ]


def test_what_is_computed_from_a_fold_is_not_in_it():
    """Steps of a recurrence are alike but follow each other, so they stay apart."""
    boxes = boxes_of(recurrent(60))
    assert boxes[-1] == ("", "tanh", 1)
    assert len([box for box in boxes if box[1] == "tanh"]) > 5


@pytest.mark.parametrize(
    ("labels", "common"),
    [
        (["x1", "x2"], "x*"),
        (["layers.0.neurons.1.bias", "layers.0.neurons.22.bias"], "layers.0.neurons.*.bias"),
        (["w.1.x.1", "w.2.x.1"], "w.*.x.1"),
        (["1.2", "3.4"], "*.*"),
        (["x٣", "x4"], "x*"),
        (["x²", "x2"], ""),  # a digit, but no number
        (["x*", "x1"], ""),
        (["a", "b"], ""),
        (["a", ""], ""),
        (["same 7", "same 7"], "same 7"),
    ],
)
def test_numbers_in_labels_become_stars_where_they_differ(labels, common):
    assert _common_label(labels) == common


@given(roots)
def test_the_label_of_a_box_fits_the_label_of_each_of_its_nodes(root):
    for box in draw(root).picture.view.boxes:
        pattern = r"(\d+|\*)".join(map(re.escape, box.label.split("*")))
        fits = [re.fullmatch(pattern, node.label) for node in box.nodes]
        assert all(fits) or not box.label


# What a box says ----------------------------------------------------------------------------------


@given(structured)
def test_a_folded_box_prints_the_least_and_the_greatest_of_its_numbers(root):
    drawing = draw(root)
    for box, line in zip(drawing.picture.view.boxes, str(drawing).splitlines()[1:], strict=False):
        for numbers in ([x.value for x in box.nodes], [x.gradient for x in box.nodes]):
            known = sorted(x for x in numbers if x is not None)
            ends = [number(x) for x in known[:1] + known[-1:]] or ["·"]
            assert " … ".join(dict.fromkeys(ends)) in line
        assert (f"({len(box.nodes):,})" in line) == (len(box.nodes) > 1)


def test_nan_and_what_is_not_reached_are_neither_least_nor_greatest():
    xs = [Value(x, f"x{i}") for i, x in enumerate([math.nan, -math.inf, 2.0, 1.0, math.nan])]
    selected, other = dot(xs, [0.5] * 5), dot(xs, [3.0] * 5)
    drawing = draw(where(Value(1.0, "condition"), selected, other), depth=0)
    (row,) = [line for line in str(drawing).splitlines() if line.startswith("f0")]
    assert row.split() == ["f0", "(7)", "-inf", "…", "2", "…", "nan", "0.5", "…", "1"]


def test_parameters_and_neurons_stand_within_their_modules():
    (root,) = losses(MLP(2, [2, 1]), samples=1)
    view = draw(root).picture.view
    assert {*view.modules} == {
        *("layers.0", "layers.0.neurons.0", "layers.0.neurons.1"),
        *("layers.1", "layers.1.neurons.0"),
    }
    within = [(box.modules[-1], box.short, box.operation) for box in view.boxes if box.modules]
    for neuron in ("layers.0.neurons.0", "layers.0.neurons.1", "layers.1.neurons.0"):
        assert {(short, operation) for module, short, operation in within if module == neuron} >= {
            *(("weights.0", ""), ("weights.1", ""), ("bias", ""), ("", "dot")),
        }


def test_a_folded_layer_stands_within_its_layer():
    (root,) = losses(MLP(2, [16, 16, 1]), samples=1)
    boxes = [box for box in draw(root).picture.view.boxes if box.label.startswith("layers.1")]
    assert [(box.modules, box.short, box.operation) for box in boxes] == [
        (("layers.1",), "neurons.*.weights.*", ""),
        (("layers.1",), "neurons.*.bias", ""),
        (("layers.1",), "neurons.*", "dot"),
        (("layers.1",), "neurons.*", "relu"),
    ]


@pytest.mark.parametrize(
    "label", ["..", "0.0.0", "3.14", "a.", ".a", "a b.c", "a.\nb.c", "a." * 9**5]
)
def test_a_label_that_is_no_path_names_no_module(label):
    assert draw(Value(1.0, label) * 2).picture.view.modules == []


def test_a_picture_is_folded_alike_for_every_hash_seed():
    program = """
from test_folding import *
for root in (tangle(1, 300, 8), tangle(2, 300, 400), loss([16, 16, 1], 3), hub(200)):
    print(draw(root).dot, draw(root, depth=5), draw(root, depth=5).dot)
"""
    pictures = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(pictures) == 1
    assert b"folded" in pictures.pop()
