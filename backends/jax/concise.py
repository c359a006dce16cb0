"""The network from Flax's own layers: ``nnx.RNN``, ``nnx.SimpleCell``, ``nnx.Linear``, and Optax.

The module lives split into its graph and its variables; what computes is compiled by ``jax.jit``
and merges them again, the way that Flax advises where the cost of a call counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array as Tensor

from common.interface import Array, Gradients, Outputs, State

Graph: TypeAlias = nnx.GraphDef[Any]
Variables: TypeAlias = nnx.State[Any, Any]


class RNNLM(nnx.Module):
    """A recurrent layer and an output layer."""

    def __init__(
        self,
        vocab_size: int,
        num_hiddens: int,
        activation: Callable[[Tensor], Tensor],
        dtype: Any,
    ) -> None:
        kind = {"dtype": dtype, "param_dtype": dtype, "rngs": nnx.Rngs(0)}
        cell = nnx.SimpleCell(vocab_size, num_hiddens, activation_fn=activation, **kind)
        self.rnn: Any = nnx.RNN(cell, time_major=True, return_carry=True, rngs=False)
        self.linear = nnx.Linear(num_hiddens, vocab_size, **kind)

    def weights(self) -> tuple[Any, ...]:
        """The variables in canonical order; the cell has one bias, as the network has."""
        inputs, hiddens = self.rnn.cell.dense_i, self.rnn.cell.dense_h
        return inputs.kernel, hiddens.kernel, inputs.bias, self.linear.kernel, self.linear.bias

    def __call__(self, X: Tensor, state: State) -> Outputs[Tensor]:
        """Logits (steps x batch, V), time-major, and the state after the last step."""
        vocab_size, dtype = self.linear.out_features, self.linear.dtype
        (H,) = state
        H, hiddens = self.rnn(jax.nn.one_hot(X.T, vocab_size, dtype=dtype), initial_carry=H)
        return self.linear(hiddens).reshape(-1, vocab_size), (H,)


@cache
def optimizer(lr: float, theta: float) -> optax.GradientTransformation:
    """Stochastic gradient descent behind Optax's clipping (none where theta is 0)."""
    clipping = optax.clip_by_global_norm(theta) if theta else optax.identity()
    return optax.chain(clipping, optax.sgd(lr))


@partial(jax.jit, static_argnames="graph")
def apply(graph: Graph, variables: Variables, X: Tensor, state: State) -> Outputs[Tensor]:
    """The logits and the new state."""
    return nnx.merge(graph, variables)(X, state)


@partial(jax.jit, static_argnames="graph")
def loss_and_grads(
    graph: Graph, variables: Variables, X: Array, Y: Array, state: State
) -> tuple[Tensor, Variables, State]:
    """The mean loss, the gradients as variables are, and the new state."""

    def objective(variables: Variables) -> Outputs[Tensor]:
        logits, new_state = apply(graph, variables, X, state)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, Y.T.reshape(-1))
        return losses.mean(), new_state

    (l, state), grads = jax.value_and_grad(objective, has_aux=True)(variables)
    return l, grads, state


@partial(jax.jit, static_argnames=("graph", "tx"), donate_argnames="variables")
def update(
    graph: Graph,
    tx: optax.GradientTransformation,
    variables: Variables,
    opt_state: optax.OptState,
    X: Array,
    Y: Array,
    state: State,
) -> tuple[Tensor, State, Variables, optax.OptState]:
    """A step of the optimizer: the mean loss, the new state, variables and optimizer's state."""
    l, grads, state = loss_and_grads(graph, variables, X, Y, state)
    updates, opt_state = tx.update(grads, opt_state, variables)
    return l, state, optax.apply_updates(variables, updates), opt_state


class RNNModel:
    """The module and its optimizer; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        (vocab_size, num_hiddens), dtype = params[0].shape, params[0].dtype
        model = RNNLM(vocab_size, num_hiddens, getattr(jax.nn, activation), dtype)
        self.graph, self.variables = nnx.split(model)
        self.set_params(params)
        self.tx = optimizer(lr, theta)
        self.opt_state = self.tx.init(self.variables)

    @property
    def params(self) -> list[Tensor]:
        return self._canonical(self.variables)

    def set_params(self, values: Sequence[Tensor]) -> None:
        model = nnx.merge(self.graph, self.variables)
        for variable, value in zip(model.weights(), values, strict=True):
            variable.set_value(value)
        self.variables = nnx.state(model)

    def _canonical(self, variables: Variables) -> list[Tensor]:
        return [v.get_value() for v in nnx.merge(self.graph, variables).weights()]

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        return apply(self.graph, self.variables, jnp.asarray(X), state)

    def begin_state(self, batch_size: int) -> State:
        b_h = self.params[2]
        return (jnp.zeros((batch_size, len(b_h)), b_h.dtype, device=b_h.sharding),)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        l, grads, state = loss_and_grads(self.graph, self.variables, X, Y, state)
        return l, self._canonical(grads), state

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        before = self.variables, self.opt_state
        l, state, self.variables, self.opt_state = update(self.graph, self.tx, *before, X, Y, state)
        return l, state
