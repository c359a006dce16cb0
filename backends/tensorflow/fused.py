"""The network from scratch and as fast as TensorFlow allows: backpropagation written by hand.

With A_t = W_xh[X_t] + H_{t-1} W_hh + b_h, H_t = act(A_t), O = H W_hq + b_q and N tokens,

    dO = (softmax(O) - one_hot(Y)) / N
    dH_t = dO_t W_hq' + dA_{t+1} W_hh'       (the second term is absent at the last step)
    dA_t = dH_t * act'(A_t)                  (which H_t is enough to tell)
    dW_hh = sum_t H_{t-1}' dA_t              db_h = sum_t dA_t
    dW_xh: dA_t is added to row X_t          (W_xh[X_t] is a row, so there is no one-hot input)
    dW_hq = H' dO                            db_q = sum dO

Only H_t and dA_t go from step to step. So the two loops over time hold one product each, with W_hh
and with its transpose; all other products, gathers and sums are over all steps at once.

The products in the loops are too small to be shared between cores, so the minibatch is cut into a
slice for each core. XLA compiles the work on a slice as one program and the update as another;
TensorFlow's graph runs the slices side by side, where one XLA program would run them in turn. The
products dW_hh and dW_hq stay outside: TensorFlow has oneDNN for them, which takes a transposed
matrix as it lies and is faster than XLA. A slice whose states and logits are larger than a core's
cache is worked on in blocks that are not, products included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import Tensor

from common.blocks import cache_holds, cores, number_of_blocks, number_of_parts
from common.interface import Array, Gradients, Outputs, State
from common.places import deterministic

ACTIVATIONS = {"tanh": tf.tanh, "relu": tf.nn.relu}
DERIVATIVES = {"tanh": lambda H: 1 - H * H, "relu": lambda H: tf.cast(H > 0, H.dtype)}

CORES = cores()
BY_PRODUCT = deterministic() and bool(tf.config.list_physical_devices("GPU"))

Slice = tuple[Tensor, list[Tensor], Tensor]


class RNNModelFused:
    """The network with its gradients, clipping and update; see `common.interface.Network`."""

    def __init__(self, params: list[Tensor], activation: str, lr: float, theta: float) -> None:
        self.params, self.activation, self.lr, self.theta = params, activation, lr, theta
        # By the shape of X: TensorFlow's own look-up takes longer.
        self.train_steps: dict[Any, Any] = {}

    def set_params(self, values: Sequence[Tensor]) -> None:
        for param, value in zip(self.params, values, strict=True):
            param.assign(value)

    def begin_state(self, batch_size: int) -> State:
        W_hh = self.params[1]
        return (tf.zeros((batch_size, W_hh.shape[0]), W_hh.dtype),)

    def __call__(self, X: Array, state: State) -> Outputs[Tensor]:
        O, H = forward(self.params, X, *state, self.activation)
        return O, (H,)

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> Gradients[Tensor]:
        l, grads, H = loss_and_grads(self, X, Y, *state)
        return l, grads, (H,)

    def train_step(self, X: Array, Y: Array, state: State) -> Outputs[Tensor]:
        X, Y = tf.constant(X), tf.constant(Y)
        if X.shape not in self.train_steps:
            self.train_steps[X.shape] = train_step.get_concrete_function(self, X, Y, *state)
        l, H = self.train_steps[X.shape](self, X, Y, *state)
        return l, (H,)


def hidden_states(weights: list[Tensor], X: Tensor, H: Tensor, activation: str) -> Tensor:
    """H_1 to H_T, (steps, batch, H), for inputs X (steps, batch)."""
    W_xh, W_hh, b_h, _, _ = weights
    table, num_steps = W_xh + b_h, X.shape[0]
    Hs = tf.TensorArray(H.dtype, num_steps, element_shape=H.shape)

    def step(t: Tensor, H: Tensor, Hs: tf.TensorArray) -> tuple[Tensor, Tensor, Tensor]:
        H = ACTIVATIONS[activation](tf.gather(table, X[t]) + H @ W_hh)
        return t + 1, H, Hs.write(t, H)

    *_, Hs = tf.while_loop(
        lambda t, *_: t < num_steps, step, (0, H, Hs), maximum_iterations=num_steps
    )
    return Hs.stack()


def rows(steps: Tensor) -> Tensor:
    """(steps, batch, n) as (steps x batch, n)."""
    return tf.reshape(steps, (-1, steps.shape[-1]))


def input_gradients(weights: list[Tensor], Hs: Tensor, dHs: Tensor, activation: str) -> Tensor:
    """dA_1 to dA_T of dH_1 to dH_T without what comes from later steps, all (steps, batch, H)."""
    W_hh_T = tf.transpose(weights[1])  # once: a product with a transposed matrix is slower
    num_steps = Hs.shape[0]
    dAs = tf.TensorArray(Hs.dtype, num_steps, element_shape=Hs.shape[1:])

    def step(t: Tensor, later: Tensor, dAs: tf.TensorArray) -> tuple[Tensor, Tensor, Tensor]:
        dA = (dHs[t] + later) * DERIVATIVES[activation](Hs[t])
        return t - 1, dA @ W_hh_T, dAs.write(t, dA)

    start = (num_steps - 1, tf.zeros_like(Hs[0]), dAs)
    *_, dAs = tf.while_loop(lambda t, *_: t >= 0, step, start, maximum_iterations=num_steps)
    return dAs.stack()


def cross_entropy(O: Tensor, Y: Tensor, num_tokens: int) -> tuple[Tensor, Tensor]:
    """The sum of the losses of logits O (N, V) against labels Y (N,) over num_tokens, and dO."""
    largest = tf.reduce_max(O, axis=1, keepdims=True)
    exp = tf.exp(O - largest)
    total = tf.reduce_sum(exp, axis=1, keepdims=True)
    right = tf.range(O.shape[1]) == Y[:, None]
    losses = tf.math.log(total) + largest - tf.gather(O, Y, batch_dims=1)[:, None]
    dO = exp / (total * num_tokens) - tf.where(right, tf.constant(1 / num_tokens, O.dtype), 0)
    return sum_of_rows(losses)[0] / num_tokens, dO


def sum_of_rows(A: Tensor) -> Tensor:
    """The sum of the rows of (N, n): added up in float64, for XLA adds them one by one."""
    return tf.cast(tf.reduce_sum(tf.cast(A, tf.float64), axis=0), A.dtype)


def sum_by_token(dA: Tensor, X: Tensor, vocab_size: int) -> Tensor:
    """The rows of dA (N, H) summed by the tokens X (N,): (V, H).

    Where the bits must be the same each time, as a product: a GPU scatters in any order.
    """
    if BY_PRODUCT:
        return tf.matmul(tf.one_hot(X, vocab_size, dtype=dA.dtype), dA, transpose_a=True)
    return tf.math.unsorted_segment_sum(dA, X, vocab_size)


@tf.function(jit_compile=True, autograph=False)
def forward(weights: list[Tensor], X: Tensor, H: Tensor, activation: str) -> tuple[Tensor, Tensor]:
    """Logits (steps x batch, V), time-major, and the last hidden state."""
    Hs = hidden_states(weights, tf.transpose(X), H, activation)
    return rows(Hs) @ weights[3] + weights[4], Hs[-1]


@tf.function(jit_compile=True, autograph=False)
def gradients(
    weights: list[Tensor], X: Tensor, Y: Tensor, H: Tensor, activation: str, num_tokens: int
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """The share of some sequences in the mean loss, in dW_xh, db_h and db_q; H_0 to H_T, dA, dO.

    The last three are of all steps, (steps, batch, n), and H of one more.
    """
    W_xh, _, _, W_hq, b_q = weights
    X, Y = tf.transpose(X), tf.reshape(tf.transpose(Y), [-1])
    Hs = hidden_states(weights, X, H, activation)
    l, dO = cross_entropy(rows(Hs) @ W_hq + b_q, Y, num_tokens)
    dHs = tf.reshape(tf.matmul(dO, W_hq, transpose_b=True), Hs.shape)
    dA = input_gradients(weights, Hs, dHs, activation)
    dW_xh = sum_by_token(rows(dA), tf.reshape(X, [-1]), W_xh.shape[0])
    db_h = tf.reduce_sum(dW_xh, axis=0)  # each token's dA_t lies in one row of dW_xh
    factors = [tf.concat([H[None], Hs], axis=0), dA, tf.reshape(dO, (*X.shape, -1))]
    return l, [dW_xh, db_h, sum_of_rows(dO)], factors


def with_products(sums: list[Tensor], factors: list[Tensor]) -> list[Tensor]:
    """The five gradients: dW_hh and dW_hq are products of H with dA and with dO."""
    dW_xh, db_h, db_q = sums
    H, dA, dO = factors
    dW_hh = tf.matmul(rows(H[:-1]), rows(dA), transpose_a=True)
    dW_hq = tf.matmul(rows(H[1:]), rows(dO), transpose_a=True)
    return [dW_xh, dW_hh, db_h, dW_hq, db_q]


def slice_grads(
    weights: list[Tensor],
    X: Tensor,
    Y: Tensor,
    H: Tensor,
    activation: str,
    num_tokens: int,
    in_blocks: bool,
) -> Slice:
    """A slice's share of the mean loss and of the gradients, and its last hidden state."""
    count = 1
    if in_blocks:
        count = number_of_blocks(X.shape[0], X.shape[1], H.shape[1], weights[0].shape[0])
    if count > 1:
        return blocks_grads(weights, X, Y, H, activation, num_tokens, count)
    l, sums, factors = gradients(weights, X, Y, H, activation, num_tokens)
    return l, with_products(sums, factors), factors[0][-1]


