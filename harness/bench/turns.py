"""``bench``: workers take turns in shuffled rounds, so that what disturbs one disturbs all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby

import numpy as np
import psutil

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.judging import TRAINED
from common.shards import SIMULATED
from harness.bench.contenders import Contender, Contest, experiment_of
from harness.bench.shapes import dimensions
from harness.workers.errors import WorkerError
from harness.workers.gpus import Watch, Watched
from harness.workers.interpreters import interpreter
from harness.workers.process import Worker
from harness.workers.protocol import Judged, Prepared, Products, Turn
from harness.workers.requests import Check, Prepare, TakeTurn, TimeProducts

Say = Callable[[str], None]

TURN_SECONDS = 0.3
"""Seconds that a turn is timed, about; a tenth goes before, untimed, to warm caches."""


def time_shape(contest: Contest, shape: str, found: list[Contender], say: Say) -> list[Watched]:
    """Time all contenders on one shape; each gets its figures, or the reason why it has none.

    Where a device cannot hold all of them at once, they take turns in batches. The variants of a
    backend, whose ratios are of the same round, are always of one.

    Returns:
        GPUs, and what they went through.
    """
    watch, waiting, number = Watch(experiment_of(contest, shape).device), found, 0
    while waiting:
        number += 1
        for each in waiting:
            each.batch = number
        waiting = _time_batch(contest, shape, waiting, say, watch)
    return watch.told()


def _time_batch(
    contest: Contest, shape: str, found: list[Contender], say: Say, watch: Watch
) -> list[Contender]:
    """Time the contenders that fit beside each other; those that have to wait for another batch."""
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        batch: list[Contender] = []
        waiting: list[Contender] = []
        for _, alike in groupby(found, lambda each: (each.backend, each.variant == "products")):
            group, held = list(alike), {}
            for each in group:
                say(f"{shape}: preparing {each.name}")
                python = interpreter(each.backend, contest.pythons)
                experiment = experiment_of(contest, shape, each.devices)
                held[each.name] = stack.enter_context(ExitStack())
                worker = Worker(each.backend, python, experiment)
                workers[each.name] = held[each.name].enter_context(worker)
                with given_up_on_failure(each):
                    _prepare(each, workers[each.name], experiment, shape)
            too_large = [each for each in group if each.kind == "memory"]
            if batch and too_large:
                for each in group:
                    held[each.name].close()
                    each.prepared, each.steps, each.reason, each.kind = None, 1, "", ""
                waiting += group
                continue
            for each in too_large:
                held[each.name].close()  # what it has of the device is for the others
                beside = " beside the other variants of its backend" if len(group) > 1 else ""
                each.reason = f"it does not fit{beside}: {each.reason}"
            batch += group
        rng = np.random.default_rng(0)
        for number in range(1, contest.rounds + 1):
            say(f"{shape}: round {number} of {contest.rounds}")
            running = [each for each in batch if not each.reason]
            for turn in rng.permutation(len(running)):
                with given_up_on_failure(running[turn]):
                    _take_turn(running[turn], running, workers)
                watch.look()
        for each in batch:
            if not each.reason and each.is_network:
                say(f"{shape}: checking {each.name}")
                with given_up_on_failure(each):
                    _check(each, workers[each.name])
    return waiting


@contextmanager
def given_up_on_failure(contender: Contender) -> Iterator[None]:
    """A worker that fails loses its own figures, and nobody else's."""
    try:
        yield
    except (WorkerError, RequestError) as error:
        contender.reason = str(error)
        contender.kind = error.kind if isinstance(error, WorkerError) else "request"


def _prepare(contender: Contender, worker: Worker, experiment: Experiment, shape: str) -> None:
    if contender.variant == "products":
        module = backends.entry(contender.backend).products
        contender.of_products = TimeProducts(
            module=module, device=experiment.device, shape=dimensions(shape)
        )
        worker.answer(contender.of_products, Products)  # operands are made, loops compiled
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
    while (seconds := _seconds(contender, worker)) < TURN_SECONDS / 3:
        contender.steps *= 2
    contender.steps = max(2, round(contender.steps * TURN_SECONDS / seconds))


def _seconds(contender: Contender, worker: Worker) -> float:
    turn, _ = worker.answer(TakeTurn(steps=contender.steps), Turn)
    return turn.seconds * contender.steps


def _take_turn(
    contender: Contender, running: Sequence[Contender], workers: dict[str, Worker]
) -> None:
    """One turn, and the CPU time of the others meanwhile, who should have used none."""
    before = {each.name: cpu_seconds(workers[each.name]) for each in running}
    start = time.perf_counter()
    worker = workers[contender.name]
    if contender.of_products:
        products, _ = worker.answer(contender.of_products, Products)
        contender.products.append(products.seconds)
    else:
        turn, done = worker.answer(TakeTurn(steps=contender.steps), Turn)
        contender.turns.append(turn)
        contender.peak_memory_mb = done.peak_memory_mb
        contender.device_memory_mb = done.device_memory_mb
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
