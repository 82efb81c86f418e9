"""Optimizers and learning-rate schedules.

Each update rule is one function of numbers, (parameter, gradient, *memory, hyper-parameters) to
(parameter, *memory), without branches, so that it runs on numbers of any kind. The semantics are
PyTorch's.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

from autograd import Value, pow, sqrt
from nn.arguments import finite_number, numbers, shown, whole_number
from nn.module import set_at_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Schedule = Callable[[int], float]

# Update rules -------------------------------------------------------------------------------------


def momentum_update(
    parameter: Any, gradient: Any, velocity: Any, lr: Any, momentum: Any, weight_decay: Any
) -> tuple[Any, Any]:
    """Gradient descent with momentum: p - lr v', where v' = momentum v + g + weight_decay p.

    Polyak 1964 in PyTorch's convention: the learning rate multiplies the velocity as a whole, not
    the gradient on its way into it. With momentum 0 it is plain gradient descent.

    >>> momentum_update(1.0, 0.5, 1.0, 0.1, 0.5, 0.0)
    (0.9, 1.0)
    """
    velocity = momentum * velocity + (gradient + weight_decay * parameter)
    return parameter - lr * velocity, velocity


def nesterov_update(
    parameter: Any, gradient: Any, velocity: Any, lr: Any, momentum: Any, weight_decay: Any
) -> tuple[Any, Any]:
    """Nesterov's momentum: p - lr (g' + momentum v'), where v' = momentum v + g'.

    g' = g + weight_decay p. Sutskever et al. 2013, in PyTorch's convention: the gradient is taken
    at p itself.

    >>> nesterov_update(1.0, 0.5, 1.0, 0.1, 0.5, 0.0)
    (0.9, 1.0)
    """
    gradient = gradient + weight_decay * parameter
    velocity = momentum * velocity + gradient
    return parameter - lr * (gradient + momentum * velocity), velocity


def adam_update(
    parameter: Any,
    gradient: Any,
    mean: Any,
    variance: Any,
    step: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    weight_decay: Any,
) -> tuple[Any, Any, Any]:
    """Adam (Kingma & Ba 2015, algorithm 1), `step` counting from 1.

    m' = beta1 m + (1 - beta1) g', v' = beta2 v + (1 - beta2) g'^2, where g' = g + weight_decay p;
    p - lr m^ / (sqrt(v^) + eps), where m^ = m' / (1 - beta1^step), v^ = v' / (1 - beta2^step).
    """
    gradient = gradient + weight_decay * parameter
    mean = beta1 * mean + (1.0 - beta1) * gradient
    variance = beta2 * variance + (1.0 - beta2) * gradient * gradient
    mean_unbiased = mean / (1.0 - beta1**step)
    variance_unbiased = variance / (1.0 - beta2**step)
    return parameter - lr * mean_unbiased / (sqrt(variance_unbiased) + eps), mean, variance


def adamw_update(
    parameter: Any,
    gradient: Any,
    mean: Any,
    variance: Any,
    step: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    weight_decay: Any,
) -> tuple[Any, Any, Any]:
    """Adam after p (1 - lr weight_decay): decay apart from the gradient.

    Loshchilov & Hutter 2019, algorithm 2; as in PyTorch, the learning rate multiplies the decay.
    """
    decayed = parameter * (1.0 - lr * weight_decay)
    return adam_update(decayed, gradient, mean, variance, step, lr, beta1, beta2, eps, 0.0)


# Optimizers ---------------------------------------------------------------------------------------


class Optimizer:
    """What all optimizers do; a subclass gives its update rule and its hyper-parameters.

    Attributes:
        parameters: the `Value`s it updates, each once, by identity.
        lr: the learning rate, or a function of the number of steps taken before.
        steps: how many steps it has taken.
        memory: for each parameter the numbers that the rule keeps from step to step.
    """

    rule: Callable[..., tuple[Any, ...]]
    memory_least: tuple[float, ...]  # of each number kept for a parameter, the least it may be

    def __init__(self, parameters: Iterable[Value], lr: float | Schedule) -> None:
        self.parameters = _parameters(parameters)
        self.lr = lr if callable(lr) else finite_number("lr", lr, above=0.0)
        self.steps = 0
        self.memory = [(0.0,) * len(self.memory_least) for _ in self.parameters]

    def __repr__(self) -> str:
        count = len(self.parameters)
        lr = "a schedule" if callable(self.lr) else f"{self.lr:g}"
        return f"{type(self).__name__}({count} parameter{'s' * (count != 1)}, lr={lr})"

    def hyperparameters(self, lr: float) -> tuple[Any, ...]:
        """Return what the rule takes after the memory, at a learning rate."""
        raise NotImplementedError(f"{type(self).__name__} must define hyperparameters(self, lr)")

    def settings(self) -> tuple[Any, ...]:
        """Return the hyper-parameters of the next step, at the learning rate that is due then.

        Raises:
            ValueError: if the schedule gives a learning rate that is negative or not finite.
        """
        lr = self.lr
        if callable(lr):
            lr = finite_number(f"lr({self.steps})", lr(self.steps), least=0.0)
        return self.hyperparameters(lr)

    def step(self) -> None:
        """Update every parameter by its `.grad`: all of them or, if interrupted, none.

        Raises:
            FloatingPointError: if a parameter or its memory would become inf or nan; none is then
                changed.
            ValueError: if the schedule gives a learning rate that is negative or not finite.
        """
        hyperparameters = self.settings()
        updated = [
            self.rule(parameter.data, parameter.grad, *memory, *hyperparameters)
            for parameter, memory in zip(self.parameters, self.memory, strict=True)
        ]
        for position, updated_numbers in enumerate(updated):
            if not all(map(math.isfinite, updated_numbers)):
                parameter = self.parameters[position]
                raise FloatingPointError(
                    f"the update of {parameter.label or f'parameter {position}'} overflows: "
                    f"it is {parameter.data:g}, its gradient {parameter.grad:g}; "
                    "lower the learning rate or clip the gradients"
                )
        parameters = zip(self.parameters, updated, strict=True)
        set_at_once(
            [
                *((parameter, "data", number) for parameter, (number, *_) in parameters),
                (self, "steps", self.steps + 1),
                (self, "memory", [tuple(memory) for _, *memory in updated]),
            ]
        )

    def zero_grad(self) -> None:
        """Set the `.grad` of every parameter to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here: steps taken and memory."""
        return {
            "optimizer": type(self).__name__,
            "steps": self.steps,
            "memory": [list(numbers) for numbers in self.memory],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict()` of an optimizer of the same kind and number of parameters.

        Everything is checked before anything is changed.

        Raises:
            TypeError: if the state is no mapping, or something in its memory no number.
            ValueError: if the state is of another kind or size.
        """
        kind = type(self).__name__
        if not isinstance(state, Mapping):
            raise TypeError(f"state must be what state_dict() of {kind} gives, got {shown(state)}")
        if state.get("optimizer") != kind:
            given = shown(state.get("optimizer"))
            raise ValueError(f"expected the state of {kind}, got {given}")
        steps = whole_number("steps", state.get("steps"), least=0)
        memory = state.get("memory")
        size, count = len(self.memory_least), len(self.parameters)
        kept_lists = memory if isinstance(memory, list) else []
        sizes = [len(kept) for kept in kept_lists if isinstance(kept, list | tuple)]
        if not len(kept_lists) == count or sizes != [size] * count:
            raise ValueError(
                f"{kind}: memory must hold {size} numbers for each of {count} parameters"
            )
        loaded = [
            tuple(map(float, numbers(f"memory[{i}]", kept))) for i, kept in enumerate(kept_lists)
        ]
        for i, kept in enumerate(loaded):
            if not all(
                least <= x < math.inf for x, least in zip(kept, self.memory_least, strict=True)
            ):
                raise ValueError(
                    f"memory[{i}] holds what {kind} cannot have kept, {kept}: "
                    "all must be finite, and a variance at least 0"
                )
        set_at_once([(self, "steps", steps), (self, "memory", loaded)])


