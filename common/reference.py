"""The network in float64 NumPy with hand-derived gradients: the executable specification.

It keeps the contract of `common.interface`, so whatever drives a backend drives it too, and every
backend is measured against it. Written to be checked by eye, not to be fast. In float32 it shows
what rounding alone does (`common.reordered`).

A layer takes the hidden states of the one below, and the first layer the inputs E_t:

    E_t = one_hot(X_t), or its embedding one_hot(X_t) W_emb
    A_t = E_t W_xh + H_{t-1} W_hh + b_h      H_t = act(A_t)
    O_t = H_t W_hq + b_q                     of the last layer

Backpropagation through time, with N the number of tokens, dl the gradient that reaches the mean
loss (1) and dS that which reaches the state after the last step (0, unless later windows kept the
graph):

    dO_t = dl (softmax(O_t) - one_hot(Y_t)) / N
    dW_hq = sum_t H_t^T dO_t             db_q = sum_t dO_t
    dH_t = dO_t W_hq^T                   of the last layer, from above
    dA_t = (dH_t + dA_{t+1} W_hh^T) * act'(A_t)     at the last step dS for dA_{t+1} W_hh^T
    dW_xh = sum_t E_t^T dA_t    dW_hh = sum_t H_{t-1}^T dA_t    db_h = sum_t dA_t
    dE_t = dA_t W_xh^T                   which is dH_t of the layer below
    dW_emb = sum_t one_hot(X_t)^T dE_t

where every db also sums over the batch. The gradient of a layer's first state is dA_1 W_hh^T: it
is dropped, or with a kept graph becomes the dS of the window before (`common.kept_graph`).
"""

from __future__ import annotations

import numpy as np

from common.array import Array
from common.decoding import chooser
from common.experiment import Activation, DType, Experiment
from common.interface import State
from common.kept_graph import KeptState, pullbacks_behind, through_all
from common.metrics import cross_entropy, log_softmax, time_major
from common.vocab import Vocab
from common.weights import Weights, by_layer


def clip(grads: Weights, theta: float) -> Weights:
    """Scale all gradients together so that their norm is at most theta; 0 leaves them alone."""
    norm = float(np.sqrt(sum((g**2).sum() for g in grads.values())))
    if theta == 0 or norm <= theta:
        return grads
    return {name: g * (theta / norm) for name, g in grads.items()}


def total(A: Array, B: Array) -> Array:
    """``sum_t A_t^T B_t``, of arrays (steps, batch, width)."""
    return np.asarray(A.reshape(-1, A.shape[-1]).T @ B.reshape(-1, B.shape[-1]))


class Window:
    """A minibatch that went through the network, with the weights it met.

    Attributes:
        E: input of each layer, (steps, batch, width).
        H: its states H_0 ... H_T, (steps + 1, batch, H).
        logits: (steps x batch, V), time-major.
    """

    def __init__(self, params: Weights, activation: Activation, X: Array, state: State) -> None:
        self.params, self.activation = params, activation
        self.W_emb, self.layers, self.output = by_layer([*params])
        b_q = params["b_q"]
        self.one_hot = np.eye(len(b_q), dtype=b_q.dtype)[X.T]
        self.E = [self.one_hot @ params[self.W_emb] if self.W_emb else self.one_hot]
        self.H: list[Array] = []
        for S, (W_xh, W_hh, b_h) in zip(state, self.layers, strict=True):
            H = [S]
            for E_t in self.E[-1]:
                H.append(self._act(E_t @ params[W_xh] + H[-1] @ params[W_hh] + params[b_h]))
            self.H.append(np.stack(H))
            self.E.append(self.H[-1][1:])
        W_hq = params[self.output[0]]
        self.logits = (self.E[-1] @ W_hq + b_q).reshape(-1, len(b_q))
        self.state = tuple(H[-1] for H in self.H)

    def _act(self, A: Array) -> Array:
        return np.tanh(A) if self.activation == "tanh" else np.maximum(A, 0)

    def _act_derivative(self, H: Array) -> Array:
        """The derivative of act where its value is H."""
        return 1 - H**2 if self.activation == "tanh" else np.asarray(H > 0, H.dtype)

    def back(self, Y: Array, dl: float, dS: State) -> tuple[Weights, State]:
        """The gradients of the weights and of the first state, as derived above."""
        params = self.params
        grads: Weights = {}
        dS_before: list[Array] = []
        labels, (W_hq, b_q) = time_major(Y), self.output
        dO = np.exp(log_softmax(self.logits))
        dO[np.arange(len(labels)), labels] -= 1
        dO = (dl * dO / len(labels)).reshape(*self.E[-1].shape[:2], -1)
        grads[W_hq], grads[b_q] = total(self.E[-1], dO), dO.sum(axis=(0, 1))
        dH = dO @ params[W_hq].T
        for i in reversed(range(len(self.layers))):
            W_xh, W_hh, b_h = self.layers[i]
            dA, later = np.empty_like(dH), dS[i]
            for t in reversed(range(len(dH))):
                dA[t] = (dH[t] + later) * self._act_derivative(self.H[i][t + 1])
                later = dA[t] @ params[W_hh].T
            dS_before.insert(0, later)
            grads[W_xh], grads[W_hh] = total(self.E[i], dA), total(self.H[i][:-1], dA)
            grads[b_h] = dA.sum(axis=(0, 1))
            dH = dA @ params[W_xh].T
        if self.W_emb:
            grads[self.W_emb] = total(self.one_hot, dH)
        return grads, tuple(dS_before)