@tf.function(jit_compile=True, autograph=False)
def blocks_grads(
    weights: list[Tensor],
    X: Tensor,
    Y: Tensor,
    H: Tensor,
    activation: str,
    num_tokens: int,
    count: int,
) -> Slice:
    """The same of a slice in so many equal blocks, one after the other."""
    X, Y, H = (tf.reshape(Z, (count, -1, *Z.shape[1:])) for Z in (X, Y, H))
    last = tf.TensorArray(H.dtype, count, element_shape=H.shape[1:])

    def add(i: Tensor, sums: list[Tensor], last: tf.TensorArray) -> tuple[Tensor, Any, Any]:
        l, of_block, factors = gradients(weights, X[i], Y[i], H[i], activation, num_tokens)
        found = [l, *with_products(of_block, factors)]
        sums = [a + b for a, b in zip(sums, found, strict=True)]
        return i + 1, sums, last.write(i, factors[0][-1])

    start = (0, [tf.zeros((), H.dtype), *map(tf.zeros_like, weights)], last)
    _, (l, *grads), last = tf.while_loop(
        lambda i, *_: i < count, add, start, maximum_iterations=count
    )
    return l, grads, tf.reshape(last.stack(), (-1, H.shape[2]))


@tf.function(jit_compile=True, autograph=False)
def update(
    params: list[Tensor],
    losses: Sequence[Tensor],
    grads: Sequence[list[Tensor]],
    lr: float,
    theta: float,
) -> Tensor:
    """Clip and update by the sum of the gradients of slices; the sum of their losses."""
    sums = [sum(slices) for slices in zip(*grads, strict=True)]
    if theta:
        norm = tf.sqrt(sum(tf.reduce_sum(grad * grad) for grad in sums))
        lr *= tf.where(norm > theta, theta / norm, 1)
    for param, grad in zip(params, sums, strict=True):
        param.assign_sub(lr * grad)
    return sum(losses)


