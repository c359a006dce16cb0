"""The epoch loop through the contract; that by hand is on the page, in each ``scratch.py``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, SupportsFloat

import numpy as np

from common.array import Array
from common.batches import Batch
from common.experiment import Experiment
from common.interface import Model, State
from common.metrics import cross_entropy, perplexity, time_major

BeginState = Callable[[int], State]
Step = Callable[[Array, Array, State], tuple[SupportsFloat, State]]


class Loader(Protocol):
    """Minibatches of every epoch, as `common.batches.SeqDataLoader` gives them."""

    def epoch(self, number: int, start: int = 0) -> Iterable[Batch]:
        """The batches of epoch `number`, which counts from 1, but for the first `start`."""

    def validation(self) -> Iterable[Batch]:
        """The validation batches, in order."""


@dataclass
class Underway:
    """An epoch and how far it has come.

    Attributes:
        number: of the epoch, counted from 1.
        state: after the last step; None before the first.
        losses: mean loss of every step so far.
        tokens: number of tokens of every step so far.
        seconds: of training so far.
    """

    number: int = 1
    state: State | None = None
    losses: list[SupportsFloat] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def steps(
        self, begin_state: BeginState, step: Step, batches: Iterable[Batch], use_random_iter: bool
    ) -> Iterator[None]:
        """Take one step on every batch; stop after each."""
        for X, Y in batches:
            if self.state is None or use_random_iter:
                self.state = begin_state(len(X))
            loss, self.state = step(X, Y, self.state)
            self.losses.append(loss)  # kept as it is: reading it here would wait for the device
            self.tokens.append(Y.size)
            yield

    def read_losses(self) -> Array:
        """The losses (steps,) in float64; the device is waited for, once for each."""
        self.losses = [float(loss) for loss in self.losses]
        return np.array(self.losses, np.float64)

    def total(self) -> tuple[float, int]:
        """The sum of loss x tokens, and the number of tokens."""
        return float(np.dot(self.read_losses(), self.tokens)), sum(self.tokens)


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
    epoch = Underway()
    for _ in epoch.steps(begin_state, step, batches, use_random_iter):
        pass
    return epoch.total()


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


def train(model: Model, loader: Loader, experiment: Experiment, done: int = 0) -> Iterator[Epoch]:
    """Train through the contract, an epoch at a time; see `train_on`."""
    for event in train_on(model, loader, experiment, Underway(done + 1)):
        if isinstance(event, Epoch):
            yield event


def train_on(
    model: Model,
    loader: Loader,
    experiment: Experiment,
    underway: Underway,
    pause: float = math.inf,
) -> Iterator[Epoch | Underway]:
    """Train through the contract from anywhere to the last epoch.

    Ends early, after the epoch that shows it, when the perplexity is no longer a finite number.

    Args:
        model: as it stands after the steps that are done.
        loader: gives the batches of every epoch by its number.
        experiment: says how many epochs there are in all, and whether the state is carried.
        underway: the epoch to go on with.
        pause: seconds in an epoch after which it is given as far as it has come, the device being
            idle. What its receiver does meanwhile is not counted in its seconds.
    """
    for number in range(underway.number, experiment.num_epochs + 1):
        epoch = underway if underway.number == number else Underway(number)
        batches = loader.epoch(number, len(epoch.losses))
        contract = model.begin_state, model.train_step, batches, not experiment.carries_state
        start = time.perf_counter()
        for _ in epoch.steps(*contract):
            if time.perf_counter() - start >= pause:
                model.synchronize()
                epoch.seconds += time.perf_counter() - start
                yield epoch
                start = time.perf_counter()
        model.synchronize()
        epoch.seconds += time.perf_counter() - start
        loss_sum, tokens = epoch.total()
        reached = perplexity(loss_sum, tokens)
        validated = evaluate(model, loader.validation())
        yield Epoch(number, reached, validated, tokens, epoch.seconds)
        if not np.isfinite(reached):
            return
