"""Contenders of a benchmark, and who takes part in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import backends
from common.experiment import Experiment
from harness.bench.shapes import dimensions
from harness.checks import select, unable
from harness.workers.errors import Failure
from harness.workers.interpreters import missing
from harness.workers.process import Worker
from harness.workers.protocol import Judged, Prepared, Seconds, TextTimed, Turn
from harness.workers.requests import TimeProducts, TimeText

FLOOR_ROUNDS = 6
"""Rounds in which products are multiplied and the harness itself is timed: they need no more."""

BOOK = "book"
"""Variant that is the literal loop of the book's edition, of training and of texts."""


@dataclass
class Contender:
    """Contender for the turns: one network, or one library's matrix products.

    Attributes:
        backend, variant: whose; the variant ``products`` multiplies matrices alone.
        prepared: what `harness.bench.worker.prepare` found; None for products.
        turns, products: of a network, and of a library, round by round.
        texts: of a network that writes, round by round.
        joules: of a step, round by round, where the machine tells them.
        idle_cpu, idle_wall: CPU seconds it used while others had their turn, and how long that was.
        peak_memory_mb: of its process, up to its last turn.
        device_memory_mb: likewise of its device, by the framework's own counter; None on a CPU.
        checked: the verdict of `bench.worker.check` after its last turn; None for products.
        reason: why it was given up; empty if it was not.
        kind: of the failure for which it was given up.
        batch: number of the batch in which it took its turns.
        devices: number of those that compute the network.
        steps: of a turn, see `harness.bench.turns.turn_seconds`. Every rank is told the same.
        of_products: the request for its turns; None for a network.
        writes: True if its turns are texts, as of `harness.bench.generation`.
        worker: the process that takes its turns, while it lives.
    """

    backend: str
    variant: str
    prepared: Prepared | None = None
    turns: list[Turn] = field(default_factory=list)
    products: list[Seconds] = field(default_factory=list)
    texts: list[TextTimed] = field(default_factory=list)
    joules: list[float] = field(default_factory=list)
    idle_cpu: float = 0.0
    idle_wall: float = 0.0
    peak_memory_mb: float = 0.0
    device_memory_mb: float | None = None
    checked: Judged | None = None
    reason: str = ""
    kind: Failure | Literal[""] = ""
    batch: int = 1
    devices: int = 1
    steps: int = 1
    of_products: TimeProducts | None = None
    writes: bool = False
    worker: Worker | None = field(default=None, repr=False, compare=False)

    @property
    def label(self) -> str:
        """The variant, and on how many devices if there are several: ``scratch x 2``."""
        return self.variant if self.devices == 1 else f"{self.variant} x {self.devices}"

    @property
    def name(self) -> str:
        """Backend and label."""
        return f"{self.backend} {self.label}"

    @property
    def is_network(self) -> bool:
        """True if it is a network of a framework."""
        return self.backend != "null" and self.variant != "products"

    def forgiven(self, asked: Collection[str]) -> bool:
        """True if it has no figures for it has no such device, and nobody asked for it by name."""
        by_name = self.is_network and self.backend in asked
        return self.kind == "unavailable" and not by_name


@dataclass(frozen=True)
class Contest:
    """Contest to time: backends, variants, rounds and settings.

    Attributes:
        rounds: turns of each; None: until `precision` is reached or `seconds` are spent.
        seconds, precision: see `harness.bench.stopping`; None is the default there.
        against: the contender that all others are held against; empty for none.
        text: the request by which networks write after their rounds; None: they write nothing.
        indices: a file of a text's indices that batches are cut from; None: random tokens.
        floor: rounds in which products are multiplied.
    """

    backends: tuple[str, ...]
    variants: tuple[str, ...]
    rounds: int | None
    settings: dict[str, Any]
    pythons: dict[str, Path]
    seconds: float | None = None
    precision: float | None = None
    against: str = ""
    text: TimeText | None = None
    indices: str | None = None
    floor: int = FLOOR_ROUNDS


@dataclass(frozen=True)
class Size:
    """Contest on a shape, which may take turns with others: the sizes of a sweep."""

    contest: Contest
    shape: str
    found: list[Contender]


def contenders(contest: Contest) -> tuple[list[Contender], dict[str, str]]:
    """Contenders, and reasons why the others are absent.

    A backend's variants come with those for benchmarks alone; `null` and the products of every
    library that is here always take part. Where several devices are asked for, whoever can compute
    on them takes part twice, on one and on all of them, and nobody else does.
    """
    absent: dict[str, str] = {}
    found: list[Contender] = []
    alone = Experiment.of(contest.settings | {"devices": 1})
    for name, variant in select(contest.backends, contest.variants, bench=True):
        if reason := missing(name, contest.pythons) or unable(name, variant, alone):
            absent[name] = reason
        else:
            numbers = scaled(contest, name, variant)
            found += [Contender(name, variant, devices=number) for number in numbers]
    libraries = [n for n, e in backends.registry().items() if e.products]
    floor = [Contender(n, "products") for n in libraries if not missing(n, contest.pythons)]
    return [*found, Contender("null", "harness"), *floor], absent


def network(backend: str) -> str:
    """The variant of a backend that writes texts: ``scratch``, or else its first."""
    variants = backends.entry(backend).variants
    return "scratch" if "scratch" in variants else variants[0]


def scaled(contest: Contest, backend: str, variant: str) -> tuple[int, ...]:
    """Numbers of devices on which a backend's variant is timed."""
    asked = Experiment.of(contest.settings)
    if asked.devices == 1:
        return (1,)
    return () if unable(backend, variant, asked) else (1, asked.devices)


def experiment_of(contest: Contest, shape: str, devices: int = 1) -> Experiment:
    """The experiment of a shape: the book's learning rate and clipping, random tokens."""
    B, T, H, _ = dimensions(shape)
    sizes = {"batch_size": B, "num_steps": T, "num_hiddens": H, "devices": devices}
    return Experiment.of(contest.settings | sizes)
