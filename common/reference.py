"""The network in float64 NumPy with hand-derived gradients: the executable specification.

It keeps the contract of `common.interface`, so whatever drives a backend drives it too, and every
backend is measured against it. Written to be checked by eye, not to be fast.

Backpropagation through time, with A_t the argument of act and N the number of tokens:

    dO_t = (softmax(O_t) - one_hot(Y_t)) / N
    dH_t = dO_t W_hq^T + dA_{t+1} W_hh^T          (the second term is absent at the last step)
    dA_t = dH_t * act'(A_t)
    dW_xh = sum_t one_hot(X_t)^T dA_t    dW_hh = sum_t H_{t-1}^T dA_t    db_h = sum_t dA_t
    dW_hq = sum_t H_t^T dO_t             db_q = sum_t dO_t

where every db also sums over the batch. No gradient flows into the initial state.
"""

from __future__ import annotations

import numpy as np

from common.experiment import Experiment
from common.interface import Array, State
from common.metrics import cross_entropy, log_softmax, time_major
from common.vocab import Vocab
from common.weights import Weights


def clip(grads: Weights, theta: float) -> Weights:
    """Scale all gradients together so that their norm is at most theta; 0 leaves them alone."""
    norm = np.sqrt(sum(float((g**2).sum()) for g in grads.values()))
    if theta == 0 or norm <= theta:
        return grads
    return {name: g * (theta / norm) for name, g in grads.items()}


class Reference:
    """The reference network; see `common.interface.Model` for what each method promises."""

    device = "cpu"

    def __init__(self, experiment: Experiment, weights: Weights) -> None:
        self.experiment = experiment
        self.load_weights(weights)

    def _act(self, A: Array) -> Array:
        return np.tanh(A) if self.experiment.activation == "tanh" else np.maximum(A, 0)

    def _act_derivative(self, H: Array) -> Array:
        """The derivative of act where its value is H."""
        return 1 - H**2 if self.experiment.activation == "tanh" else np.asarray(H > 0, H.dtype)

    def begin_state(self, batch_size: int) -> State:
        """Zeros (batch_size, H)."""
        return np.zeros((batch_size, len(self.params["b_h"])))

    def read_state(self, state: State) -> Array:
        """The state itself: here it is NumPy already."""
        return np.asarray(state)

    def _hidden_states(self, X: Array, state: State) -> Array:
        """H_0 ... H_T, stacked: (steps + 1, batch, H)."""
        W_xh, W_hh, b_h = (self.params[name] for name in ("W_xh", "W_hh", "b_h"))
        one_hot = np.eye(len(W_xh))
        H = [state]
        for X_t in X.T:
            H.append(self._act(one_hot[X_t] @ W_xh + H[-1] @ W_hh + b_h))
        return np.stack(H)

    def _logits(self, H: Array) -> Array:
        """(steps x batch, V), time-major, of hidden states (steps, batch, H)."""
        return H.reshape(-1, H.shape[2]) @ self.params["W_hq"] + self.params["b_q"]

    def forward(self, X: Array, state: State) -> tuple[Array, State]:
        """Logits and the new state."""
        H = self._hidden_states(X, state)
        return self._logits(H[1:]), H[-1]

    def loss_and_grads(self, X: Array, Y: Array, state: State) -> tuple[float, Weights, State]:
        """The loss, the five gradients as derived above, and the new state."""
        H = self._hidden_states(X, state)
        logits, labels = self._logits(H[1:]), time_major(Y)
        one_hot = np.eye(logits.shape[1])

        dO = (np.exp(log_softmax(logits)) - one_hot[labels]) / len(labels)
        dO = dO.reshape(*H[1:].shape[:2], -1)
        grads = {name: np.zeros_like(w) for name, w in self.params.items()}
        dA_next = np.zeros_like(state)
        for t in reversed(range(len(dO))):
            dH = dO[t] @ self.params["W_hq"].T + dA_next @ self.params["W_hh"].T
            dA = dH * self._act_derivative(H[t + 1])
            grads["W_xh"] += one_hot[X[:, t]].T @ dA
            grads["W_hh"] += H[t].T @ dA
            grads["b_h"] += dA.sum(axis=0)
            grads["W_hq"] += H[t + 1].T @ dO[t]
            grads["b_q"] += dO[t].sum(axis=0)
            dA_next = dA
        return cross_entropy(logits, labels), grads, H[-1]

    def train_step(self, X: Array, Y: Array, state: State) -> tuple[float, State]:
        """One clipped step of stochastic gradient descent."""
        loss, grads, state = self.loss_and_grads(X, Y, state)
        for name, g in clip(grads, self.experiment.clip_theta).items():
            self.params[name] = self.params[name] - self.experiment.lr * g
        return loss, state

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        """Greedy continuation of a prefix."""
        tokens = vocab[vocab.split(prefix)]
        logits, state = self.forward(np.array([tokens]), self.begin_state(1))
        for _ in range(num_preds):
            tokens.append(int(logits[-1].argmax()))
            logits, state = self.forward(np.array([tokens[-1:]]), state)
        return vocab.join(tokens)

    def weights(self) -> Weights:
        """Copies of the weights."""
        return {name: w.copy() for name, w in self.params.items()}

    def load_weights(self, weights: Weights) -> None:
        """Copies these weights."""
        self.params = {name: w.astype(np.float64) for name, w in weights.items()}

    def synchronize(self) -> None:
        """Nothing to wait for."""
