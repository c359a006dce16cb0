"""A small MXNet: the `nd`, `autograd` and `gluon` of Apache MXNet 1.9.1, on NumPy.

A program written for MXNet runs on it with only its imports changed:

    from backends.mxnet_style.mx import autograd, nd
    from backends.mxnet_style.mx.gluon import loss as gloss, nn, rnn

Read it in this order: `tape` (how gradients flow), `traced` (an array with its place on the
tape), then the operations in `arithmetic`, `functions`, `products`, `shaping`, `reductions` and
`indexing`, then `ndarray` (the class that carries them) and `nd` (what users call). `recurrent`
is a whole recurrent layer as one operation; `gluon` wraps it and the others in layers. `generator`
holds MXNet's random numbers, bit for bit.
"""

from . import autograd, context, gluon, init, nd, random
from .base import MXNetError
from .context import Context, cpu, gpu

__all__ = [
    "Context",
    "MXNetError",
    "autograd",
    "context",
    "cpu",
    "gluon",
    "gpu",
    "init",
    "nd",
    "random",
]
