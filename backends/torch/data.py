"""Loaders of the functional and the original chapter, in PyTorch: minibatches are tensors."""

from __future__ import annotations

from typing import Any

import torch

from common.array import Array
from common.loaders import Loaders


def tensor(values: Array) -> Any:
    """A tensor of whole numbers, or of float32."""
    kind = torch.long if values.dtype.kind in "iu" else torch.float32
    return torch.tensor(values, dtype=kind)


_loaders = Loaders(tensor)
load_data, load_data_time_machine = _loaders.load_data, _loaders.load_data_time_machine
load_data_jay_lyrics = _loaders.load_data_jay_lyrics
