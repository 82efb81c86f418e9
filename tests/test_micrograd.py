"""Programs written for micrograd run here with nothing changed but their import lines."""

import random
import re
from importlib import metadata

import micrograd.engine
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_moons

import autograd
import nn


def readme_example():
    """The first example of micrograd's README, as its package carries it."""
    example = re.search(
        r"```python\n(.*?)```", metadata.metadata("micrograd").get_payload(), re.DOTALL
    )
    return example[1]


def run(program):
    names = {}
    exec(program, names)
    return names


def test_micrograd_s_readme_example_gives_micrograd_s_numbers(capsys):
    theirs = run(readme_example())
    ours = run(readme_example().replace("from micrograd.engine import", "from autograd import"))
    assert isinstance(ours["g"], autograd.Value)
    printed = capsys.readouterr().out.split()
    assert printed == ["24.7041", "138.8338", "645.5773"] * 2
    for name in "abcdefg":
        assert ours[name].data == pytest.approx(theirs[name].data, rel=1e-15)
    for name in "ab":  # micrograd's interior gradients are in another order of additions
        assert ours[name].grad == pytest.approx(theirs[name].grad, rel=1e-14)


def test_a_moons_classifier_written_for_micrograd_reaches_100_percent_in_100_steps():
    """After micrograd's demo: NumPy data, labels -1 and 1, hinge and L2, falling learning rate."""
    X, y = make_moons(n_samples=100, noise=0.1, random_state=1)
    y = y * 2 - 1
    model = nn.MLP(2, [16, 16, 1])
    for step in range(100):
        scores = [model(list(map(autograd.Value, row))) for row in X]
        losses = [(1 + -target * score).relu() for target, score in zip(y, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * step / 100) * p.grad
    assert np.mean([(score.data > 0) == (target > 0) for score, target in zip(scores, y)]) == 1.0  # noqa: B905


@given(st.integers(0, 10_000))
def test_random_programs_have_micrograd_s_gradients(seed):
    def result(value):
        chooser = random.Random(seed)
        leaves = [value(chooser.uniform(0.5, 2.0)) for _ in range(3)]
        values = list(leaves)
        for _ in range(12):
            a, b = chooser.choice(values), chooser.choice(values)
            operation = chooser.choice(
                [
                    lambda a, b: a + b,
                    lambda a, b: a - b,
                    lambda a, b: a * b,
                    lambda a, b: a / (b * b + 1),
                    lambda a, _b: a**2 / (a * a + 1),
                    lambda a, b: (a - b).relu(),
                    lambda a, _b: 2.0 - a,
                    lambda a, _b: 3 * -a,
                ]
            )
            values.append(operation(a, b))
        total = sum(values)
        total.backward()
        return [total.data, *(leaf.grad for leaf in leaves)]

    theirs, ours = result(micrograd.engine.Value), result(autograd.Value)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)
