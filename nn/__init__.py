"""Glassgrad's neural networks: small, exact, and made of nothing but the engine's scalars.

>>> from nn import MLP
>>> model = MLP(2, [16, 16, 1])
>>> len(model.parameters())
337
"""

from nn.layers import MLP, Layer, Neuron
from nn.losses import binary_cross_entropy, cross_entropy, hinge, huber, mae, mse
from nn.metrics import accuracy
from nn.modelfile import read_model
from nn.module import Module
from nn.optim import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    clip_gradients,
    constant,
    cosine,
    step_decay,
    warmup,
)
from nn.training import Epoch, History, fit

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "Epoch",
    "History",
    "Layer",
    "Module",
    "Neuron",
    "Optimizer",
    "accuracy",
    "binary_cross_entropy",
    "clip_gradients",
    "constant",
    "cosine",
    "cross_entropy",
    "fit",
    "hinge",
    "huber",
    "mae",
    "mse",
    "read_model",
    "step_decay",
    "warmup",
]
