"""The worker's side of a benchmark: a network is prepared once, then timed in turns.

Between its turns a worker waits for a line on its standard input and uses no CPU.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain, count, cycle, islice
from pathlib import Path

import numpy as np

from common.batches import Batch, SeqDataLoader
from common.experiment import Experiment
from common.floor import passes, unavoidable
from common.indices import open_indices
from common.interface import Backend, Model
from common.judging import Judgement, judge
from common.parity import Quantities, RunEpoch, first_step
from common.training import run_epoch, warm_up
from common.weights import Weights, draw_weights
from harness.workers.protocol import Conditions, Event, Judged, Prepared, Products, Seconds, Turn
from harness.workers.requests import Check, Prepare, TakeTurn, TimeProducts
from harness.workers.session import Session

PRODUCT_SECONDS = 0.01
"""Seconds that a product or a pass is timed, at least."""


@dataclass
class Timed:
    """Workload of a turn: one network and its batches.

    Attributes:
        batches: those that it is checked on; a stream of them without end is timed.
    """

    experiment: Experiment
    weights: Weights
    model: Model
    batches: list[Batch]
    stream: Iterator[Batch]

    def run(self, steps: int) -> float:
        """Seconds for so many steps through `run_epoch`, the device being idle at both ends."""
        batches = islice(self.stream, steps)
        self.model.synchronize()
        start = time.perf_counter()
        run_epoch(self.model.begin_state, self.model.train_step, batches, use_random_iter=False)
        self.model.synchronize()
        return time.perf_counter() - start

    def first_token(self) -> None:
        """None: it writes nothing."""

    def judged(self) -> Judgement:
        """The verdict on a step of the network, on the very batches it was timed on."""
        self.model.load_weights(self.weights)

        def compute(model: Model, weights: Weights, run_epoch: RunEpoch) -> Quantities:
            return first_step(model, self.batches)

        return judge(self.model, self.weights, self.experiment, compute)


def prepare(session: Session, request: Prepare) -> Iterator[Event]:
    """Build and compile a network for random tokens, or for a text."""
    experiment, vocab_size = request.experiment, request.vocab_size
    weights = draw_weights(vocab_size, experiment.num_hiddens)
    batches, stream = batches_of(request)
    model = session.build(experiment, request.variant, weights)
    start = time.perf_counter()
    warm_up(model, [batches[0][0].shape])
    compile_seconds = time.perf_counter() - start
    session.timed = Timed(experiment, weights, model, batches, stream)
    yield Prepared(
        device=model.device,
        compile_seconds=compile_seconds,
        conditions=conditions(session.backend),
    )


def batches_of(request: Prepare) -> tuple[list[Batch], Iterator[Batch]]:
    """Some batches to check on, and a stream of batches without end, which are those or go on.

    A text is gone through from its beginning to its end, again and again.
    """
    experiment, vocab_size = request.experiment, request.vocab_size
    B, T = experiment.batch_size, experiment.num_steps
    if request.indices:
        indices = open_indices(Path(request.indices))
        loader = SeqDataLoader(indices, B, T, "sequential")
        return [*islice(loader.epoch(1), 2)], chain.from_iterable(map(loader.epoch, count(1)))
    small = np.uint8 if vocab_size <= 256 else np.uint16
    tokens = np.random.default_rng(1).integers(vocab_size, size=(8, B, T + 1), dtype=small)
    batches = [(each[:, :-1], each[:, 1:]) for each in tokens]
    return batches, cycle(batches)


def conditions(backend: Backend) -> Conditions:
    """Conditions that must be the same for every worker, as this process finds them."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return Conditions(
        cpus=cpus,
        environment={name: os.environ.get(name) for name in variables},
        **asdict(backend.describe()),
    )


def take_turn(session: Session, request: TakeTurn) -> Iterator[Event]:
    """Time one turn, after a few untimed steps; compiling meanwhile is a failure.

    Raises:
        RuntimeError: something was compiled while the clock ran.
    """
    timed, backend = session.timed, session.backend
    timed.run(max(1, request.steps // 10))
    compiled, cpu = backend.compilations(), time.process_time()
    seconds = timed.run(request.steps)
    cpu = time.process_time() - cpu
    first = timed.first_token()
    if backend.compilations() != compiled:
        raise RuntimeError("it compiled while it was timed: its figures are the compiler's")
    told = Turn(seconds=seconds / request.steps, cores_busy=cpu / seconds, first_token=first)
    yield told


def check(session: Session, request: Check) -> Iterator[Event]:
    """Hold what was timed against the reference.

    It comes last, because the reference needs memory of its own.
    """
    yield Judged(**session.timed.judged().summary())


def time_products(session: Session, request: TimeProducts) -> Iterator[Event]:
    """Time the products and passes that no step of a shape can avoid, in every way there is."""
    seconds: Seconds = {}
    for product, ways in _ways(request.module, request.device, *request.shape).items():
        seconds[product] = {way: _seconds_of(call) for way, call in ways.items()}
    yield Products(seconds=seconds)


@cache
def _ways(module: str, device: str, *shape: int) -> dict[str, dict[str, Callable[[], None]]]:
    """The calls that a library offers for each operation, their operands made and compiled for."""
    library = importlib.import_module(module)
    products = {each.name: library.ways(each, device) for each in unavoidable(*shape)}
    return products | {each.name: library.ways_of_pass(each, device) for each in passes(*shape)}


def _seconds_of(call: Callable[[], None]) -> float:
    call()  # untimed: compiles, warms caches
    start, calls = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < PRODUCT_SECONDS:
        call()
        calls += 1
    return elapsed / calls
