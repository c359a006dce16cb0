"""Is a model the reference network? All that the contract promises, compared one by one.

An error is ``||a - b|| / ||b||`` against the float64 reference from the same weights on the same
batches; what is not finite, or of another shape, counts as infinitely wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from common.batches import Batch
from common.experiment import DType, Experiment
from common.interface import Model, State
from common.reference import Reference
from common.training import evaluate, run_epoch, warm_up
from common.vocab import Vocab
from common.weights import Weights

Errors = dict[str, float]

TOLERANCES: dict[DType, tuple[float, float]] = {"float64": (1e-9, 1e-7), "float32": (1e-5, 1e-3)}
"""The largest error of one step, and of the drift over many, by precision."""


def relative_error(found: ArrayLike, expected: ArrayLike) -> float:
    """``||found - expected|| / ||expected||``; the plain norm where expected is zero."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    difference, scale = np.linalg.norm(found - expected), np.linalg.norm(expected)
    return float(difference / scale if scale else difference)


def first_step(
    model: Model, weights: Weights, experiment: Experiment, batches: Sequence[Batch]
) -> Errors:
    """The errors of every quantity of one training step; the model has taken it afterwards.

    Args:
        model: fresh, with these weights and of this experiment.
        weights: what it was built with.
        experiment: its settings.
        batches: at least two of one shape: to warm the state up, and to step on. The state is
            carried from one to the other, whatever the experiment's sampling.
    """
    return _first_step(model, Reference(experiment, weights), weights, batches)[0]


def one_step(
    model: Model, weights: Weights, experiment: Experiment, batches: Sequence[Batch]
) -> Errors:
    """The errors of `first_step`, of what comes before and after it, and of validation.

    Before it stands warming up, which must leave the weights alone; after it come the gradients
    of a window that follows two others, which a kept graph reaches, and a second step. Takes three
    batches.
    """
    reference = Reference(experiment, weights)
    warm_up(model, [batches[0][0].shape])
    warmed = {"weights after warming up": weights_error(model.weights(), reference.weights())}
    errors, state, expected_state = _first_step(model, reference, weights, batches)
    X, Y = batches[2]
    _, _, after = model.loss_and_grads(X, Y, state)
    _, _, expected_after = reference.loss_and_grads(X, Y, expected_state)
    errors["gradients of the next window"] = weights_error(
        model.loss_and_grads(X, Y, after)[1], reference.loss_and_grads(X, Y, expected_after)[1]
    )
    loss, _ = model.train_step(X, Y, state)
    expected_loss, _ = reference.train_step(X, Y, expected_state)
    errors["loss of the next step"] = relative_error(float(loss), expected_loss)
    errors["weights after two steps"] = weights_error(model.weights(), reference.weights())
    errors["validation"] = relative_error(
        evaluate(model, batches[:2]) or np.nan, evaluate(reference, batches[:2]) or np.nan
    )
    return warmed | errors


def _first_step(
    model: Model, reference: Reference, weights: Weights, batches: Sequence[Batch]
) -> tuple[Errors, State, State]:
    """The errors, and the states of both after the step."""
    (X0, _), (X1, Y1) = batches[:2]
    state, expected_state = model.begin_state(len(X0)), reference.begin_state(len(X0))
    errors = {"first state": state_error(model, state, reference, expected_state)}
    _, state = model.forward(X0, state)
    _, expected_state = reference.forward(X0, expected_state)
    errors["state"] = state_error(model, state, reference, expected_state)

    logits, _ = model.forward(X1, state)
    errors["logits"] = relative_error(logits, reference.forward(X1, expected_state)[0])
    loss, grads, _ = model.loss_and_grads(X1, Y1, state)
    expected_loss, expected_grads, _ = reference.loss_and_grads(X1, Y1, expected_state)
    errors["loss"] = relative_error(loss, expected_loss)
    for name, expected in expected_grads.items():
        errors[f"gradient {name}"] = relative_error(grads[name], expected)
    errors["weights before"] = weights_error(model.weights(), reference.weights())

    before = model.weights()
    step_loss, state = model.train_step(X1, Y1, state)
    _, expected_state = reference.train_step(X1, Y1, expected_state)
    errors["loss of the step"] = relative_error(float(step_loss), expected_loss)
    errors["clipped norm"] = relative_error(
        update_norm(before, model.weights()), update_norm(weights, reference.weights())
    )
    errors["weights"] = weights_error(model.weights(), reference.weights())
    errors["carried state"] = state_error(model, state, reference, expected_state)
    return errors, state, expected_state


def drift(
    model: Model, weights: Weights, experiment: Experiment, batches: Sequence[Batch]
) -> Errors:
    """How far the mean loss and the weights are off after a step on every batch.

    The model goes through `run_epoch`; the reference is taken through the same epoch by hand, so
    that carrying the state and weighting the batches, which may differ in size, are compared too.
    """
    reference = Reference(experiment, weights)
    found, tokens = run_epoch(
        model.begin_state, model.train_step, batches, not experiment.carries_state
    )
    state, losses = reference.begin_state(len(batches[0][0])), []
    for X, Y in batches:
        if not experiment.carries_state:
            state = reference.begin_state(len(X))
        loss, state = reference.train_step(X, Y, state)
        losses += [loss] * Y.size
    return {
        "drift of loss": relative_error(found / tokens, np.mean(losses)),
        "drift of weights": weights_error(model.weights(), reference.weights()),
    }


def text_error(
    model: Model, weights: Weights, experiment: Experiment, vocab: Vocab, prefix: str
) -> Errors:
    """1 if the model with these weights writes another text than the reference does, else 0.

    It writes the text twice: what is drawn, too, is drawn anew for each.
    """
    expected = Reference(experiment, weights).predict(prefix, 20, vocab)
    texts = {model.predict(prefix, 20, vocab) for _ in range(2)}
    return {"text": float(texts != {expected})}


def state_error(model: Model, state: State, reference: Reference, expected: State) -> float:
    """The error of a state, all layers together."""
    return relative_error(model.read_state(state), reference.read_state(expected))


def weights_error(found: dict[str, Any], expected: Weights) -> float:
    """The largest error of any of the weights."""
    if found.keys() != expected.keys():
        return float("inf")
    return max(relative_error(found[name], expected[name]) for name in expected)


def update_norm(before: Weights, after: Weights) -> float:
    """The norm of a whole update: lr times that of the clipped gradient."""
    return float(np.sqrt(sum(((after[n] - before[n]) ** 2).sum() for n in before)))


def tolerance(quantity: str, dtype: DType) -> float:
    """The largest error that a quantity may have in a precision."""
    step, far = TOLERANCES[dtype]
    return far if quantity.startswith("drift") else step


def mismatch(over: Errors) -> str:
    """What is said of a model whose errors are too large."""
    wrong = ", ".join(f"{quantity} off by {error:.1e}" for quantity, error in over.items())
    return f"not the reference network: {wrong}"


def over_tolerance(errors: Errors, dtype: DType) -> Errors:
    """The errors that are too large for a precision, by name; none if the model is the network."""
    return {name: e for name, e in errors.items() if not e <= tolerance(name, dtype)}
