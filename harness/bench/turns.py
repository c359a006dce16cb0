"""``bench``: workers take turns in shuffled rounds, so that what disturbs one disturbs all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.judging import TRAINED
from common.shards import SIMULATED
from harness.bench.shapes import dimensions
from harness.checks import select, unable
from harness.workers.errors import WorkerError
from harness.workers.interpreters import interpreter, missing
from harness.workers.process import Worker
from harness.workers.protocol import Judged, Prepared, Products, Seconds, Turn
from harness.workers.requests import Check, Prepare, TakeTurn, TimeProducts

Say = Callable[[str], None]

TURN_SECONDS = 0.3
"""Seconds that a turn is timed, about; a tenth goes before, untimed, to warm caches."""


@dataclass
class Contender:
    """Contender for the turns: one network, or one library's matrix products.

    Attributes:
        backend, variant: whose; the variant ``products`` multiplies matrices alone.
        prepared: what `harness.bench.worker.prepare` found; None for products.
        turns, products: of a network, and of a library, round by round.
        idle_cpu, idle_wall: CPU seconds it used while others had their turn, and how long that was.
        peak_memory_mb: of its process, up to its last turn.
        checked: the verdict of `bench.worker.check` after its last turn; None for products.
        reason: why it was given up; empty if it was not.
        absent: True if that is because its backend is not available.
        devices: number of those that compute the network.
        steps: of a turn: as many as take `TURN_SECONDS`. Every rank is told the same.
    """

    backend: str
    variant: str
    prepared: Prepared | None = None
    turns: list[Turn] = field(default_factory=list)
    products: list[Seconds] = field(default_factory=list)
    idle_cpu: float = 0.0
    idle_wall: float = 0.0
    peak_memory_mb: float = 0.0
    checked: Judged | None = None
    reason: str = ""
    absent: bool = False
    devices: int = 1
    steps: int = 1

    @property
    def label(self) -> str:
        """The variant, and on how many devices if there are several: ``scratch x 2``."""
        return self.variant if self.devices == 1 else f"{self.variant} x {self.devices}"

    @property
    def name(self) -> str:
        """Backend and label."""
        return f"{self.backend} {self.label}"


@dataclass(frozen=True)
class Contest:
    """Contest to time: backends, variants, rounds and settings."""

    backends: tuple[str, ...]
    variants: tuple[str, ...]
    rounds: int
    settings: dict[str, Any]
    pythons: dict[str, Path]


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


def time_shape(contest: Contest, shape: str, found: list[Contender], say: Say) -> None:
    """Time all contenders on one shape; each gets its figures, or the reason why it has none."""
    with ExitStack() as stack:
        workers = {}
        for each in found:
            python = interpreter(each.backend, contest.pythons)
            experiment = experiment_of(contest, shape, each.devices)
            workers[each.name] = stack.enter_context(Worker(each.backend, python, experiment))
        for number, each in enumerate(found, 1):
            say(f"{shape}: preparing {each.name} ({number} of {len(found)})")
            with given_up_on_failure(each):
                experiment = experiment_of(contest, shape, each.devices)
                _prepare(each, workers[each.name], experiment, shape)
        rng = np.random.default_rng(0)
        for number in range(1, contest.rounds + 1):
            say(f"{shape}: round {number} of {contest.rounds}")
            running = [each for each in found if not each.reason]
            for turn in rng.permutation(len(running)):
                with given_up_on_failure(running[turn]):
                    _take_turn(running[turn], running, workers, shape)
        for each in found:
            if not each.reason and each.backend != "null" and each.variant != "products":
                say(f"{shape}: checking {each.name}")
                with given_up_on_failure(each):
                    _check(each, workers[each.name])


@contextmanager
def given_up_on_failure(contender: Contender) -> Iterator[None]:
    """A worker that fails loses its own figures, and nobody else's."""
    try:
        yield
    except (WorkerError, RequestError) as error:
        contender.reason = str(error)
        contender.absent = isinstance(error, WorkerError) and error.kind == "unavailable"


def _prepare(contender: Contender, worker: Worker, experiment: Experiment, shape: str) -> None:
    if contender.variant == "products":
        _products(contender, worker, shape)  # once untimed: operands are made, loops compiled
        return
    request = Prepare(
        experiment=experiment, variant=contender.variant, vocab_size=dimensions(shape)[3]
    )
    contender.prepared, _ = worker.answer(request, Prepared)
    if SIMULATED in contender.prepared.device:
        raise WorkerError("error", "simulated devices share a CPU: no figure of theirs is a speed")
    found = contender.prepared.conditions
    threads = worker.threads
    if found.cpus not in (None, worker.cpus):
        raise WorkerError("error", f"it runs on CPUs {found.cpus}, not on {worker.cpus}")
    if found.threads not in (None, threads):
        raise WorkerError("error", f"it uses {found.threads} threads, not {threads}")
    if found.tf32:
        raise WorkerError("error", "it may round products to TF32")
    while (seconds := _seconds(contender, worker)) < TURN_SECONDS / 3:
        contender.steps *= 2
    contender.steps = max(2, round(contender.steps * TURN_SECONDS / seconds))


def _seconds(contender: Contender, worker: Worker) -> float:
    turn, _ = worker.answer(TakeTurn(steps=contender.steps), Turn)
    return turn.seconds * contender.steps


def _products(contender: Contender, worker: Worker, shape: str) -> Seconds:
    module = backends.entry(contender.backend).products
    found, _ = worker.answer(TimeProducts(module=module, shape=dimensions(shape)), Products)
    return found.seconds


def _take_turn(
    contender: Contender, running: Sequence[Contender], workers: dict[str, Worker], shape: str
) -> None:
    """One turn, and the CPU time of the others meanwhile, who should have used none."""
    before = {each.name: cpu_seconds(workers[each.name]) for each in running}
    start = time.perf_counter()
    worker = workers[contender.name]
    if contender.variant == "products":
        contender.products.append(_products(contender, worker, shape))
    else:
        turn, done = worker.answer(TakeTurn(steps=contender.steps), Turn)
        contender.turns.append(turn)
        contender.peak_memory_mb = done.peak_memory_mb
    seconds = time.perf_counter() - start
    _settle(worker)
    for each in running:
        if each is not contender:
            each.idle_cpu += cpu_seconds(workers[each.name]) - before[each.name]
            each.idle_wall += seconds


def _settle(worker: Worker) -> None:
    """Wait until a worker's threads have stopped spinning for work, a second at most."""
    for _ in range(50):
        before = cpu_seconds(worker)
        time.sleep(0.02)
        if cpu_seconds(worker) == before:
            return


def cpu_seconds(worker: Worker) -> float:
    """CPU time that a worker has used so far; 0 once it is dead."""
    try:
        times = psutil.Process(worker.process.pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _check(contender: Contender, worker: Worker) -> None:
    """Withhold the figures of what is not the reference network.

    Raises:
        WorkerError: the network is another, or its worker broke down.
    """
    contender.checked, _ = worker.answer(Check(), Judged)
    if contender.checked.verdict not in TRAINED:
        raise WorkerError("error", contender.checked.reason)
