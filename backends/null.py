"""A backend that computes nothing: what a step costs on it is what the harness itself costs."""

from __future__ import annotations

from common.interface import Description


def describe():
    """Nothing computes here."""
    return Description(versions={}, devices=("cpu",), threads=None, tf32=False)


def compilations():
    """Nothing is compiled."""
    return 0


def build(experiment, variant, weights):
    """The model that does nothing, whatever the experiment."""
    return Null()


class Null:
    """As much of the contract as a timed step needs."""

    device = "cpu"

    def begin_state(self, batch_size):
        """No state."""

    def train_step(self, X, Y, state):
        """A loss of nothing, at once."""
        return 0.0, state

    def weights(self):
        """No weights."""
        return {}

    def load_weights(self, weights):
        """Takes none."""

    def synchronize(self):
        """There is nothing to wait for."""
