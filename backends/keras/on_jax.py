"""Keras on JAX: pure functions of the variables' values, compiled; between steps we keep these."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import numpy as np
from jax import Array as Tensor

from backends.jax.devices import describe as describe
from backends.jax.devices import device_memory_mb as device_memory_mb
from backends.jax.devices import taken as taken
from backends.keras import concise
from common.interface import Array, Gradients, Outputs, State

programs = 0


def count_compilations(event: str, duration_secs: float, **_: str | int) -> None:
    """Count what XLA compiles: JAX reports the seconds of every compilation."""
    global programs
    programs += event == "/jax/core/compile/backend_compile_duration"


jax.monitoring.register_event_duration_secs_listener(count_compilations)


def compilations() -> int:
    """Programs that XLA has compiled so far."""
    return programs


def to_numpy(tensor: Tensor) -> Array:
    """A tensor as an array, which may share its memory."""
    return np.asarray(tensor)


class RNNModel(concise.RNNModel):
    """The network and its step; see `common.interface.Network`."""

    def set_params(self, values: Sequence[Tensor]) -> None:
        super().set_params(values)
        self.values = [variable.value for variable in self.model.trainable_variables]
        self.fixed = [variable.value for variable in self.model.non_trainable_variables]
        self.slots = [variable.value for variable in self.optimizer.variables]

    @property
    def params(self) -> list[Tensor]:
        return self.values

    def logits(self, X: Array, state: State) -> tuple[Tensor, Tensor]:
        return logits(self, self.values, self.fixed, X, state)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        return loss_and_grads(self, self.values, self.fixed, X, Y, state)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        variables = self.values, self.fixed, self.slots
        l, state, self.values, self.slots = update(self, *variables, X, Y, state)
        return l, state


@partial(jax.jit, static_argnames="net")
def logits(
    net: RNNModel, values: list[Tensor], fixed: list[Tensor], X: Array, state: State
) -> tuple[Tensor, Tensor]:
    """Logits (batch, steps, V) and the new state."""
    found: tuple[Tensor, Tensor]
    found, _ = net.model.stateless_call(values, fixed, X, *state)
    return found


@partial(jax.jit, static_argnames="net")
def loss_and_grads(
    net: RNNModel, values: list[Tensor], fixed: list[Tensor], X: Array, Y: Array, state: State
) -> Gradients[Tensor]:
    """The mean loss, the gradients before clipping, and the new state."""

    def objective(values: list[Tensor]) -> Outputs[Tensor]:
        y_hat, H = logits(net, values, fixed, X, state)
        return net.loss(Y, y_hat), (H,)

    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(values)
    return l, grads, state


@partial(jax.jit, static_argnames="net")
def update(
    net: RNNModel,
    values: list[Tensor],
    fixed: list[Tensor],
    slots: list[Tensor],
    X: Array,
    Y: Array,
    state: State,
) -> tuple[Tensor, State, list[Tensor], list[Tensor]]:
    """Forward, backward, clip, update: the loss, the new state, values and optimizer's state."""
    l, grads, state = loss_and_grads(net, values, fixed, X, Y, state)
    values, slots = net.optimizer.stateless_apply(slots, grads, values)
    return l, state, values, slots
