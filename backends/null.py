"""A backend that computes nothing: what a step costs on it is what the harness itself costs."""

from __future__ import annotations

from typing import Any

from common.interface import Description


def describe() -> Description:
    """Nothing computes here."""
    return Description(versions={}, devices=("cpu",), threads=None, tf32=False)


def compilations() -> int:
    """Nothing is compiled."""
    return 0


def build(experiment: Any, variant: str, weights: Any) -> Null:
    """The model that does nothing, whatever the experiment."""
    return Null()


class Null:
    """As much of the contract as a timed step needs."""

    device = "cpu"

    def begin_state(self, batch_size: int) -> None:
        """No state."""

    def train_step(self, X: Any, Y: Any, state: None) -> tuple[float, None]:
        """A loss of nothing, at once."""
        return 0.0, state

    def weights(self) -> dict[str, Any]:
        """No weights."""
        return {}

    def load_weights(self, weights: Any) -> None:
        """Takes none."""

    def synchronize(self) -> None:
        """There is nothing to wait for."""
