"""Object style (section 3.2): methods added to a class later, arguments kept as attributes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def add_to_class(cls: type) -> Callable[[Function], Function]:
    """Decorator: the function becomes a method of a class, also of the objects it has already."""

    def add(function: Function) -> Function:
        setattr(cls, function.__name__, function)
        return function

    return add


class HyperParameters:
    """Base of all that keeps its arguments."""

    _kept: tuple[str, ...] = ()

    @property
    def hparams(self) -> dict[str, Any]:
        """The arguments that were kept, by name."""
        return {name: getattr(self, name) for name in self._kept}

    def save_hyperparameters(self, ignore: Iterable[str] = ()) -> None:
        """Keep the local names of the method that calls this as attributes.

        Args:
            ignore: names to leave out; self and names that begin with ``_`` always are.
        """
        frame = inspect.currentframe()
        if frame is None or frame.f_back is None:
            raise RuntimeError("save_hyperparameters is called in __init__, and needs CPython")
        left_out = {"self", *ignore}
        given = {
            name: value
            for name, value in frame.f_back.f_locals.items()
            if name not in left_out and not name.startswith("_")
        }
        self._kept = tuple(given)
        for name, value in given.items():
            setattr(self, name, value)