class SGD(Optimizer):
    """Gradient descent, plain, with momentum, or with Nesterov's: see the update rules.

    >>> x = Value(1.0)
    >>> optimizer = SGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> x.data
    0.8

    Args:
        parameters: an iterable of leaf `Value`s, such as `model.parameters()`.
        lr: the learning rate, or a function of the number of steps taken before.
        momentum: which part of the velocity stays from step to step, from 0 to below 1.
        nesterov: whether to look ahead along the velocity.
        weight_decay: times the parameter, added to its gradient.

    Raises:
        TypeError: if something other than a `Value` is given as a parameter.
        ValueError: if there is no parameter, or a number is out of its range.
    """

    memory_least = (-sys.float_info.max,)  # velocity

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = finite_number("momentum", momentum, least=0.0, below=1.0)
        self.weight_decay = finite_number("weight_decay", weight_decay, least=0.0)
        self.rule = nesterov_update if nesterov else momentum_update
        if nesterov and not self.momentum:
            raise ValueError("nesterov=True needs a momentum above 0")

    def hyperparameters(self, lr: float) -> tuple[Any, ...]:
        """Return what the rule takes after the memory."""
        return lr, self.momentum, self.weight_decay


class Adam(Optimizer):
    """Adam: a step of about `lr` for each parameter, whatever its gradient's size.

    p - lr m^ / (sqrt(v^) + eps), where m^ and v^ are running means of the gradient and its square,
    corrected for having started at 0 (Kingma & Ba 2015, algorithm 1): see `adam_update`.

    >>> x = Value(1.0)
    >>> optimizer = Adam([x], lr=0.1)
    >>> (1000 * x * x).backward()
    >>> optimizer.step()
    >>> f"{x.data:.6f}"
    '0.900000'

    Args:
        parameters: an iterable of leaf `Value`s, such as `model.parameters()`.
        lr: the learning rate, or a function of the number of steps taken before.
        betas: which part of the averages of gradient and squared gradient stays from step to step.
        eps: added to the divisor, so that it is not 0.
        weight_decay: times the parameter, added to its gradient.

    Raises:
        TypeError: if something other than a `Value` is given as a parameter.
        ValueError: if there is no parameter, or a number is out of its range.
    """

    rule = staticmethod(adam_update)
    memory_least = (-sys.float_info.max, 0.0)  # mean, variance

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        try:
            beta1, beta2 = betas
        except (TypeError, ValueError):
            raise ValueError(
                f"betas must be a pair of numbers, such as (0.9, 0.999), got {shown(betas)}"
            ) from None
        self.betas = (
            finite_number("betas[0]", beta1, least=0.0, below=1.0),
            finite_number("betas[1]", beta2, least=0.0, below=1.0),
        )
        self.eps = finite_number("eps", eps, above=0.0)
        self.weight_decay = finite_number("weight_decay", weight_decay, least=0.0)

    def hyperparameters(self, lr: float) -> tuple[Any, ...]:
        """Return what the rule takes after the memory."""
        return self.steps + 1, lr, *self.betas, self.eps, self.weight_decay


