"""Python's operators on arrays; `arithmetic` says what each computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from . import arithmetic
from .arithmetic import Operand
from .traced import Traced

if TYPE_CHECKING:
    from .ndarray import NDArray


class Operators(Traced):
    """An array that can be computed with. Comparisons give arrays of ones and zeros."""

    __slots__ = ()
    __array_ufunc__ = None  # so that NumPy leaves `numpy_scalar * x` to us
    __hash__ = object.__hash__

    def __neg__(self) -> NDArray:
        return arithmetic.multiply(self, -1)

    def __add__(self, other: Operand) -> NDArray:
        return arithmetic.add(self, other)

    def __radd__(self, other: Operand) -> NDArray:
        return arithmetic.add(other, self)

    def __sub__(self, other: Operand) -> NDArray:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Operand) -> NDArray:
        return arithmetic.subtract(other, self)

    def __mul__(self, other: Operand) -> NDArray:
        return arithmetic.multiply(self, other)

    def __rmul__(self, other: Operand) -> NDArray:
        return arithmetic.multiply(other, self)

    def __truediv__(self, other: Operand) -> NDArray:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Operand) -> NDArray:
        return arithmetic.divide(other, self)

    def __pow__(self, other: Operand) -> NDArray:
        return arithmetic.power(self, other)

    def __rpow__(self, other: Operand) -> NDArray:
        return arithmetic.power(other, self)

    def __iadd__(self, other: Operand) -> Self:
        arithmetic.update(np.add, self, other)
        return self

    def __isub__(self, other: Operand) -> Self:
        arithmetic.update(np.subtract, self, other)
        return self

    def __imul__(self, other: Operand) -> Self:
        arithmetic.update(np.multiply, self, other)
        return self

    def __itruediv__(self, other: Operand) -> Self:
        arithmetic.update(np.true_divide, self, other)
        return self

    def __eq__(self, other: Operand) -> NDArray:  # type: ignore[override]
        return arithmetic.compare(np.equal, self, other)

    def __ne__(self, other: Operand) -> NDArray:  # type: ignore[override]
        return arithmetic.compare(np.not_equal, self, other)

    def __lt__(self, other: Operand) -> NDArray:
        return arithmetic.compare(np.less, self, other)

    def __le__(self, other: Operand) -> NDArray:
        return arithmetic.compare(np.less_equal, self, other)

    def __gt__(self, other: Operand) -> NDArray:
        return arithmetic.compare(np.greater, self, other)

    def __ge__(self, other: Operand) -> NDArray:
        return arithmetic.compare(np.greater_equal, self, other)
