"""The `nd` namespace of MXNet: arrays and the operations on them."""

from . import random
from .creation import arange, array, from_numpy, one_hot, ones, zeros
from .functions import exp, log, relu, sin, sqrt, tanh
from .indexing import take
from .ndarray import NDArray
from .products import FullyConnected, dot
from .recurrent import RNN
from .shaping import concat, stack, swapaxes

__all__ = [
    "RNN",
    "FullyConnected",
    "NDArray",
    "arange",
    "array",
    "concat",
    "dot",
    "exp",
    "from_numpy",
    "log",
    "one_hot",
    "ones",
    "random",
    "relu",
    "sin",
    "sqrt",
    "stack",
    "swapaxes",
    "take",
    "tanh",
    "waitall",
    "zeros",
]


def waitall() -> None:
    """Return when all work is done: at once, for nothing runs in the background."""