def all_slices(model: RNNModelFused, X: Tensor, Y: Tensor, H: Tensor) -> Iterator[Any]:
    """The losses, gradients and last hidden states of every slice."""
    batch_size, num_steps = X.shape
    on_cpu = "GPU" not in model.params[0].device
    in_slices = on_cpu and cache_holds(H.shape[1])
    count = number_of_parts(batch_size, CORES) if in_slices else 1
    sizes = [(batch_size + i) // count for i in range(count)]
    weights = [param.read_value() for param in model.params]  # one value for all
    slices = zip(tf.split(X, sizes), tf.split(Y, sizes), tf.split(H, sizes), strict=True)
    settings = model.activation, batch_size * num_steps, on_cpu
    done = [slice_grads(weights, X, Y, H, *settings) for X, Y, H in slices]
    return zip(*done, strict=True)


@tf.function(autograph=False)
def loss_and_grads(
    model: RNNModelFused, X: Tensor, Y: Tensor, H: Tensor
) -> tuple[Tensor, list[Tensor], Tensor]:
    """The mean loss, the gradients before clipping, and the last hidden state."""
    losses, grads, H = all_slices(model, X, Y, H)
    return sum(losses), [sum(slices) for slices in zip(*grads, strict=True)], tf.concat(H, axis=0)


@tf.function(autograph=False)
def train_step(model: RNNModelFused, X: Tensor, Y: Tensor, H: Tensor) -> tuple[Tensor, Tensor]:
    """A clipped step of gradient descent: the mean loss before it, the last hidden state."""
    losses, grads, H = all_slices(model, X, Y, H)
    return update(model.params, losses, grads, model.lr, model.theta), tf.concat(H, axis=0)


COMPILED = [forward, gradients, blocks_grads, update, loss_and_grads, train_step]
