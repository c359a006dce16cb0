"""The grid over which parity is shown: settings in which each part of the network matters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from common.batches import Batch
from common.experiment import DType, Experiment
from common.interface import Model
from common.parity import (
    Errors,
    Quantities,
    RunEpoch,
    Train,
    epoch_by_hand,
    errors,
    one_step,
    several_epochs,
    short_epoch,
    text,
    train_by_hand,
)
from common.reference import Reference
from common.training import run_epoch, train
from common.vocab import Vocab
from common.weights import Weights, draw

Build = Callable[[Experiment, Weights], Model]

Change = Callable[[Weights, DType], None]

PREFIX = "abc"


def as_drawn(weights: Weights, dtype: DType) -> None:
    """Leave the weights as they were drawn."""


def at_the_edges(weights: Weights, dtype: DType) -> None:
    """Have the first unit at exactly 0, the second above 6, and the last two tokens equally likely.

    The first has a gradient from above and none for its inputs; the two are often the likeliest.
    """
    for name in ("W_xh", "W_hh"):
        weights[name][:, 0] = 0
    weights["b_h"][:2] = 0, 10
    weights["W_hq"][:, -2:] = 0
    weights["b_q"][-2:] = 5


def overflowing(weights: Weights, dtype: DType) -> None:
    """Make logits so large that their exponentials are not finite, but the loss's is."""
    largest = {"float32": 100, "float64": 1000}[dtype]
    weights["b_q"] += 0.6 * largest
    weights["b_q"][0] = largest


@dataclass(frozen=True)
class Case:
    """One cell of the grid.

    Attributes:
        name: purpose in words.
        experiment: its settings.
        vocab_size: V.
        sigma: the deviation of its weights and, a third of it, of its biases: large enough that
            every part moves the numbers, small enough that rounding is not amplified to chaos.
        change: makes of drawn weights, in place, those that the case is about.
        backwards: True if the letters of the vocabulary are in the order opposite to the usual.
    """

    name: str
    experiment: Experiment
    vocab_size: int = 11
    sigma: float = 0.3
    change: Change = as_drawn
    backwards: bool = False

    def weights(self) -> Weights:
        """The weights to start from; no bias is zero."""
        shapes = self.experiment.shapes(self.vocab_size)
        weights = draw(shapes, self.experiment.init, self.sigma, seed=3)
        rng = np.random.default_rng(4)
        biases = [name for name in shapes if name.startswith("b")]
        weights |= {n: rng.standard_normal(shapes[n]) * self.sigma / 3 for n in biases}
        self.change(weights, self.experiment.dtype)
        return weights

    def batches(self, count: int) -> list[Batch]:
        """Random minibatches, Y one token after X; the last is partial where windows slide."""
        shape = count, self.experiment.batch_size, self.experiment.num_steps + 1
        tokens = np.random.default_rng(5).integers(self.vocab_size, size=shape, dtype=np.uint16)
        batches = [(each[:, :-1], each[:, 1:]) for each in tokens]
        if self.experiment.sampling == "sliding":
            batches[-1] = batches[-1][0][:-1], batches[-1][1][:-1]
        return batches

    def vocab(self) -> Vocab:
        """A vocabulary of the case's size in which `PREFIX` can be written."""
        letters = [chr(ord("a") + i) for i in range(self.vocab_size - 1)]
        return Vocab(letters[::-1] if self.backwards else letters)


EMBEDDING = {"input": "embedding", "embed_size": 5}
EXERCISES: dict[str, dict[str, object]] = {
    "carried state, random sampling": {"state": "carry", "sampling": "random"},
    "fresh state, sequential sampling": {"state": "fresh"},
    "sampled text": {"decode": "sample", "alpha": 1.5, "temperature": 0.7},
    "two layers": {"num_layers": 2, "clip_theta": 0.05},
    "three layers, relu, no clipping": {"num_layers": 3, "activation": "relu", "clip_theta": 0},
    "embedding": EMBEDDING | {"clip_theta": 0.05},
    "embedding, two layers": EMBEDDING | {"num_layers": 2},
    "kept graph": {"keep_graph": True, "clip_theta": 0.05},
    "kept graph, embedding, two layers": EMBEDDING | {"keep_graph": True, "num_layers": 2},
}
"""Settings that the options for the chapter's exercises change, by case."""

