"""The network from scratch and fast: backpropagation through time derived by hand, under XLA.

The network, over steps t = 1 ... T of a minibatch with N tokens in all:

    A_t = W_xh[X_t] + H_{t-1} W_hh + b_h      a one-hot row times W_xh is a row of W_xh
    H_t = act(A_t)
    O_t = H_t W_hq + b_q                      for all t in one product, after the loop
    l   = mean of -log softmax(O)[Y]

Its gradients, where d stands for the derivative of l (no gradient flows into H_0):

    dO   = (softmax(O) - one_hot(Y)) / N
    dH_t = dO_t W_hq' + dA_{t+1} W_hh'        the first term for all t in one product
    dA_t = dH_t * act'(H_t)                   act' by the value: 1 - H² for tanh, H > 0 for relu
    dW_hq = sum_t H_t' dO_t                   db_q = sum_t dO_t
    dW_hh = sum_t H_{t-1}' dA_t               db_h = sum_t dA_t
    dW_xh = dA_t added to the rows X_t

So each loop holds one product a step, and the loop backward carries dA alone. Three things are done
for XLA on a CPU:

- A_t and H_t share one buffer of T + 1 steps, dH_{t+1} and dA_{t+1} another: each loop turns one
  into the other in place. With dA_{T+1} = 0 and dO_0 = 0 the sums run over all of H_0 ... H_T, so
  dW_hh and dW_hq share one transposed copy of it.
- The products of one step are too small to gain much from two threads, but the sequences of a
  minibatch are independent: a part for each core runs beside the others, and their gradients are
  added.
- States and logits of many sequences are larger than a core's cache, so they are worked on in
  blocks that are not (`common.blocks`), and the gradients of blocks are added.
- The old parameters are donated to the update, which writes the new ones into their place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array as Tensor
from jax import lax

from common.blocks import cache_holds, cores, number_of_blocks, number_of_parts
from common.interface import Array, Gradients, Outputs, State
from common.places import deterministic

Act = Callable[[Tensor], Tensor]
Part = tuple[Tensor, list[Tensor], Tensor]
DERIVATIVES: dict[Act, Act] = {jax.nn.tanh: lambda H: 1 - H * H, jax.nn.relu: lambda H: H > 0}


BY_PRODUCT = deterministic() and os.environ.get("JAX_PLATFORMS") != "cpu"


def hidden_states(params: list[Tensor], X: Tensor, H_0: Tensor, activation: Act) -> Tensor:
    """H_0 ... H_T of indices X (batch, steps): (steps + 1, batch, H)."""
    W_xh, W_hh, b_h, _, _ = params
    H = jnp.concatenate([H_0[None], (W_xh + b_h)[X.T]])

    def step(t: Tensor, carry: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        H_t, H = carry
        H_t = activation(H[t] + H_t @ W_hh)
        return H_t, lax.dynamic_update_index_in_dim(H, H_t, t, 0)

    return lax.fori_loop(1, len(H), step, (H_0, H))[1]


def rows(steps: Tensor) -> Tensor:
    """(steps, batch, n) as (steps x batch, n)."""
    return steps.reshape(-1, steps.shape[-1])


@partial(jax.jit, static_argnames="activation")
def apply(params: list[Tensor], X: Tensor, state: State, activation: Act) -> Outputs[Tensor]:
    """The logits (steps x batch, V) and the new state."""
    (H_0,) = state
    H = hidden_states(params, X, H_0, activation)
    return rows(H[1:]) @ params[3] + params[4], (H[-1],)


def softmax_gradient(O: Tensor, Y: Tensor, num_tokens: int) -> tuple[Tensor, Tensor]:
    """The summed loss of logits O (n, V) against labels Y (n,), and dO, both over num_tokens."""
    largest = O.max(axis=1, keepdims=True)
    exp = jnp.exp(O - largest)
    total = exp.sum(axis=1, keepdims=True)
    l = (jnp.log(total) + largest - jnp.take_along_axis(O, Y[:, None], axis=1)).sum() / num_tokens
    one_hot = Y[:, None] == jnp.arange(O.shape[1])
    return l, exp * (1 / (total * num_tokens)) - jnp.where(one_hot, 1 / num_tokens, 0)


def hidden_gradients(dO: Tensor, H: Tensor, params: list[Tensor], activation: Act) -> Tensor:
    """dA_1 ... dA_T, and zeros for the step after the last: (steps + 1, batch, H)."""
    _, W_hh, _, W_hq, _ = params
    W_hh_T = lax.optimization_barrier(W_hh.T)  # transposed once, not at every step
    derivative = DERIVATIVES[activation]
    dA = (rows(jnp.pad(dO, ((0, 1), (0, 0), (0, 0)))) @ W_hq.T).reshape(H.shape)
    last = len(H) - 2

    def step(i: Tensor, carry: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        dA_next, dA = carry
        t = last - i
        dA_t = (dA[t] + dA_next @ W_hh_T) * derivative(H[t + 1])
        return dA_t, lax.dynamic_update_index_in_dim(dA, dA_t, t, 0)

    return lax.fori_loop(0, last + 1, step, (dA[-1], dA))[1]


def sum_by_token(dA: Tensor, X: Tensor, vocab_size: int) -> Tensor:
    """The rows of dA (N, H) summed by the tokens X (N,): (V, H).

    Where the bits must be the same each time, as a product: a GPU scatters in any order.
    """
    if BY_PRODUCT:
        return jax.nn.one_hot(X, vocab_size, dtype=dA.dtype).T @ dA
    return jnp.zeros((vocab_size, dA.shape[1]), dA.dtype).at[X].add(dA)


def gradients(
    params: list[Tensor], X: Tensor, Y: Tensor, H_0: Tensor, num_tokens: int, activation: Act
) -> Part:
    """The share of some sequences in the mean loss and in the gradients, and their H_T."""
    W_xh, _, _, W_hq, b_q = params
    H = hidden_states(params, X, H_0, activation)
    l, dO = softmax_gradient(rows(H[1:]) @ W_hq + b_q, Y.T.reshape(-1), num_tokens)
    dO = dO.reshape(*Y.T.shape, len(b_q))
    dA = hidden_gradients(dO, H, params, activation)

    H_T = lax.optimization_barrier(rows(H).T)
    dW_xh = sum_by_token(rows(dA[:-1]), X.T.reshape(-1), len(W_xh))
    dW_hq = H_T @ rows(jnp.pad(dO, ((1, 0), (0, 0), (0, 0))))
    # each token's dA_t lies in one row of dW_xh
    return l, [dW_xh, H_T @ rows(dA), dW_xh.sum(0), dW_hq, rows(dO).sum(0)], H[-1]


@partial(jax.jit, static_argnames=("part", "parts", "in_blocks", "activation"))
def part_of_gradients(
    params: list[Tensor],
    X: Tensor,
    Y: Tensor,
    state: State,
    part: int,
    parts: int,
    in_blocks: bool,
    activation: Act,
) -> Part:
    """A part's share of the mean loss and of the gradients, and its last hidden state."""
    batch_size, num_tokens = len(X), X.size
    of_part = slice(part * batch_size // parts, (part + 1) * batch_size // parts)
    X, Y, H_0 = X[of_part], Y[of_part], state[0][of_part]
    count = 1
    if in_blocks:
        count = number_of_blocks(len(X), X.shape[1], H_0.shape[1], len(params[0]))
    if count == 1:
        return gradients(params, X, Y, H_0, num_tokens, activation)

    def add(sums: Any, block: tuple[Tensor, Tensor, Tensor]) -> tuple[Any, Tensor]:
        l, grads, H_T = gradients(params, *block, num_tokens, activation)
        return jax.tree.map(jnp.add, sums, (l, grads)), H_T

    X, Y, H_0 = (Z.reshape(count, -1, *Z.shape[1:]) for Z in (X, Y, H_0))
    zeros = jnp.zeros((), H_0.dtype), [jnp.zeros_like(param) for param in params]
    (l, grads), H_T = lax.scan(add, zeros, (X, Y, H_0))
    return l, grads, rows(H_T)


@jax.jit
def whole(parts: list[Part]) -> Gradients[Tensor]:
    """The mean loss, the gradients and the new state of all parts together."""
    losses, grads, states = zip(*parts, strict=True)
    return sum(losses), [sum(g) for g in zip(*grads, strict=True)], (jnp.concatenate(states),)


@partial(jax.jit, static_argnames=("lr", "theta"), donate_argnames="params")
def update(
    params: list[Tensor], parts: list[Part], lr: float, theta: float
) -> tuple[Tensor, State, list[Tensor]]:
    """Clip (not where theta is 0) and descend: the mean loss, the new state and parameters."""
    l, grads, state = whole(parts)
    if theta:
        norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in grads))
        lr *= jnp.where(norm > theta, theta / norm, 1)
    return l, state, [param - lr * g for param, g in zip(params, grads, strict=True)]


