"""Is a model the reference network? All that the contract promises, computed by both and compared.

What is computed is written once, for whoever keeps the contract: the model under test, and the
float64 reference from the same weights on the same batches. An error is ``||a - b|| / ||b||``; what
is not finite, or of another shape, counts as infinitely wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from common.batches import Batch
from common.experiment import DType, Experiment
from common.interface import Model, State
from common.metrics import cross_entropy, time_major
from common.training import BeginState, Epoch, Loader, Step, mean_loss, warm_up
from common.vocab import Vocab
from common.weights import Weights

Quantities = dict[str, Any]
"""Results of a model, by name: a number, an array, a text, or weights by their names."""

Errors = dict[str, float]

RunEpoch = Callable[[BeginState, Step, Iterable[Batch], bool], tuple[float, int]]
"""A loop over the batches of an epoch, as `common.training.run_epoch` is."""

Train = Callable[[Model, Loader, Experiment], Iterable[Epoch]]
"""A training of several epochs, as `common.training.train` is."""

TOLERANCES: dict[DType, tuple[float, float]] = {"float64": (1e-9, 1e-7), "float32": (1e-5, 1e-3)}
"""The largest error of one step, and of the drift over many, by precision."""


def relative_error(found: ArrayLike, expected: ArrayLike) -> float:
    """``||found - expected|| / ||expected||``; the plain norm where expected is zero."""
    a, b = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if a.shape != b.shape or not np.isfinite([a, b]).all():
        return float("inf")
    size = np.abs(b).max(initial=0)
    if size and not 1e-100 < size < 1e100:  # its square is no float64
        a, b = a / size, b / size
    difference, scale = np.linalg.norm(a - b), np.linalg.norm(b)
    return float(difference / scale if scale else difference)


def error_of(found: Any, expected: Any) -> float:
    """The error of a quantity: of weights the largest of any, of a text 1 where it is another."""
    if isinstance(expected, str):
        return float(found != expected)
    if not isinstance(expected, dict):
        return relative_error(found, expected)
    if found.keys() != expected.keys():
        return float("inf")
    return max(relative_error(found[name], expected[name]) for name in expected)


def errors(found: Quantities, expected: Quantities) -> Errors:
    """The error of every quantity, in the order in which they are computed."""
    return {name: error_of(found.get(name, np.nan), expected[name]) for name in expected}


def first_step(model: Model, batches: Sequence[Batch]) -> Quantities:
    """Every quantity of one training step; the model has taken it afterwards.

    Args:
        model: stands at the weights that the step starts from.
        batches: at least two of one shape: to warm the state up, and to step on. The state is
            carried from one to the other, whatever the experiment's sampling.
    """
    return _first_step(model, batches)[0]


def one_step(model: Model, batches: Sequence[Batch]) -> Quantities:
    """The quantities of `first_step`, of what comes before and after it, and of validation.

    Before it stands warming up, which must leave the weights alone; after it come the gradients
    of a window that follows two others, which a kept graph reaches, and a second step. Takes three
    batches.
    """
    warm_up(model, [batches[0][0].shape])
    found: Quantities = {"weights after warming up": model.weights()}
    first, state = _first_step(model, batches)
    X, Y = batches[2]
    _, _, after = model.loss_and_grads(X, Y, state)
    found |= first | {"gradients of the next window": model.loss_and_grads(X, Y, after)[1]}
    loss, _ = model.train_step(X, Y, state)
    found["loss of the next step"] = float(loss)
    found["weights after two steps"] = model.weights()
    found["validation"] = mean_loss(model, batches[:2])
    return found


def _first_step(model: Model, batches: Sequence[Batch]) -> tuple[Quantities, State]:
    """The quantities, and the state after the step."""
    (X0, _), (X1, Y1) = batches[:2]
    state = model.begin_state(len(X0))
    found: Quantities = {"first state": model.read_state(state)}
    _, state = model.forward(X0, state)
    found["state"] = model.read_state(state)
    found["logits"], _ = model.forward(X1, state)
    found["loss"], grads, _ = model.loss_and_grads(X1, Y1, state)
    found |= {f"gradient {name}": grad for name, grad in grads.items()}
    found["weights before"] = before = model.weights()
    loss, state = model.train_step(X1, Y1, state)
    found["loss of the step"] = float(loss)
    found["clipped norm"] = update_norm(before, model.weights())
    found["weights"] = model.weights()
    found["carried state"] = model.read_state(state)
    return found, state


def short_epoch(
    model: Model, experiment: Experiment, batches: Sequence[Batch], run_epoch: RunEpoch
) -> Quantities:
    """The mean loss of a step on every batch, and the weights after them all."""
    loss_sum, tokens = run_epoch(
        model.begin_state, model.train_step, batches, not experiment.carries_state
    )
    return {"drift of loss": loss_sum / tokens, "drift of weights": model.weights()}


def epoch_by_hand(
    begin_state: BeginState, step: Step, batches: Iterable[Batch], use_random_iter: bool
) -> tuple[float, int]:
    """Take the reference through an epoch, to compare `common.training.run_epoch` with.

    So how the state is carried, and how batches that differ in size are weighted, is compared too.
    """
    state, losses = None, []
    for X, Y in batches:
        if use_random_iter or state is None:
            state = begin_state(len(X))
        loss, state = step(X, Y, state)
        losses += [float(loss)] * Y.size
    return sum(losses), len(losses)


@dataclass(frozen=True)
class FewBatches:
    """The loader of a few minibatches: each epoch begins one later, and validates on the last two.

    Attributes:
        batches: one more than there are epochs; each epoch has two.
    """

    batches: Sequence[Batch]

    def epoch(self, number: int, start: int = 0) -> Sequence[Batch]:
        """The batches of epoch `number`, which counts from 1, but for the first `start`."""
        return self.batches[number - 1 : number + 1][start:]

    def validation(self) -> Sequence[Batch]:
        """The last two batches."""
        return self.batches[-2:]


def several_epochs(
    model: Model, experiment: Experiment, batches: Sequence[Batch], train: Train
) -> Quantities:
    """The logarithms of the perplexities that epochs of two batches reach, and of validation."""
    asked = experiment.model_copy(update={"num_epochs": len(batches) - 1})
    epochs = [*train(model, FewBatches(batches), asked)]
    return {
        "drift of epochs": np.log([epoch.perplexity for epoch in epochs]),
        "drift of validation": np.log([epoch.val_perplexity or np.nan for epoch in epochs]),
    }


def train_by_hand(model: Model, loader: Loader, experiment: Experiment) -> Iterator[Epoch]:
    """Train the reference, to compare `common.training.train` with.

    So how every epoch, and every batch of validation, begins its state is compared too.
    """
    for number in range(1, experiment.num_epochs + 1):
        total, tokens = epoch_by_hand(
            model.begin_state, model.train_step, loader.epoch(number), not experiment.carries_state
        )
        losses: list[float] = []
        for X, Y in loader.validation():
            logits, _ = model.forward(X, model.begin_state(len(X)))
            losses += [cross_entropy(logits, time_major(Y))] * Y.size
        reached, validated = np.exp(total / tokens), np.exp(np.mean(losses))
        yield Epoch(number, float(reached), float(validated), tokens, 0.0)


def text(model: Model, vocab: Vocab, prefix: str) -> Quantities:
    """The text that a model writes, twice: what is drawn, too, is drawn anew for each."""
    return {"text": "\n".join(model.predict(prefix, 20, vocab) for _ in range(2))}


def update_norm(before: Weights, after: Weights) -> float:
    """The norm of a whole update: lr times that of the clipped gradient."""
    updates = [np.subtract(after[n], before[n], dtype=np.float64) for n in before]
    return float(np.sqrt(sum((update**2).sum() for update in updates)))


def tolerance(quantity: str, dtype: DType) -> float:
    """The largest error that a quantity may have in a precision."""
    step, far = TOLERANCES[dtype]
    return far if quantity.startswith("drift") else step


def over(errors: Errors, tolerances: Errors) -> Errors:
    """The errors that are larger than they may be."""
    return {quantity: e for quantity, e in errors.items() if not e <= tolerances[quantity]}


def over_tolerance(errors: Errors, dtype: DType) -> Errors:
    """The errors that are too large for a precision, by name; none if the model is the network."""
    return over(errors, {quantity: tolerance(quantity, dtype) for quantity in errors})
