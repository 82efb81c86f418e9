"""Losses of one sample: how far a prediction is from its target, as one number.

Each is written in autograd's functions, so numbers of any kind go in and come out: floats give a
float, `Value`s a recorded `Value`.
"""

from __future__ import annotations

from operator import index

from autograd import abs, dot, log_softmax, logsumexp, mean, relu, softplus, square, sum, where
from nn.arguments import finite_number, list_or_number, number, numbers, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def mse(prediction: Any, target: Any) -> Any:
    """Mean squared error: (prediction - target)^2, over lists its mean.

    Raises:
        TypeError: if something given is not a number.
        ValueError: if one is a list and the other a number, or their lengths differ.

    >>> mse(3.0, 1.0), mse([1.0, 2.0], [1.0, 4.0])
    (4.0, 2.0)
    """
    return _mean([square(error) for error in _errors("mse", prediction, target)])


def mae(prediction: Any, target: Any) -> Any:
    """Mean absolute error: |prediction - target|, over lists its mean; slope 0 where they agree.

    Raises:
        TypeError: if something given is not a number.
        ValueError: if one is a list and the other a number, or their lengths differ.

    >>> mae(3.0, 1.0), mae([1.0, 2.0], [1.0, 4.0])
    (2.0, 1.0)
    """
    return _mean([abs(error) for error in _errors("mae", prediction, target)])


def huber(prediction: Any, target: Any, delta: float = 1.0) -> Any:
    """Huber's loss, over lists its mean: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2).

    e = prediction - target. Quadratic near the target, linear away from it (Huber 1964).

    Raises:
        TypeError: if something given is not a number.
        ValueError: if one is a list and the other a number, their lengths differ, or `delta` is
            not positive and finite.

    >>> huber(1.5, 1.0), huber(4.0, 1.0)
    (0.125, 2.5)
    """
    delta = finite_number("huber: delta", delta, above=0.0)
    return _mean(
        [
            where(abs(e) <= delta, 0.5 * square(e), delta * (abs(e) - 0.5 * delta))
            for e in _errors("huber", prediction, target)
        ]
    )


def hinge(score: Any, target: Any) -> Any:
    """max(0, 1 - target score), the loss of a support vector machine (Cortes & Vapnik 1995).

    Args:
        score: a number; its sign is the predicted class.
        target: 1 or -1.

    Raises:
        TypeError: if something given is not a number.
        ValueError: if the target is another number.

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(2.0, 1)
    (0.75, 1.25, 0.0)
    """
    score, wanted = _single("hinge", "score", score), _single("hinge", "target", target)
    if type(wanted) is float and wanted not in {-1.0, 1.0}:
        raise ValueError(f"hinge: target must be 1 or -1, got {shown(target)}")
    return relu(1.0 - score * wanted)


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """Cross-entropy of softmax(logits): logsumexp(logits) - logits[target], in nats.

    With a list of probabilities p as target: -(p_0 log s_0 + p_1 log s_1 + …), s = softmax(logits),
    where a p of 0.0 adds nothing, even if its logit is -inf. Nothing cancels, however large the
    logits.

    Args:
        logits: a list of a number for each class, of any size and sign: what a linear layer gives.
        target: the index of the right class, or a list of a probability for each class.

    Raises:
        TypeError: if `logits` is not a list of numbers, or `target` neither an index nor such a
            list.
        ValueError: if the index is out of range, the lengths differ, or `target` is no
            distribution: non-negative numbers that add up to 1 within 1e-6.

    >>> f"{cross_entropy([0.0, 0.0], 1):.6f}"
    '0.693147'
    >>> cross_entropy([0.0, 800.0], [0.5, 0.5])
    400.0
    """
    scores, wanted = list_or_number(logits), list_or_number(target)
    if not isinstance(scores, list):
        raise TypeError(
            "cross_entropy: logits must be a list of a number for each class, got "
            f"{shown(logits)}; for a single logit use binary_cross_entropy"
        )
    scores = numbers("cross_entropy: logits", scores)
    if isinstance(wanted, list):
        wanted = numbers("cross_entropy: target", wanted)
        _check_lengths("cross_entropy", "logits", scores, wanted)
        known = all(type(p) is float for p in wanted)
        if known and not (min(wanted) >= 0 and -1e-6 <= sum(wanted) - 1.0 <= 1e-6):
            raise ValueError(
                "cross_entropy: target must hold non-negative probabilities that add up to 1, "
                f"got {shown(target)}"
            )
        terms = [
            (-p, log_s)
            for p, log_s in zip(wanted, log_softmax(scores), strict=True)
            if not (type(p) is float and p == 0.0)
        ]
        return dot(*map(list, zip(*terms, strict=True)))
    try:
        right = index(wanted)
    except TypeError:
        raise TypeError(
            "cross_entropy: target must be the index of a class or a list of probabilities, "
            f"got {shown(target)}"
        ) from None
    if not 0 <= right < len(scores):
        raise ValueError(
            f"cross_entropy: target must be an index from 0 to {len(scores) - 1}, "
            f"got {shown(target)}"
        )
    if len(scores) == 1:
        return scores[0] - scores[0]  # no plain 0.0, which would carry no gradient
    # as logsumexp(scores) - scores[right] it would cancel
    return logsumexp([x - scores[right] if i != right else 0.0 for i, x in enumerate(scores)])


