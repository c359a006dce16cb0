"""Array: a NumPy array of any shape and type; docstrings say which."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
