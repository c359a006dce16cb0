"""The engine the chapter runs on: the embedded one, or Apache MXNet itself.

RNN_ROSETTA_ENGINE says which, once for a process and before this module is imported: ``embedded``
(the default) or ``mxnet``. Nothing else in this folder knows, so that one text serves both.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np

__all__ = ["ENVIRONMENT", "VERSIONS", "autograd", "cpu", "gluon", "init", "kvstore", "nd"]

VARIABLE = "RNN_ROSETTA_ENGINE"
NAME = os.environ.get(VARIABLE, "embedded")
VERSIONS = {"numpy": np.__version__}
"""Versions of the libraries that compute: NumPy alone where the engine is our own."""

if TYPE_CHECKING or NAME == "embedded":
    from backends.mxnet_style.mx import autograd, cpu, gluon, init, nd

    kvstore = None  # it has one device
elif NAME == "mxnet":
    # Its oneDNN softmax is off by 1e-6 and makes 88.7 of nan, so that a network that has diverged
    # looks well; MXNet's own does neither. It would report every call that goes round oneDNN.
    os.environ.setdefault("MXNET_MKLDNN_ENABLED", "0")
    if os.environ["MXNET_MKLDNN_ENABLED"] == "0":
        # Without this its recurrent layer goes back through oneDNN all the same, and fails.
        os.environ.setdefault("MXNET_USE_MKLDNN_RNN", "0")
    os.environ.setdefault("MXNET_STORAGE_FALLBACK_LOG_VERBOSE", "0")
    with warnings.catch_warnings():
        # MXNet 1.9.1 names what NumPy 1.23 has deprecated: np.bool, functions of finance, distutils
        warnings.simplefilter("ignore", DeprecationWarning)
        import mxnet
    from mxnet import autograd, cpu, gluon, init, kvstore, nd
    from mxnet.ndarray import utils

    utils.spsp = None  # SciPy, whose name for what `nd.array` looks for is deprecated: we have none
    VERSIONS["mxnet"] = mxnet.__version__
else:
    raise ImportError(f"{VARIABLE}={NAME}: there is no such engine; use embedded or mxnet")

ENVIRONMENT = {VARIABLE: NAME}
"""Environment of this engine; `backends.load` checks that it is the one it wants."""
