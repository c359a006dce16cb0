"""Foundations of every module: the engine's error, its element types, its view of warnings."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import DTypeLike

ELEMENT_TYPES: list[np.dtype] = [
    np.dtype(name) for name in "float32 float64 float16 int8 uint8 int32 int64".split()
]

quiet = functools.partial(np.errstate, all="ignore")
"""Overflow and division by zero give inf and nan without a warning, as they do in MXNet."""


class MXNetError(RuntimeError):
    """Error of an operation that cannot be carried out, by its name in MXNet."""


def element_type(dtype: DTypeLike | None) -> np.dtype:
    """The NumPy dtype that `dtype` names; `None` means float32, MXNet's default everywhere.

    Raises:
        TypeError: `dtype` names no type at all.
        MXNetError: it names one that MXNet has no arrays of.
    """
    named = np.dtype(np.float32 if dtype is None else dtype)
    if named not in ELEMENT_TYPES:
        choices = ", ".join(map(str, ELEMENT_TYPES))
        raise MXNetError(f"there are no arrays of {named}: choose one of {choices}")
    return named
