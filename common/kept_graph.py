"""The state that remembers: what ``--keep-graph`` carries from window to window.

Where the chapter detaches the state, the kept graph lets the gradient of window k's mean loss l_k
flow on through every window since the state began, each with the weights theta_j that it met:

    g_k = sum over j <= k of dl_k / dtheta_j

One pullback a window is enough. That of window j takes the gradients of its loss and of its last
state to those of theta_j and of its first state, which is the last state of window j - 1:

    dl = 1, dH = 0
    for j = k, k - 1, ..., 1:   g, dH = pullback_j(dl, dH, g);   dl = 0

Time and memory of a step grow with the number of windows behind it; a new state begins with none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Pullback = Callable[[float, tuple[Any, ...], list[Any]], tuple[list[Any], tuple[Any, ...]]]
"""From dl, dH and the gradients so far to the gradients with this window's, and dH before it."""


class KeptState(tuple[Any, ...]):
    """A state, one tensor a layer, and the pullbacks of the windows behind it, oldest first."""

    pullbacks: tuple[Pullback, ...]

    def __new__(cls, H: Iterable[Any], pullbacks: tuple[Pullback, ...]) -> KeptState:
        """Put the two together."""
        state = super().__new__(cls, H)
        state.pullbacks = pullbacks
        return state


def pullbacks_behind(state: tuple[Any, ...]) -> tuple[Pullback, ...]:
    """Pullbacks of the windows behind a state; none behind one that was just begun."""
    return state.pullbacks if isinstance(state, KeptState) else ()


def through_all(
    pullbacks: tuple[Pullback, ...], dH: tuple[Any, ...], grads: list[Any]
) -> list[Any]:
    """The gradients of the last window's loss through all windows, added to those given.

    Args:
        pullbacks: of every window, the last one's too.
        dH: zeros, of the shape of the state.
        grads: zeros, of the shapes of the parameters.
    """
    dl = 1.0
    for pullback in reversed(pullbacks):
        grads, dH = pullback(dl, dH, grads)
        dl = 0.0
    return grads
