"""The grid over which parity is shown: settings in which each part of the network matters."""

from __future__ import annotations

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
    epoch_by_hand,
    errors,
    one_step,
    short_epoch,
    text,
)
from common.reference import Reference
from common.training import run_epoch
from common.vocab import Vocab
from common.weights import Weights, draw

Build = Callable[[Experiment, Weights], Model]

PREFIX = "abc"


@dataclass(frozen=True)
class Case:
    """One cell of the grid.

    Attributes:
        name: purpose in words.
        experiment: its settings.
        vocab_size: V.
        sigma: the deviation of its weights and, a third of it, of its biases: large enough that
            every part moves the numbers, small enough that rounding is not amplified to chaos.
    """

    name: str
    experiment: Experiment
    vocab_size: int = 11
    sigma: float = 0.3

    def weights(self) -> Weights:
        """The weights to start from; no bias is zero."""
        shapes = self.experiment.shapes(self.vocab_size)
        weights = draw(shapes, self.experiment.init, self.sigma, seed=3)
        rng = np.random.default_rng(4)
        biases = [name for name in shapes if name.startswith("b")]
        return weights | {n: rng.standard_normal(shapes[n]) * self.sigma / 3 for n in biases}

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
        return Vocab([chr(ord("a") + i) for i in range(self.vocab_size - 1)])


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
    for name, settings in EXERCISES.items():
        yield Case(name, experiment(**settings))


def grid(dtype: DType, devices: int) -> Iterator[Case]:
    """The cells that are compared where so many devices are asked for."""
    return cases(dtype) if devices == 1 else cases_of_devices(dtype, devices)


def check(build: Build, case: Case, steps: int) -> Errors:
    """Every error of a backend in one case: of one step, of the text, of the drift over `steps`."""
    weights, batches = case.weights(), case.batches(max(steps, 4))

    def computed(model: Model, run_epoch: RunEpoch) -> Quantities:
        found = one_step(model, batches)
        model.load_weights(weights)
        found |= text(model, case.vocab(), PREFIX)
        return found | short_epoch(model, case.experiment, batches[-steps:], run_epoch)

    model, reference = build(case.experiment, weights), Reference(case.experiment, weights)
    return errors(computed(model, run_epoch), computed(reference, epoch_by_hand))
