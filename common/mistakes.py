"""Mistakes that people make in the blanks of the functional chapter, in NumPy and float64.

Each function takes a hint: the words that help who made a mistake. Without one it does it right.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from common.array import Array
from common.vocab import Vocab

Quantities = dict[str, Array]

SHAPES = (5, 4), (4, 4), (4,), (4, 5), (5,)
"""W_xh, W_hh, b_h, W_hq, b_q of the small network that is checked."""

FORWARD = (
    "is b_h left out?",
    "is b_q left out?",
    "W_hh is transposed",
    "the state does not go on from step to step",
    "the outputs are logits: no softmax here, the loss does that",
    "the activation is tanh",
    "outputs are joined along time, the first dimension",
)


def forward_pass(inputs: Array, H: Array, weights: list[Array], hint: str) -> Quantities:
    """Outputs and state for inputs (num_steps, batch, vocab) from a state H (batch, hiddens)."""
    W_xh, W_hh, b_h, W_hq, b_q = weights
    W_hh = W_hh.T if hint == "W_hh is transposed" else W_hh
    outputs, first = [], H
    for X in inputs:
        A = X @ W_xh + H @ W_hh + (0 if hint == "is b_h left out?" else b_h)
        new = np.maximum(A, 0) if hint == "the activation is tanh" else np.tanh(A)
        O = new @ W_hq + (0 if hint == "is b_q left out?" else b_q)
        if "softmax" in hint:
            O = np.exp(O) / np.exp(O).sum(axis=-1, keepdims=True)
        outputs.append(O)
        H = first if "does not go on" in hint else new
    joined = np.concatenate(outputs)
    if "joined along" in hint:
        joined = np.stack(outputs, axis=1).reshape(joined.shape)
    return {"the outputs": joined, "the state": new}


PREDICTION = (
    "warm the state up on the prefix before predicting",
    "the last token of the prefix is read twice",
    "take the largest output over the vocabulary, the last dimension",
    "take the largest output, not the smallest",
    "the state does not go on from token to token",
)


def written(prefix: str, num_preds: int, vocab: Vocab, weights: list[Array], hint: str) -> str:
    """Text after a prefix, by a network that begins with a state of zeros."""
    tokens, H = [vocab[char] for char in prefix], np.zeros((1, 4))

    def step(token: int) -> Array:
        nonlocal H
        before = np.zeros((1, 4)) if "does not go on" in hint else H
        found = forward_pass(np.eye(5)[[[token]]], before, weights, "")
        H = found["the state"]
        logits: Array = found["the outputs"][0]
        return logits

    if "warm" not in hint:
        for token in tokens if "read twice" in hint else tokens[:-1]:
            step(token)
    for _ in range(num_preds):
        O = step(tokens[-1])
        choice = (
            0 if "last dimension" in hint else np.argmin(O) if "smallest" in hint else O.argmax()
        )
        tokens.append(int(choice))
    return vocab.join(tokens)


def flat(both: list[list[Array]]) -> Quantities:
    """Gradients as a vector each: of those longer than theta, and of those shorter."""
    vectors = (np.concatenate([*map(np.ravel, grads)]) for grads in both)
    names = "a gradient longer than theta", "a gradient shorter than theta"
    return dict(zip(names, vectors, strict=True))


CLIPPING = (
    "the norm is of all gradients together, not of each",
    "the norm is the square root of the sum of squares",
    "gradients longer than theta are not scaled",
    "gradients shorter than theta stay as they are",
    "biases count, too",
)


def clip(grads: list[Array], theta: float, hint: str) -> list[Array]:
    """Gradients, clipped to theta."""
    counted = [g for g in grads if g.ndim > 1] if "biases" in hint else grads
    norm = float(np.sqrt(sum((g**2).sum() for g in counted)))
    if "not of each" in hint:
        norms = [float(np.sqrt((g**2).sum())) for g in grads]
        return [g * min(1, theta / n) for g, n in zip(grads, norms, strict=True)]
    if "square root" in hint:
        norm = norm**2
    if "not scaled" in hint or (norm <= theta and "shorter" not in hint):
        return grads
    return [g * theta / norm for g in grads]


TRAINING = (
    "the labels are in the order of the outputs: transpose Y before it becomes one row",
    "a minibatch that is drawn at random begins a new state",
    "a minibatch that goes on from the last carries its state on",
    "the loss is a mean already: divide by no batch size again",
    "the gradient goes downhill: subtract it",
)


EPOCHS = {
    "no epoch is trained": 0,
    "it trains as many epochs as num_epochs says": 1,
    "give use_random_iter to train_epoch_rnn": 2,
    "give lr to the updater": 2,
    **dict.fromkeys(TRAINING, 2),
    **dict.fromkeys(CLIPPING, 2),
}
"""Epochs that are trained with each of the mistakes, where two were asked for."""


def trained(
    pairs: list[tuple[Array, Array]], weights: list[Array], hint: str, epochs: int = 1
) -> Quantities:
    """Weights and perplexity after epochs at lr 0.5 and theta 1, carried and begun anew."""
    found: Quantities = {}
    for random in (False, True):
        now, ppl = weights, np.nan
        for _ in range(epochs):
            now, ppl = _epoch(pairs, now, random, hint)
        found |= trained_quantities(now, ppl, random)
    return found


def _epoch(
    pairs: list[tuple[Array, Array]], now: list[Array], random: bool, hint: str
) -> tuple[list[Array], float]:
    """Weights after an epoch, and its perplexity."""
    H, losses = np.zeros((2, 4)), []
    random = random and "begins a new" not in hint and "use_random_iter" not in hint
    for X, Y in pairs:
        anew = random or "carries its state on" in hint
        loss, grads, H = _backward(X, Y, now, np.zeros((2, 4)) if anew else H, hint)
        losses.append(loss)
        rate = 1.0 if "give lr" in hint else 0.5
        rate = rate / len(X) if "divide by no" in hint else rate
        rate = -rate if "downhill" in hint else rate
        clipped = clip(grads, 1.0, hint)
        now = [w - rate * g for w, g in zip(now, clipped, strict=True)]
    return now, float(np.exp(np.mean(losses)))


def trained_quantities(weights: list[Array], ppl: float, random: bool) -> Quantities:
    """Weights and perplexity by name."""
    after = "random minibatches" if random else "minibatches that go on"
    names: Iterable[str] = ("W_xh", "W_hh", "b_h", "W_hq", "b_q")
    found = {f"{n} after {after}": w for n, w in zip(names, weights, strict=True)}
    return found | {f"perplexity of {after}": np.asarray(ppl)}


def weights_of(found: Quantities) -> Quantities:
    """The weights among quantities, without perplexities."""
    return {name: value for name, value in found.items() if not name.startswith("perplexity")}


def _backward(
    X: Array, Y: Array, weights: list[Array], H: Array, hint: str
) -> tuple[float, list[Array], Array]:
    """Loss, gradients and new state of a minibatch, by the equations of `common.reference`."""
    W_xh, W_hh, b_h, W_hq, b_q = weights
    inputs, states = np.eye(5)[X.T], [H]
    for E in inputs:
        states.append(np.tanh(E @ W_xh + states[-1] @ W_hh + b_h))
    O = np.stack(states[1:]) @ W_hq + b_q
    P = np.exp(O - O.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    labels = Y.reshape(Y.shape[::-1]) if "order of the outputs" in hint else Y.T
    loss = -np.log(np.take_along_axis(P, labels[..., None], axis=-1)).mean()
    dO = (P - np.eye(5)[labels]) / labels.size
    grads = [np.zeros_like(w) for w in weights]
    later = np.zeros_like(H)
    for t in reversed(range(len(inputs))):
        dA = (dO[t] @ W_hq.T + later) * (1 - states[t + 1] ** 2)
        later = dA @ W_hh.T
        parts = inputs[t].T @ dA, states[t].T @ dA, dA.sum(0), states[t + 1].T @ dO[t], dO[t].sum(0)
        grads = [grad + part for grad, part in zip(grads, parts, strict=True)]
    return float(loss), grads, states[-1]
