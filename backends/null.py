"""A backend that computes nothing: what a step costs on it is what the harness itself costs."""

from __future__ import annotations

from typing import Any

from common.interface import Description
from common.places import deterministic


def describe() -> Description:
    """A description without a framework."""
    same_bits = deterministic()
    return Description(
        versions={}, devices=("cpu",), threads=None, tf32=False, deterministic=same_bits
    )


def compilations() -> int:
    """Programs compiled so far: none."""
    return 0


def build(experiment: Any, variant: str, weights: Any) -> Null:
    """The model that does nothing, whatever the experiment."""
    return Null()


class Null:
    """The contract, as far as a timed step needs it."""

    device = "cpu"

    def begin_state(self, batch_size: int) -> None:
        """Return None: there is no state."""

    def train_step(self, X: Any, Y: Any, state: None) -> tuple[float, None]:
        """A loss of nothing, at once."""
        return 0.0, state

    def weights(self) -> dict[str, Any]:
        """An empty dict: there are no weights."""
        return {}

    def load_weights(self, weights: Any) -> None:
        """Ignore them: there is nothing to load."""

    def synchronize(self) -> None:
        """Return at once."""