class Reference:
    """The reference network; see `common.interface.Model` for what each method promises."""

    device = "cpu"

    def __init__(self, experiment: Experiment, weights: Weights, dtype: DType = "float64") -> None:
        self.experiment, self.dtype = experiment, dtype
        self.params: Weights = {}
        self.load_weights(weights)

    def begin_state(self, batch_size: int) -> State:
        """Zeros (batch_size, H), for each layer."""
        shape = batch_size, len(self.params["b_h"])
        return tuple(np.zeros(shape, self.dtype) for _ in range(self.experiment.num_layers))

    def read_state(self, state: State) -> Array:
        """The states of the layers in one array (layers, batch, H)."""
        return np.stack(state)

    def write_state(self, H: Array) -> State:
        """The states of the layers, apart again."""
        return tuple(H.astype(self.dtype))

    def _window(self, X: Array, state: State) -> Window:
        return Window(self.params, self.experiment.activation, X, state)

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        """Logits (steps x batch, V), time-major, and the new state."""
        window = self._window(X, state)
        return window.logits, window.state

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        """The loss, the gradients as derived above, and the new state."""
        window = self._window(X, state)

        def pullback(dl: float, dS: State, grads: list[Array]) -> tuple[list[Array], State]:
            found, dS = window.back(Y, dl, dS)
            return [g + found[name] for name, g in zip(self.params, grads, strict=True)], dS

        pullbacks = (*pullbacks_behind(state), pullback)
        zeros = [np.zeros_like(w) for w in self.params.values()]
        grads = through_all(pullbacks, tuple(map(np.zeros_like, window.state)), zeros)
        loss = cross_entropy(window.logits, time_major(Y), self.dtype)
        kept = KeptState(window.state, pullbacks) if self.experiment.keep_graph else window.state
        return loss, dict(zip(self.params, grads, strict=True)), kept

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        """One clipped step of stochastic gradient descent."""
        loss, grads, state = self.loss_and_grads(X, Y, state)
        clipped = clip(grads, self.experiment.clip_theta)
        lr = self.experiment.lr
        self.params = {name: w - lr * clipped[name] for name, w in self.params.items()}
        return loss, state

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        """The continuation of a prefix."""
        choose = chooser(self.experiment)
        tokens = vocab[vocab.split(prefix)]
        logits, state = self.forward(np.array([tokens]), self.begin_state(1))
        for _ in range(num_preds):
            tokens.append(choose(logits[-1]))
            logits, state = self.forward(np.array([tokens[-1:]]), state)
        return vocab.join(tokens)

    def weights(self) -> Weights:
        """Copies of the weights."""
        return {name: w.copy() for name, w in self.params.items()}

    def load_weights(self, weights: Weights) -> None:
        """Copies these weights."""
        shapes = self.experiment.shapes(len(weights["b_q"]))
        self.params = {name: weights[name].astype(self.dtype) for name in shapes}

    def synchronize(self) -> None:
        """Nothing to wait for."""
