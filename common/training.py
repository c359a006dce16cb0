"""The epoch loop through the contract; that by hand is on the page, in each ``scratch.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np

from common.array import Array
from common.batches import Batch, SeqDataLoader
from common.experiment import Experiment
from common.interface import Model, State
from common.metrics import cross_entropy, perplexity, time_major

BeginState = Callable[[int], State]
Step = Callable[[Array, Array, State], tuple[SupportsFloat, State]]


def run_epoch(
    begin_state: BeginState, step: Step, batches: Iterable[Batch], use_random_iter: bool
) -> tuple[float, int]:
    """Take one step on every batch.

    Args:
        begin_state: the state before the first token, of a batch size.
        step: trains on (X, Y, state); gives the mean loss and the next state, detached.
        batches: the epoch's (X, Y).
        use_random_iter: begin a new state at every batch rather than carry it on.

    Returns:
        The sum of loss x tokens, and the number of tokens.
    """
    state, losses, tokens = None, [], []
    for X, Y in batches:
        if state is None or use_random_iter:
            state = begin_state(len(X))
        loss, state = step(X, Y, state)
        losses.append(loss)  # kept as it is: reading it here would wait for the device
        tokens.append(Y.size)
    return float(np.dot([float(loss) for loss in losses], tokens)), sum(tokens)


def evaluate(model: Model, batches: Iterable[Batch]) -> float | None:
    """The token-weighted perplexity over batches, each from a state of zeros; None for none."""
    loss = mean_loss(model, batches)
    return None if loss is None else perplexity(loss, 1)


def mean_loss(model: Model, batches: Iterable[Batch]) -> float | None:
    """The mean loss in nats a token over batches, each from a state of zeros; None for none."""
    loss_sum, tokens = 0.0, 0
    for X, Y in batches:
        logits, _ = model.forward(X, model.begin_state(len(X)))
        loss_sum += cross_entropy(logits, time_major(Y)) * Y.size
        tokens += Y.size
    return loss_sum / tokens if tokens else None


def warm_up(model: Model, shapes: Iterable[tuple[int, int]]) -> None:
    """Have a model compile and allocate what `train_step` needs for batches of these shapes."""
    weights = model.weights()
    for shape in shapes:
        X = np.zeros(shape, np.uint8)
        model.train_step(X, X, model.begin_state(len(X)))
    model.load_weights(weights)
    model.synchronize()


@dataclass(frozen=True)
class Epoch:
    """Result of one epoch of training; seconds are of the training alone."""

    epoch: int
    perplexity: float
    val_perplexity: float | None
    tokens: int
    seconds: float


def train(
    model: Model, loader: SeqDataLoader, experiment: Experiment, done: int = 0
) -> Iterator[Epoch]:
    """Train through the contract, an epoch at a time.

    Ends early, after the epoch that shows it, when the perplexity is no longer a finite number.

    Args:
        model: as it stands after `done` epochs.
        loader: gives the batches of every epoch by its number.
        experiment: says how many epochs there are in all, and whether the state is carried.
        done: epochs that were trained before.
    """
    for number in range(done + 1, experiment.num_epochs + 1):
        start = time.perf_counter()
        loss_sum, tokens = run_epoch(
            model.begin_state, model.train_step, loader.epoch(number), not experiment.carries_state
        )
        model.synchronize()
        seconds = time.perf_counter() - start
        epoch = Epoch(
            number,
            perplexity(loss_sum, tokens),
            evaluate(model, loader.validation()),
            tokens,
            seconds,
        )
        yield epoch
        if not np.isfinite(epoch.perplexity):
            return
