"""Rounds of a contest: everybody takes a turn in each, in an order shuffled anew.

The sizes of a form follow each other, shuffled too: a ratio of two is of neighbouring seconds.

A round that others disturbed is thrown away and done again, up to a limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil

from common.errors import RequestError
from harness.bench.contenders import Contender
from harness.bench.energy import counters, spent
from harness.bench.quiet import Meter
from harness.bench.stopping import Limits
from harness.workers.errors import WorkerError
from harness.workers.gpus import Watch
from harness.workers.process import Worker
from harness.workers.protocol import Products, TextTimed, Turn
from harness.workers.requests import TakeTurn, TimeText

WARMING = 10
"""Steps of a turn for one that goes before, untimed; see `harness.bench.worker.take_turn`."""


def take_rounds(
    batch: Sequence[Contender],
    limits: Limits,
    meter: Meter,
    watch: Watch,
    say: Callable[[str], None],
    text: TimeText | None = None,
) -> None:
    """Let a batch take turns until its limits are reached; each gets its turns.

    A turn is some training steps, or products; or the text that is asked for.
    """
    rng = np.random.default_rng(0)
    start, kept = time.perf_counter(), 0
    device = "cpu" if not watch.first else "gpu"
    while not limits.reached(kept, time.perf_counter() - start, batch):
        say(f"round {kept + 1}" + (f" of {limits.rounds}" if limits.rounds else ""))
        running = [e for e in batch if not e.reason and (e.is_network or kept < limits.floor)]
        if not any(each.is_network for each in running) and kept >= limits.floor:
            return
        before = [[*map(len, _found(each))] for each in running]
        for each in _shuffled(running, rng):
            with given_up_on_failure(each):
                _take_turn(each, running, meter, device, text)
            watch.look()
        if meter.end_round():
            kept += 1
            continue
        for each, lengths in zip(running, before, strict=True):
            for found, length in zip(_found(each), lengths, strict=True):
                del found[length:]


def _shuffled(running: Sequence[Contender], rng: np.random.Generator) -> Iterator[Contender]:
    names = [*dict.fromkeys(each.name for each in running)]
    for place in rng.permutation(len(names)):
        sizes = [each for each in running if each.name == names[place]]
        yield from (sizes[size] for size in rng.permutation(len(sizes)))


@contextmanager
def given_up_on_failure(contender: Contender) -> Iterator[None]:
    """A worker that fails loses its own figures, and nobody else's."""
    try:
        yield
    except (WorkerError, RequestError) as error:
        contender.reason = str(error)
        contender.kind = error.kind if isinstance(error, WorkerError) else "request"


def _found(of: Contender) -> tuple[list[Any], ...]:
    """Lists of what a contender finds round by round."""
    return of.turns, of.products, of.texts, of.joules


def _take_turn(
    contender: Contender,
    running: Sequence[Contender],
    meter: Meter,
    device: str,
    text: TimeText | None,
) -> None:
    """One turn, and the CPU time of the others meanwhile, who should have used none."""
    worker = contender.worker
    assert worker is not None
    before = [_used(each) for each in running]
    family = contender.devices > 1
    own, energy, clocks = _own(worker, family), counters(device), meter.reading()
    if text:
        told, _ = worker.answer(text, TextTimed)
        contender.texts.append(told)
    elif contender.of_products:
        products, _ = worker.answer(contender.of_products, Products)
        contender.products.append(products.seconds)
    else:
        turn, done = worker.answer(TakeTurn(steps=contender.steps), Turn)
        contender.turns.append(turn)
        contender.peak_memory_mb = done.peak_memory_mb
        contender.device_memory_mb = done.device_memory_mb
    after = meter.reading()
    meter.add(clocks, after, _own(worker, family) - own)
    joules = spent(energy, counters(device))
    if joules is not None and contender.is_network and not text:
        steps = contender.steps + max(1, contender.steps // WARMING)
        contender.joules.append(joules / steps)
    _settle(worker)
    for each, used in zip(running, before, strict=True):
        if each.worker is not worker:
            each.idle_cpu += _used(each) - used
            each.idle_wall += after.wall - clocks.wall


def _used(contender: Contender) -> float:
    return cpu_seconds(contender.worker) if contender.worker else 0.0


def _own(worker: Worker, family: bool) -> float:
    """CPU time of a worker, of its children where it has ranks, and of the harness itself."""
    mine = psutil.Process().cpu_times()
    return mine.user + mine.system + cpu_seconds(worker, family)


def _settle(worker: Worker) -> None:
    """Wait until a worker's threads have stopped spinning for work, a second at most."""
    for _ in range(50):
        before = cpu_seconds(worker)
        time.sleep(0.02)
        if cpu_seconds(worker) == before:
            return


def cpu_seconds(worker: Worker, family: bool = False) -> float:
    """CPU time that a worker has used so far, with its children or without; 0 once it is dead."""
    try:
        process = psutil.Process(worker.process.pid)
        members = [process, *process.children(recursive=True)] if family else [process]
        times = [each.cpu_times() for each in members]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(each.user + each.system for each in times)
