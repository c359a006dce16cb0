"""`NDArray`: the class whose methods carry the engine's operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import arithmetic, autograd, functions, indexing, reductions, shaping
from .arithmetic import Number
from .context import Context
from .indexing import Key
from .reductions import Axis
from .tape import Variable
from .traced import Traced

GRAD_REQS = ("write", "add", "null")


class NDArray(Traced):
    """An array of fixed shape, dtype and device, made by `nd.array`, `nd.zeros` and the like.

    Rows, `reshape` and `detach` share its elements, as in MXNet. Operations between two arrays
    require one dtype; those between an array and a number keep the array's. Comparisons give ones
    and zeros.
    """

    __slots__ = ("_grad",)
    __array_ufunc__ = None  # so that NumPy leaves `numpy_scalar * x` to us
    __hash__ = object.__hash__

    def __init__(self, values: np.ndarray, context: Context) -> None:
        super().__init__(values, context)
        self._grad: NDArray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.values.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.values.size

    @property
    def dtype(self) -> type[np.generic]:
        """The NumPy scalar type of the elements, such as `numpy.float32`."""
        return self.values.dtype.type

    @property
    def ctx(self) -> Context:
        """The device, also called `context`."""
        return self.context

    def __repr__(self) -> str:
        return f"\n{self.values}\n<NDArray {'x'.join(map(str, self.shape))} @{self.context}>"

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError(f"{self.size} elements have no single truth value: reduce them first")
        return bool(self.values.any())

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        # without this, NumPy would take an array for a nest of sequences, dozens of axes deep
        raise TypeError("an NDArray does not become a NumPy array by itself: call .asnumpy()")

    def asnumpy(self) -> np.ndarray:
        """A copy of the elements as a NumPy array."""
        return self.values.copy()

    def asscalar(self) -> Any:
        """The only element, as a NumPy scalar.

        Raises:
            ValueError: there are more, or none.
        """
        if self.size != 1:
            raise ValueError(f"an array of shape {self.shape} is not a scalar: reduce it first")
        return self.values.reshape(-1)[0]

    def wait_to_read(self) -> None:
        """Return when the elements are computed: at once, for nothing runs in the background."""

    @property
    def grad(self) -> NDArray | None:
        """The gradient that backward passes write; `None` before `attach_grad`."""
        return self._grad

    def attach_grad(self, grad_req: str = "write") -> None:
        """Make this array a variable of the computations recorded from now on, its gradient zero.

        Args:
            grad_req: whether a backward pass replaces the gradient ("write"), adds to it ("add")
                or leaves this array out ("null").

        Raises:
            KeyError: `grad_req` is something else.
        """
        if grad_req not in GRAD_REQS:
            raise KeyError(f"grad_req={grad_req!r}: choose one of {', '.join(GRAD_REQS)}")
        self.node = self._grad = None
        if grad_req != "null":
            self._grad = NDArray(np.zeros_like(self.values), self.context)
            self.node = Variable(self._grad.values, accumulate=grad_req == "add")

    def detach(self) -> NDArray:
        """A new array with the same elements, shared, through which no gradient flows."""
        return NDArray(self.values, self.context)

    def backward(self, out_grad: NDArray | None = None, retain_graph: bool = False) -> None:
        """Compute the gradients of all variables this array depends on; see `autograd.backward`."""
        autograd.backward(self, out_grad, retain_graph)

    @property
    def T(self) -> NDArray:
        """A copy with the axes in the opposite order."""
        return shaping.transpose(self)

    def reshape(self, *shape: Any) -> NDArray:
        """A view in another shape, given as a tuple or as integers; see `shaping.reshape`."""
        whole = shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape
        return shaping.reshape(self, tuple(whole))

    def copy(self) -> NDArray:
        """A copy, through which gradients flow."""
        return shaping.copy(self)

    def astype(self, dtype: DTypeLike) -> NDArray:
        """A copy with another dtype; floats become integers by truncation."""
        return shaping.astype(self, dtype)

    def as_in_context(self, context: Context) -> NDArray:
        """Array on that device: this one if it is there, otherwise a copy."""
        return self if context == self.context else shaping.to_context(self, context)

    def __getitem__(self, key: Key) -> NDArray:
        return indexing.read(self, key)

    def __setitem__(self, key: Key, value: Traced | ArrayLike) -> None:
        indexing.write(self, key, value)

    def __iter__(self) -> Iterator[NDArray]:
        return (self[index] for index in range(len(self)))

    def __neg__(self) -> Self:
        return arithmetic.multiply(self, -1)

    def __add__(self, other: Self | Number) -> Self:
        return arithmetic.add(self, other)

    def __radd__(self, other: Number) -> Self:
        return arithmetic.add(other, self)

    def __sub__(self, other: Self | Number) -> Self:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Number) -> Self:
        return arithmetic.subtract(other, self)

    def __mul__(self, other: Self | Number) -> Self:
        return arithmetic.multiply(self, other)

    def __rmul__(self, other: Number) -> Self:
        return arithmetic.multiply(other, self)

    def __truediv__(self, other: Self | Number) -> Self:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Number) -> Self:
        return arithmetic.divide(other, self)

    def __pow__(self, other: Self | Number) -> Self:
        return arithmetic.power(self, other)

    def __rpow__(self, other: Number) -> Self:
        return arithmetic.power(other, self)

    def __iadd__(self, other: Self | Number) -> Self:
        arithmetic.update(np.add, self, other)
        return self

    def __isub__(self, other: Self | Number) -> Self:
        arithmetic.update(np.subtract, self, other)
        return self

    def __imul__(self, other: Self | Number) -> Self:
        arithmetic.update(np.multiply, self, other)
        return self

    def __itruediv__(self, other: Self | Number) -> Self:
        arithmetic.update(np.true_divide, self, other)
        return self

    def __eq__(self, other: Self | Number) -> Self:  # type: ignore[override]  # no bool
        return arithmetic.compare(np.equal, self, other)

    def __ne__(self, other: Self | Number) -> Self:  # type: ignore[override]  # no bool
        return arithmetic.compare(np.not_equal, self, other)

    def __lt__(self, other: Self | Number) -> Self:
        return arithmetic.compare(np.less, self, other)

    def __le__(self, other: Self | Number) -> Self:
        return arithmetic.compare(np.less_equal, self, other)

    def __gt__(self, other: Self | Number) -> Self:
        return arithmetic.compare(np.greater, self, other)

    def __ge__(self, other: Self | Number) -> Self:
        return arithmetic.compare(np.greater_equal, self, other)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> NDArray:
        """The sum over one axis, several or all; over all of them, the shape is (1,)."""
        return reductions.sum(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> NDArray:
        """The mean over one axis, several or all; over all of them, the shape is (1,)."""
        return reductions.mean(self, axis, keepdims)

    def argmax(self, axis: int | None = None) -> NDArray:
        """Index of the largest element, in the dtype of the array: 2.0, not 2."""
        return reductions.argmax(self, axis)

    def sqrt(self) -> NDArray:
        """The square root of every element."""
        return functions.sqrt(self)
