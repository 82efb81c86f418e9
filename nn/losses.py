"""Losses of one sample: how far a prediction is from its target, as one number.

Each is written in autograd's functions, so numbers of any kind go in and come out: floats give a
float, `Value`s a recorded `Value`.
"""

from __future__ import annotations

from numbers import Real
from operator import index

from autograd import abs, dot, logsumexp, mean, relu, softplus, square, sum, where
from nn.module import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def mse(prediction: Any, target: Any) -> Any:
    """Mean squared error: (prediction - target)^2, over lists its mean.

    Raises:
        ValueError: if one is a list and the other a number, or their lengths differ.

    >>> mse(3.0, 1.0), mse([1.0, 2.0], [1.0, 4.0])
    (4.0, 2.0)
    """
    return _mean([square(error) for error in _errors("mse", prediction, target)])


def mae(prediction: Any, target: Any) -> Any:
    """Mean absolute error: |prediction - target|, over lists its mean; slope 0 where they agree.

    Raises:
        ValueError: if one is a list and the other a number, or their lengths differ.

    >>> mae(3.0, 1.0), mae([1.0, 2.0], [1.0, 4.0])
    (2.0, 1.0)
    """
    return _mean([abs(error) for error in _errors("mae", prediction, target)])


def huber(prediction: Any, target: Any, delta: float = 1.0) -> Any:
    """Huber's loss, over lists its mean: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2).

    e = prediction - target. Quadratic near the target, linear away from it (Huber 1964).

    Raises:
        ValueError: if one is a list and the other a number, their lengths differ, or `delta` is
            not positive.

    >>> huber(1.5, 1.0), huber(4.0, 1.0)
    (0.125, 2.5)
    """
    if not delta > 0:
        raise ValueError(f"huber: delta must be positive, got {delta!r}")
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
        ValueError: if the target is another number.

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(2.0, 1)
    (0.75, 1.25, 0.0)
    """
    if isinstance(target, Real) and target not in {-1, 1}:
        raise ValueError(f"hinge: target must be 1 or -1, got {target!r}")
    return relu(1.0 - score * target)


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """Cross-entropy of softmax(logits): logsumexp(logits) - logits[target], in nats.

    With a list of probabilities p as target: logsumexp(logits) - (p_0 logits_0 + p_1 logits_1 + …).

    Args:
        logits: a list of a number for each class, of any size and sign: what a linear layer gives.
        target: the index of the right class, or a list of a probability for each class.

    Raises:
        TypeError: if `logits` is not a list, or `target` neither an index nor a list.
        ValueError: if the index is out of range, the lengths differ, or `target` is no
            distribution: non-negative numbers that add up to 1 within 1e-6.

    >>> f"{cross_entropy([0.0, 0.0], 1):.6f}"
    '0.693147'
    >>> cross_entropy([0.0, 800.0], [0.5, 0.5])
    400.0
    """
    scores, wanted = _unpacked(logits), _unpacked(target)
    if not isinstance(scores, list):
        raise TypeError(
            f"cross_entropy: logits must be a list of a number for each class, got {logits!r}; "
            "for a single logit use binary_cross_entropy"
        )
    if isinstance(wanted, list):
        _check_lengths("cross_entropy", "logits", scores, wanted)
        known = all(isinstance(p, Real) for p in wanted)
        if known and not (min(wanted) >= 0 and -1e-6 <= sum(wanted) - 1.0 <= 1e-6):
            raise ValueError(
                "cross_entropy: target must hold non-negative probabilities that add up to 1, "
                f"got {target!r}"
            )
        return logsumexp(scores) - dot(wanted, scores)
    try:
        right = index(wanted)
    except TypeError:
        raise TypeError(
            "cross_entropy: target must be the index of a class or a list of probabilities, "
            f"got {target!r}"
        ) from None
    if not 0 <= right < len(scores):
        raise ValueError(
            f"cross_entropy: target must be an index from 0 to {len(scores) - 1}, got {target!r}"
        )
    return logsumexp(scores) - scores[right]


def binary_cross_entropy(logit: Any, target: Any) -> Any:
    """Cross-entropy of sigmoid(logit): target softplus(-logit) + (1 - target) softplus(logit).

    In nats; nothing cancels or overflows in this form, however large the logit.

    Args:
        logit: a number; positive means the class 1.
        target: the class, 0 or 1, or the probability of class 1.

    Raises:
        ValueError: if the target is not within 0 and 1.

    >>> f"{binary_cross_entropy(0.0, 1):.6f}", binary_cross_entropy(-800.0, 1)
    ('0.693147', 800.0)
    """
    if isinstance(target, Real) and not 0 <= float(target) <= 1:
        raise ValueError(f"binary_cross_entropy: target must lie between 0 and 1, got {target!r}")
    return softplus(-logit) * target + softplus(logit) * (1.0 - target)


def _errors(loss: str, prediction: Any, target: Any) -> list[Any]:
    """Return prediction - target for each pair of numbers."""
    predicted, wanted = _unpacked(prediction), _unpacked(target)
    if isinstance(predicted, list) != isinstance(wanted, list):
        kinds = [
            f"a list of {len(given)}" if isinstance(given, list) else "a number"
            for given in (predicted, wanted)
        ]
        raise ValueError(
            f"{loss}: prediction is {kinds[0]}, target {kinds[1]}; both must be of one kind"
        )
    if not isinstance(predicted, list):
        return [predicted - wanted]
    _check_lengths(loss, "prediction", predicted, wanted)
    return [p - t for p, t in zip(predicted, wanted, strict=True)]


def _mean(terms: list[Any]) -> Any:
    return terms[0] if len(terms) == 1 else mean(terms)  # the mean of one number is no operation


def _unpacked(given: Any) -> Any:
    """Return a number as it is, a list or array as a list."""
    return listed(given) if hasattr(given, "__len__") and not isinstance(given, str) else given


def _check_lengths(loss: str, name: str, given: list[Any], target: list[Any]) -> None:
    if len(given) != len(target) or not given:
        raise ValueError(
            f"{loss}: {name} and target must be equally long and not empty, "
            f"got {len(given)} and {len(target)} numbers"
        )
