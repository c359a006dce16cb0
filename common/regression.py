"""The models of section 9.1 in float64 NumPy with hand-derived gradients: their reference.

Both minimise the mean of (o - y)² over the N values of a minibatch, without the half that some of
the book's editions put before it, so with dO = 2 (O - Y) / N:

    linear regression   O = X W + b           dW = X^T dO        db = sum dO

    the RNN             A_t = x_t W_xh + H_{t-1} W_hh + b_h,  H_t = tanh(A_t),  O_t = H_t W_hq + b_q
                        dH_t = dO_t W_hq^T + dA_{t+1} W_hh^T
                        dA_t = dH_t * (1 - H_t²)
                        dW_xh = sum_t x_t^T dA_t   dW_hh = sum_t H_{t-1}^T dA_t   db_h = sum_t dA_t
                        dW_hq = sum_t H_t^T dO_t                                  db_q = sum_t dO_t

where every db also sums over the batch. The RNN begins each window with a state of zeros and its
gradients are clipped together; a prediction is fed back as the next input.
"""

from __future__ import annotations

import numpy as np

from common.array import Array
from common.reference import clip
from common.sequence import CLIP_THETA, ModelName, Regressor, SequenceExperiment
from common.weights import Weights


def build(settings: SequenceExperiment, model: ModelName, weights: Weights) -> Regressor:
    """The reference model with copies of these weights."""
    forms = {"linreg": LinearRegression, "rnn": RecurrentRegression}
    return forms[model](settings.lr, CLIP_THETA[model], weights)


class LinearRegression:
    """The value after a window (tau,), as a weighted sum of it."""

    def __init__(self, lr: float, theta: float, weights: Weights) -> None:
        self.lr, self.theta = lr, theta
        self.params = {name: w.astype(np.float64) for name, w in weights.items()}

    def loss_and_grads(self, X: Array, Y: Array) -> tuple[float, Weights]:
        """The mean squared error of X (batch, tau) against Y (batch, 1), and its gradients."""
        error = X @ self.params["W"] + self.params["b"] - Y
        dO = 2 * error / error.size
        return float((error**2).mean()), {"W": X.T @ dO, "b": dO.sum(axis=0)}

    def train_step(self, X: Array, Y: Array) -> float:
        """One clipped step of stochastic gradient descent: the loss before it."""
        loss, grads = self.loss_and_grads(X, Y)
        for name, g in clip(grads, self.theta).items():
            self.params[name] = self.params[name] - self.lr * g
        return loss

    def predict(self, X: Array, num_preds: int) -> Array:
        """The num_preds values after each window (n, tau): (n, num_preds)."""
        tau = X.shape[1]
        for _ in range(num_preds):
            O = X[:, -tau:] @ self.params["W"] + self.params["b"]
            X = np.hstack([X, O])
        return X[:, tau:]

    def weights(self) -> Weights:
        """Copies of the weights."""
        return {name: w.copy() for name, w in self.params.items()}


class RecurrentRegression(LinearRegression):
    """The value after each input of a window (num_steps,), by the recurrent network."""

    def _step(self, x: Array, H: Array) -> Array:
        """H_t for inputs (batch, 1) and H_{t-1} (batch, H)."""
        W_xh, W_hh, b_h = (self.params[name] for name in ("W_xh", "W_hh", "b_h"))
        return np.asarray(np.tanh(x @ W_xh + H @ W_hh + b_h))

    def _output(self, H: Array) -> Array:
        """O_t (..., 1) of H_t (..., H)."""
        return np.asarray(H @ self.params["W_hq"] + self.params["b_q"])

    def _hidden_states(self, X: Array) -> Array:
        """H_0 ... H_T, stacked: (num_steps + 1, batch, H)."""
        H = [np.zeros((len(X), len(self.params["b_h"])))]
        for x in X.T:
            H.append(self._step(x[:, None], H[-1]))
        return np.stack(H)

    def loss_and_grads(self, X: Array, Y: Array) -> tuple[float, Weights]:
        """The mean squared error of X against Y, both (batch, num_steps), and its gradients."""
        H = self._hidden_states(X)
        error = self._output(H[1:]) - Y.T[:, :, None]
        dO = 2 * error / error.size
        grads = {name: np.zeros_like(w) for name, w in self.params.items()}
        dA_next = np.zeros_like(H[0])
        for t in reversed(range(len(dO))):
            dH = dO[t] @ self.params["W_hq"].T + dA_next @ self.params["W_hh"].T
            dA = dH * (1 - H[t + 1] ** 2)
            grads["W_xh"] += X[:, t : t + 1].T @ dA
            grads["W_hh"] += H[t].T @ dA
            grads["b_h"] += dA.sum(axis=0)
            grads["W_hq"] += H[t + 1].T @ dO[t]
            grads["b_q"] += dO[t].sum(axis=0)
            dA_next = dA
        return float((error**2).mean()), grads

    def predict(self, X: Array, num_preds: int) -> Array:
        """The num_preds values after each window (n, num_steps): (n, num_preds)."""
        H = self._hidden_states(X)[-1]
        preds = [self._output(H)]
        for _ in range(num_preds - 1):
            H = self._step(preds[-1], H)
            preds.append(self._output(H))
        return np.hstack(preds)