CORES = cores()
# XLA runs one after the other what one thread gives it, so each part has a thread.
other_threads = ThreadPoolExecutor(max(1, CORES - 1))


class RNNModelFused:
    """The parameters and the functions that train them; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.params = params
        self.activation, self.lr, self.theta = getattr(jax.nn, activation), lr, theta
        device: Any = params[0].device
        self.on_cpu = device.platform == "cpu"

    def set_params(self, values: Sequence[Tensor]) -> None:
        self.params = list(values)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        return apply(self.params, jnp.asarray(X), state, self.activation)

    def begin_state(self, batch_size: int) -> State:
        b_h = self.params[2]
        return (jnp.zeros((batch_size, len(b_h)), b_h.dtype, device=b_h.sharding),)

    def _parts(self, X: Array, Y: Array, state: State) -> list[Part]:
        in_parts = self.on_cpu and cache_holds(len(self.params[2]))
        parts = number_of_parts(len(X), CORES) if in_parts else 1

        def of(part: int) -> Part:
            return part_of_gradients(
                self.params, X, Y, state, part, parts, self.on_cpu, self.activation
            )

        others = [other_threads.submit(of, part) for part in range(1, parts)]
        return [of(0), *(other.result() for other in others)]

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        return whole(self._parts(X, Y, state))

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        parts = self._parts(X, Y, state)
        l, state, self.params = update(self.params, parts, self.lr, self.theta)
        return l, state