EDGES: dict[str, object] = {"clip_theta": 50.0, "lr": 0.01}
ROWS_FOR_EVERY_CPU = 16 * (os.cpu_count() or 1) + 1
"""Rows of a minibatch that a fused form cuts into as many slices as it can, of unequal sizes."""

BINDS: dict[str, object] = {"clip_theta": 0.05}
DEVICES: dict[str, dict[str, object]] = {
    "even rows, clipping binds, carried state": BINDS,
    "odd rows, clipping binds, carried state": BINDS | {"batch_size": 5},
    "odd rows, relu, no clipping, fresh state": {
        **{"batch_size": 5, "activation": "relu", "clip_theta": 0, "sampling": "random"},
    },
    "partial last batch, clipping binds": BINDS | {"sampling": "sliding"},
    "fewer rows than devices, clipping binds": BINDS | {"batch_size": 1},
    "odd rows, embedding, two layers": EMBEDDING | {"num_layers": 2, "batch_size": 5},
}
"""Settings in which it shows how rows are split and gradients added, by case."""


def small(dtype: DType, **settings: object) -> Experiment:
    """A small network's settings, but for those given."""
    usual = {"num_hiddens": 16, "batch_size": 4, "num_steps": 6, "lr": 0.2, "dtype": dtype}
    return Experiment.of(usual | settings)


def cases_of_devices(dtype: DType, devices: int) -> Iterator[Case]:
    """Every cell of the grid of one model on several devices, and the same on one."""
    for number, said in ((devices, f"{devices} devices"), (1, "1 device")):
        for name, settings in DEVICES.items():
            yield Case(f"{said}, {name}", small(dtype, devices=number, **settings))


def cases(dtype: DType) -> Iterator[Case]:
    """Every cell of the grid, in one precision."""
    experiment = partial(small, dtype)
    clipping = {"clipping binds": 0.05, "clipping is loose": 50.0}
    states = {"carried state": "sequential", "fresh state": "random"}
    for activation, (bound, theta), (state, sampling) in product(
        ("tanh", "relu"), clipping.items(), states.items()
    ):
        yield Case(
            f"{activation}, {bound}, {state}",
            experiment(activation=activation, clip_theta=theta, sampling=sampling),
        )
    yield Case("no clipping", experiment(clip_theta=0))
    yield Case("partial last batch", experiment(sampling="sliding"))
    yield Case("batch of one", experiment(batch_size=1))
    yield Case("one step", experiment(num_steps=1))
    yield Case("he_normal", experiment(init="he_normal", lr=0.1))
    large = experiment(clip_theta=0.01, lr=100.0, batch_size=3)
    yield Case("vocabulary of 1,027", large, vocab_size=1027, sigma=0.01)
    yield Case("window of 40 steps", experiment(num_steps=40, clip_theta=0.05))
    alike = experiment(batch_size=4, num_steps=4, num_hiddens=16, lr=1.0)
    yield Case("T = B, V = H = T B, logits overflow", alike, vocab_size=16, change=overflowing)
    wide = experiment(batch_size=ROWS_FOR_EVERY_CPU, num_steps=3, activation="relu", **EDGES)
    yield Case(
        "a slice for every CPU, units at 0, ties, another vocabulary",
        wide,
        change=at_the_edges,
        backwards=True,
    )
    for name, settings in EXERCISES.items():
        yield Case(name, experiment(**settings))


def grid(dtype: DType, devices: int) -> Iterator[Case]:
    """The cells that are compared where so many devices are asked for."""
    return cases(dtype) if devices == 1 else cases_of_devices(dtype, devices)


def check(build: Build, case: Case, steps: int) -> Errors:
    """Every error of a backend in one case: of one step, the text, epochs, drift over `steps`."""
    weights, batches = case.weights(), case.batches(max(steps, 4))

    def computed(model: Model, run_epoch: RunEpoch, train: Train) -> Quantities:
        found = one_step(model, batches)
        model.load_weights(weights)
        found |= text(model, case.vocab(), PREFIX)
        found |= short_epoch(model, case.experiment, batches[-steps:], run_epoch)
        model.load_weights(weights)
        return found | several_epochs(model, case.experiment, batches[-4:], train)

    model, reference = build(case.experiment, weights), Reference(case.experiment, weights)
    expected = computed(reference, epoch_by_hand, train_by_hand)
    return errors(computed(model, run_epoch, train), expected)