class AdamW(Adam):
    """Adam with decay apart from the gradient: Adam's step from p (1 - lr weight_decay).

    Loshchilov & Hutter 2019, algorithm 2, in PyTorch's convention: see `adamw_update`.

    >>> x = Value(1.0)
    >>> optimizer = AdamW([x], lr=0.1, weight_decay=0.5)
    >>> optimizer.step()
    >>> x.data
    0.95

    Args:
        parameters: as in `Adam`.
        lr: as in `Adam`.
        betas: as in `Adam`.
        eps: as in `Adam`.
        weight_decay: times the learning rate, the part of the parameter that a step takes away.

    Raises:
        TypeError: if something other than a `Value` is given as a parameter.
        ValueError: if there is no parameter, or a number is out of its range.
    """

    rule = staticmethod(adamw_update)

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)


def clip_gradients(parameters: Iterable[Value], norm: float) -> float:
    """Scale all gradients by one factor so that their 2-norm together is at most `norm`.

    Returns:
        The 2-norm before; inf where it is too large for a float.

    Raises:
        FloatingPointError: if a gradient is not finite; all are then left as they are.
        TypeError: if something other than a `Value` is given as a parameter.
        ValueError: if there is no parameter, or `norm` is not positive and finite.

    >>> x, y = Value(3.0), Value(4.0)
    >>> (x * x / 2 + y * y / 2).backward()
    >>> clip_gradients([x, y], norm=1.0), x.grad, y.grad
    (5.0, 0.6, 0.8)
    """
    limit = finite_number("norm", norm, above=0.0)
    clipped = _parameters(parameters)
    gradients = [parameter.grad for parameter in clipped]
    before = math.hypot(*gradients)
    if not all(map(math.isfinite, gradients)):
        raise FloatingPointError(f"the norm of the gradients is {before}, so it cannot be clipped")
    if before > limit:
        largest = max(map(abs, gradients))
        ratio = math.hypot(*(g / largest for g in gradients))  # of the norm, which may overflow
        set_at_once([(p, "grad", p.grad / largest / ratio * limit) for p in clipped])
    return before


