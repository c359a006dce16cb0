"""Verdicts about what a student wrote: printed, kept, and answered with code that is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common.array import Array
from common.errors import in_one_line
from common.mistakes import Quantities
from common.parity import relative_error

Function = Callable[..., Any]

CLOSE = 1e-4
"""Relative error below which a float32 result is that of NumPy."""

BLANK = "write your code where the dots are"

STOPS = {
    BLANK: BLANK,
    "ellipsis": BLANK,
    "NoneType": "something is None: is a return missing?",
    "one_hot": "one-hot takes whole numbers: leave X an integer tensor",
    "OneHot": "one-hot takes whole numbers: leave X an integer tensor",
    "second time": "the state still hangs on the minibatch before: detach it",
    "inplace operation": "the state still hangs on the minibatch before: detach it",
}
"""Hints for errors that a framework raises, by words in them."""


@dataclass(frozen=True)
class Framework:
    """A framework as the checks need it.

    Attributes:
        tensor: makes a tensor of a NumPy array.
        parameters: makes trainable tensors of NumPy arrays.
        trainable: True if a parameter has a gradient, or needs none to be attached.
        clip: calls a student's grad_clipping on gradients, NumPy in and out.
        page: the chapter's own functions, ``scratch.py``.
        load_data: makes minibatches and vocabulary of a corpus's name, batch_size and num_steps.
    """

    tensor: Callable[[Array], Any]
    parameters: Callable[[list[Array]], list[Any]]
    trainable: Callable[[Any], bool]
    clip: Callable[[Function, list[Array], float], list[Array]]
    page: Any
    load_data: Function


class Verdicts:
    """Verdicts by name, the last one about each.

    Attributes:
        verdicts: ``right``, or ``not yet`` and the reason.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, str] = {}

    def compare(
        self,
        name: str,
        student: Any,
        own: Any,
        compute: Callable[[], Quantities],
        right: Quantities | Array,
        wrong: dict[str, Any],
    ) -> Any:
        """Hold quantities against the right ones, then against those of each mistake.

        Args:
            name: of the verdict.
            student: given back where it is right.
            own: given back where it is not.
            compute: makes the quantities with the student's code.
            right: the quantities that are right; one array is for every name.
            wrong: the quantities of each mistake, by its hint.
        """

        def fault() -> str:
            found = compute()
            told = _errors(found, right)
            if not told:
                return ""
            return next((hint for hint, each in wrong.items() if not _errors(found, each)), told)

        return self.decide(name, student, own, fault)

    def decide(self, name: str, student: Any, own: Any, fault: Callable[[], str]) -> Any:
        """Print and keep the verdict: right where there is no fault.

        Returns:
            student where it is right, own where it is not.
        """
        try:
            told = fault()
        except Exception as error:  # the student's own, whatever it is
            said = in_one_line(error)
            hints = (hint for words, hint in STOPS.items() if words in said)
            told = next(hints, f"it stops with {said[:200]}")
        self.verdicts[name] = f"not yet: {told}" if told else "right"
        print(f"{name}: {self.verdicts[name]}")
        return own if told else student


def filled(result: Any) -> Any:
    """The result of a student's code.

    Raises:
        ValueError: it is the dots of a blank.
    """
    if result is ...:
        raise ValueError(BLANK)
    return result


def _errors(found: Quantities, right: Quantities | Array) -> str:
    """Words about the first quantity that is off; empty where none is."""
    expected = right if isinstance(right, dict) else dict.fromkeys(found, right)
    for name, value in expected.items():
        if found[name].shape != value.shape:
            return f"the shape of {name} is {found[name].shape}, not {value.shape}"
        error = relative_error(found[name], value)
        if not error <= CLOSE:
            return f"{name} is off by {error:.1g}"
    return ""
