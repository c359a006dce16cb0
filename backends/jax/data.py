"""Loaders of the functional and the original chapter, in JAX: minibatches are tensors."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from common.array import Array
from common.loaders import Loaders


def tensor(values: Array) -> Any:
    """An array of whole numbers, or of float32."""
    return jnp.asarray(values, jnp.int32 if values.dtype.kind in "iu" else jnp.float32)


_loaders = Loaders(tensor)
load_data, load_data_time_machine = _loaders.load_data, _loaders.load_data_time_machine
load_data_jay_lyrics = _loaders.load_data_jay_lyrics