# Schedules: functions of the number of steps taken before -----------------------------------------


def constant(lr: float) -> Schedule:
    """Return the schedule that is `lr` at every step."""
    rate = finite_number("lr", lr, above=0.0)
    return lambda _step: rate


def step_decay(lr: float, factor: float, every: int) -> Schedule:
    """Return the schedule lr factor^floor(step / every).

    >>> [step_decay(1.0, factor=0.5, every=10)(step) for step in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    rate = finite_number("lr", lr, above=0.0)
    ratio = finite_number("factor", factor, above=0.0)
    period = whole_number("every", every, least=1)
    return lambda step: rate * pow(ratio, step // period)


def cosine(lr: float, steps: int, minimum: float = 0.0) -> Schedule:
    """Return the schedule minimum + (lr - minimum) (1 + cos(pi step / steps)) / 2, then minimum.

    Loshchilov & Hutter 2017, eq. 5, without restarts.

    >>> [cosine(1.0, steps=10)(step) for step in (0, 5, 10, 99)]
    [1.0, 0.5, 0.0, 0.0]
    """
    rate = finite_number("lr", lr, above=0.0)
    last = whole_number("steps", steps, least=1)
    floor = finite_number("minimum", minimum, least=0.0)
    return lambda step: (
        floor + (rate - floor) * (0.5 * (1.0 + math.cos(math.pi * (min(step, last) / last))))
    )


def warmup(lr: float | Schedule, steps: int) -> Schedule:
    """Return a schedule that rises in equal parts to `lr` in `steps` steps, and then follows it.

    Goyal et al. 2017, section 2.2. The schedule that it follows begins when the rise has ended.

    >>> [warmup(1.0, steps=4)(step) for step in (0, 1, 3, 4, 99)]
    [0.25, 0.5, 1.0, 1.0, 1.0]
    """
    schedule = lr if callable(lr) else constant(lr)
    rise = whole_number("steps", steps, least=1)
    return lambda step: schedule(0) * ((step + 1) / rise) if step < rise else schedule(step - rise)


def _parameters(parameters: Iterable[Value]) -> list[Value]:
    """Return the parameters, each once, by identity; raise if there is none, or another thing."""
    try:
        found = list({id(parameter): parameter for parameter in parameters}.values())
    except TypeError:
        raise TypeError(
            "parameters must be an iterable of Values, such as model.parameters(), "
            f"got {shown(parameters)}"
        ) from None
    for position, parameter in enumerate(found):
        if not isinstance(parameter, Value):
            raise TypeError(f"parameters[{position}] must be a Value, got {shown(parameter)}")
        if parameter.primitive is not None:
            raise ValueError(
                f"parameters[{position}] was computed by {parameter.primitive.name}: "
                "only a Value that no operation made can be updated"
            )
    if not found:
        raise ValueError("there are no parameters: the iterable is empty")
    return found
