"""Loaders of the functional and the original chapter, in TensorFlow: minibatches are tensors."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from common.array import Array
from common.loaders import Loaders


def tensor(values: Array) -> Any:
    """A tensor of whole numbers, or of float32."""
    return tf.constant(values, tf.int32 if values.dtype.kind in "iu" else tf.float32)


_loaders = Loaders(tensor)
load_data, load_data_time_machine = _loaders.load_data, _loaders.load_data_time_machine
load_data_jay_lyrics = _loaders.load_data_jay_lyrics
