"""kaitorch, whose activations are classes, with functions as the kit looks for them."""

from kaitorch.activations import ReLU
from kaitorch.activations import sigmoid as Sigmoid  # noqa: N812  a class, written small
from kaitorch.activations import tanh as Tanh  # noqa: N812
from kaitorch.core import Scalar

relu, sigmoid, tanh = ReLU(), Sigmoid(), Tanh()

__all__ = ["Scalar", "relu", "sigmoid", "tanh"]
