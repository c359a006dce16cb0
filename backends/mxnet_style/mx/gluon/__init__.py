"""The part of MXNet's `gluon` that the book's two chapters use: layers, loss, trainer."""

from . import loss, nn, rnn
from .block import Block
from .parameter import Parameter, ParameterDict
from .trainer import Trainer

__all__ = ["Block", "Parameter", "ParameterDict", "Trainer", "loss", "nn", "rnn"]
