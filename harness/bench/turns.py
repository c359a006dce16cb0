"""``bench``: workers get ready, take turns, and are checked, in batches that a device can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import groupby

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.judging import TRAINED
from common.shards import SIMULATED
from harness.bench.contenders import BOOK, Contender, Contest, Size, experiment_of, network
from harness.bench.quiet import Meter, Quiet
from harness.bench.rounds import given_up_on_failure, take_rounds
from harness.bench.shapes import dimensions
from harness.bench.stopping import Limits
from harness.bench.twins import Twin, wanted
from harness.intervals import FEWEST
from harness.workers.cpus import usable_cpus
from harness.workers.errors import WorkerError
from harness.workers.gpus import Watch, Watched
from harness.workers.interpreters import interpreter
from harness.workers.pool import run_at_once
from harness.workers.process import Worker
from harness.workers.protocol import Described, Judged, Prepared, Products, Turn
from harness.workers.requests import (
    Check,
    Describe,
    Prepare,
    PrepareText,
    TakeTurn,
    TimeProducts,
)

Say = Callable[[str], None]

TURN_SECONDS, SHORTEST = 0.3, 0.06
"""Seconds that a turn is timed, about, at most and at least; a tenth goes before, untimed, to warm
caches."""

AIM = 60
"""Rounds that the seconds of a shape should have room for."""


def turn_seconds(limits: Limits, contenders: int) -> float:
    """Seconds of a turn: many short ones tell more than few long ones, where time is short."""
    if limits.seconds is None:
        return TURN_SECONDS
    return min(TURN_SECONDS, max(SHORTEST, limits.seconds / (AIM * max(1, contenders))))


def time_shape(
    contest: Contest, shape: str, found: list[Contender], say: Say
) -> tuple[Quiet, list[Watched]]:
    """Time all contenders on one shape, as `time_sizes` does."""
    return time_sizes([Size(contest, shape, found)], lambda said: say(f"{shape}: {said}"))


def time_sizes(sizes: Sequence[Size], say: Say) -> tuple[Quiet, list[Watched]]:
    """Time all contenders at all sizes in the same rounds; who has no figures gets the reason.

    Where a device cannot hold all of them at once, they take turns in batches. The variants of a
    backend, whose ratios are of the same round, are always of one. Of the twins of a size one is
    timed, and the others leave the list.

    Returns:
        Quiet of the machine meanwhile; GPUs, and what they went through.
    """
    experiments = [experiment_of(each.contest, each.shape) for each in sizes]
    watch, waiting, number = Watch(experiments[0].device), list(sizes), 0
    most = max(each.threads or len(usable_cpus()) for each in experiments)
    meter = Meter(usable_cpus()[:most])
    while waiting:
        number += 1
        for each in (each for size in waiting for each in size.found):
            each.batch = number
        waiting = _time_batch(waiting, say, meter, watch)
    for size in sizes:
        size.found[:] = [e for e in size.found if not isinstance(e, Twin) or e.prepared or e.reason]
    quiet, gpus = meter.told(), watch.told()
    quiet.gpu_busy = any(gpu.shared for gpu in gpus)
    return quiet, gpus


def _time_batch(sizes: Sequence[Size], say: Say, meter: Meter, watch: Watch) -> list[Size]:
    """Time the contenders that fit beside each other; those that have to wait for another batch."""
    contest = sizes[0].contest
    number = max(sum(not isinstance(e, Twin) for e in size.found) for size in sizes) + 1
    limits = Limits.of(contest, number, len(sizes))
    seconds = turn_seconds(limits, number * len(sizes))
    with ExitStack() as stack:
        batch: list[Contender] = []
        waiting: set[int] = set()
        held: dict[int, ExitStack] = {}
        floors: dict[tuple[str, int | None], Worker] = {}
        groups = [
            (size, list(alike))
            for size in sizes
            for _, alike in groupby(
                size.found, lambda each: (each.backend, each.variant == "products")
            )
        ]

        def start(contender: Contender, size: Size) -> None:
            """Start its worker; one multiplies the products of all sizes."""
            experiment = experiment_of(size.contest, size.shape, contender.devices)
            key = contender.backend, experiment.threads
            if contender.variant == "products" and key in floors:
                contender.worker = floors[key]
                return
            held[id(contender)] = stack.enter_context(ExitStack())
            python = interpreter(contender.backend, contest.pythons)
            worker = Worker(contender.backend, python, experiment)
            contender.worker = held[id(contender)].enter_context(worker)
            if contender.variant == "products":
                floors[key] = worker

        def close(contender: Contender) -> None:
            """End its worker: what that has of a device is for the others."""
            contender.worker = None
            if id(contender) in held:
                held[id(contender)].close()

        for size, group in groups:
            # A device's memory is for one backend after the other, a host's for all at once.
            if group is groups[0][1] or watch.first:
                starting = [(size, group)] if watch.first else groups
                firsts = [(s, e) for s, g in starting for e in g if not isinstance(e, Twin)]
                say(f"starting {', '.join(dict.fromkeys(each.backend for _, each in firsts))}")
                for of, each in firsts:
                    start(each, of)
                _wake([each.worker for _, each in firsts if id(each) in held and each.worker])
            for each in group:
                say(f"preparing {each.name}")
                with given_up_on_failure(each):
                    if isinstance(each, Twin) and wanted(each, size.found):
                        start(each, size)
                    if each.worker:
                        _prepare(each, each.worker, size, seconds)
            group = [each for each in group if each.worker]
            too_large = [each for each in group if each.kind == "memory"]
            if batch and any(not isinstance(each, Twin) for each in too_large):
                for each in group:
                    close(each)
                    each.prepared, each.steps, each.reason, each.kind = None, 1, "", ""
                    waiting.add(id(each))
                continue
            for each in too_large:
                close(each)
                beside = " beside the other variants of its backend" if len(group) > 1 else ""
                each.reason = f"it does not fit{beside}: {each.reason}"
            batch += group
        take_rounds(batch, limits, meter, watch, say)
        if contest.text:
            writers = [e for e in batch if e.is_network and not isinstance(e, Twin)]
            take_rounds(writers, Limits(FEWEST, None, None), meter, watch, say, contest.text)
        _check_all([e for e in batch if e.is_network and not e.reason], say)
        for each in batch:
            each.worker = None
    left = ([each for each in size.found if id(each) in waiting] for size in sizes)
    return [replace(size, found=found) for size, found in zip(sizes, left, strict=True) if found]


def _wake(workers: Sequence[Worker]) -> None:
    """Have workers import their frameworks, as many at once as there are CPUs: nothing is timed."""

    def wake(worker: Worker) -> None:
        with suppress(WorkerError, RequestError):  # it says so again when it is to prepare
            worker.answer(Describe(), Described)

    run_at_once(wake, workers, len(usable_cpus()))


def _prepare(contender: Contender, worker: Worker, size: Size, seconds: float) -> None:
    experiment = experiment_of(size.contest, size.shape, contender.devices)
    if contender.variant == "products":
        module = backends.entry(contender.backend).products
        contender.of_products = TimeProducts(
            module=module, device=experiment.device, shape=dimensions(size.shape)
        )
        worker.answer(contender.of_products, Products)  # operands are made, loops compiled
        return
    request = _request(contender, experiment, size)
    contender.prepared, _ = worker.answer(request, Prepared)
    if SIMULATED in contender.prepared.device:
        raise WorkerError("error", "simulated devices share a CPU: no figure of theirs is a speed")
    found = contender.prepared.conditions
    threads = worker.threads
    if found.cpus not in (None, worker.cpus):
        raise WorkerError("error", f"it runs on CPUs {found.cpus}, not on {worker.cpus}")
    if found.threads not in (None, threads):
        raise WorkerError("error", f"it uses {found.threads} threads, not {threads}")
    while (taken := _seconds(contender, worker)) < seconds / 3:
        contender.steps *= 2
    contender.steps = max(2, round(contender.steps * seconds / taken))


def _request(contender: Contender, experiment: Experiment, size: Size) -> Prepare | PrepareText:
    vocab_size = dimensions(size.shape)[3]
    if not contender.writes:
        return Prepare(
            experiment=experiment,
            variant=contender.variant,
            vocab_size=vocab_size,
            indices=size.contest.indices,
        )
    return PrepareText(
        experiment=experiment,
        variant=network(contender.backend),
        vocab_size=vocab_size,
        loop=contender.variant == BOOK,
    )


def _seconds(contender: Contender, worker: Worker) -> float:
    turn, _ = worker.answer(TakeTurn(steps=contender.steps), Turn)
    return turn.seconds * contender.steps


def _check_all(contenders: Sequence[Contender], say: Say) -> None:
    """Withhold the figures of whatever is not the reference network; nothing is timed any more.

    Each has all its threads, which wait by spinning: together they have no more than the CPUs.
    """

    def check(contender: Contender) -> None:
        say(f"checking {contender.name}")
        with given_up_on_failure(contender):
            assert contender.worker is not None
            contender.checked, _ = contender.worker.answer(Check(), Judged)
            if contender.checked.verdict not in TRAINED:
                raise WorkerError("error", contender.checked.reason)

    threads = max((each.worker.threads for each in contenders if each.worker), default=1)
    run_at_once(check, contenders, max(1, len(usable_cpus()) // threads))