def binary_cross_entropy(logit: Any, target: Any) -> Any:
    """Cross-entropy of sigmoid(logit): target softplus(-logit) + (1 - target) softplus(logit).

    In nats; nothing cancels or overflows in this form, however large the logit.

    Args:
        logit: a number; positive means the class 1.
        target: the class, 0 or 1, or the probability of class 1.

    Raises:
        TypeError: if something given is not a number.
        ValueError: if the target is not within 0 and 1.

    >>> f"{binary_cross_entropy(0.0, 1):.6f}", binary_cross_entropy(-800.0, 1)
    ('0.693147', 800.0)
    """
    loss = "binary_cross_entropy"
    logit, wanted = _single(loss, "logit", logit), _single(loss, "target", target)
    if type(wanted) is float and not 0.0 <= wanted <= 1.0:
        raise ValueError(f"{loss}: target must lie between 0 and 1, got {shown(target)}")
    if type(wanted) is float and wanted in {0.0, 1.0}:
        return softplus(-logit if wanted else logit)
    return softplus(-logit) * wanted + softplus(logit) * (1.0 - wanted)


def _errors(loss: str, prediction: Any, target: Any) -> list[Any]:
    """Return prediction - target for each pair of numbers."""
    predicted, wanted = list_or_number(prediction), list_or_number(target)
    if isinstance(predicted, list) != isinstance(wanted, list):
        kinds = [
            f"a list of {len(given)}" if isinstance(given, list) else shown(given)
            for given in (predicted, wanted)
        ]
        raise ValueError(
            f"{loss}: prediction is {kinds[0]}, target {kinds[1]}; "
            "both must be numbers, or lists of them"
        )
    if not isinstance(predicted, list):
        return [number(f"{loss}: prediction", predicted) - number(f"{loss}: target", wanted)]
    predicted = numbers(f"{loss}: prediction", predicted)
    wanted = numbers(f"{loss}: target", wanted)
    _check_lengths(loss, "prediction", predicted, wanted)
    return [p - t for p, t in zip(predicted, wanted, strict=True)]


def _mean(terms: list[Any]) -> Any:
    return terms[0] if len(terms) == 1 else mean(terms)  # the mean of one number is no operation


def _single(loss: str, name: str, given: Any) -> Any:
    """Return a number, also out of an array of no dimension."""
    return number(f"{loss}: {name}", list_or_number(given))


def _check_lengths(loss: str, name: str, given: list[Any], target: list[Any]) -> None:
    if len(given) != len(target) or not given:
        raise ValueError(
            f"{loss}: {name} and target must be equally long and not empty, "
            f"got {len(given)} and {len(target)} numbers"
        )
