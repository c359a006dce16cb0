"""``bench``: workers get ready, take turns, and are checked, in batches that a device can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import groupby

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.judging import TRAINED
from common.shards import SIMULATED
from harness.bench.contenders import BOOK, Contender, Contest, experiment_of, network
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
    """Time all contenders on one shape; each gets its figures, or the reason why it has none.

    Where a device cannot hold all of them at once, they take turns in batches. The variants of a
    backend, whose ratios are of the same round, are always of one. Of the twins among them one is
    timed, and the others leave the list.

    Returns:
        Quiet of the machine meanwhile; GPUs, and what they went through.
    """
    watch, waiting, number = Watch(experiment_of(contest, shape).device), list(found), 0
    meter = Meter(usable_cpus()[: experiment_of(contest, shape).threads])
    while waiting:
        number += 1
        for each in waiting:
            each.batch = number
        told = partial(_say_of, say, shape)
        waiting = _time_batch(contest, shape, waiting, told, meter, watch)
    found[:] = [e for e in found if not isinstance(e, Twin) or e.prepared or e.reason]
    quiet, gpus = meter.told(), watch.told()
    quiet.gpu_busy = any(gpu.shared for gpu in gpus)
    return quiet, gpus


def _say_of(say: Say, shape: str, said: str) -> None:
    say(f"{shape}: {said}")


def _time_batch(
    contest: Contest, shape: str, found: list[Contender], say: Say, meter: Meter, watch: Watch
) -> list[Contender]:
    """Time the contenders that fit beside each other; those that have to wait for another batch."""
    number = sum(not isinstance(each, Twin) for each in found) + 1
    limits = Limits.of(contest, number)
    seconds = turn_seconds(limits, number)
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        batch: list[Contender] = []
        waiting: list[Contender] = []
        held: dict[str, ExitStack] = {}
        groups = [
            list(alike)
            for _, alike in groupby(found, lambda each: (each.backend, each.variant == "products"))
        ]

        def start(contender: Contender) -> None:
            held[contender.name] = stack.enter_context(ExitStack())
            worker = held[contender.name].enter_context(_worker(contender, contest, shape))
            workers[contender.name] = worker

        for group in groups:
            # A device's memory is for one backend after the other, a host's for all at once.
            if group is groups[0] or watch.first:
                starting = [e for e in (group if watch.first else found) if not isinstance(e, Twin)]
                say(f"starting {', '.join(dict.fromkeys(each.backend for each in starting))}")
                for each in starting:
                    start(each)
                _wake([workers[each.name] for each in starting])
            for each in group:
                say(f"preparing {each.name}")
                experiment = experiment_of(contest, shape, each.devices)
                with given_up_on_failure(each):
                    if isinstance(each, Twin) and wanted(each, [*batch, *group]):
                        start(each)
                    if each.name in workers:
                        _prepare(each, workers[each.name], experiment, shape, seconds, contest)
            group = [each for each in group if each.name in workers]
            too_large = [each for each in group if each.kind == "memory"]
            if batch and any(not isinstance(each, Twin) for each in too_large):
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
        take_rounds(batch, workers, limits, meter, watch, say)
        if contest.text:
            writers = [e for e in batch if e.is_network and not isinstance(e, Twin)]
            few = Limits(FEWEST, None, None)
            take_rounds(writers, workers, few, meter, watch, say, contest.text)
        _check_all([e for e in batch if e.is_network and not e.reason], workers, say)
    return waiting


def _worker(contender: Contender, contest: Contest, shape: str) -> Worker:
    python = interpreter(contender.backend, contest.pythons)
    return Worker(contender.backend, python, experiment_of(contest, shape, contender.devices))


def _wake(workers: Sequence[Worker]) -> None:
    """Have workers import their frameworks, as many at once as there are CPUs: nothing is timed."""

    def wake(worker: Worker) -> None:
        with suppress(WorkerError, RequestError):  # it says so again when it is to prepare
            worker.answer(Describe(), Described)

    run_at_once(wake, workers, len(usable_cpus()))


def _prepare(
    contender: Contender,
    worker: Worker,
    experiment: Experiment,
    shape: str,
    seconds: float,
    contest: Contest,
) -> None:
    if contender.variant == "products":
        module = backends.entry(contender.backend).products
        contender.of_products = TimeProducts(
            module=module, device=experiment.device, shape=dimensions(shape)
        )
        worker.answer(contender.of_products, Products)  # operands are made, loops compiled
        return
    request = _request(contender, experiment, shape, contest)
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


def _request(
    contender: Contender, experiment: Experiment, shape: str, contest: Contest
) -> Prepare | PrepareText:
    vocab_size = dimensions(shape)[3]
    if not contender.writes:
        return Prepare(
            experiment=experiment,
            variant=contender.variant,
            vocab_size=vocab_size,
            indices=contest.indices,
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


def _check_all(contenders: Sequence[Contender], workers: dict[str, Worker], say: Say) -> None:
    """Withhold the figures of whatever is not the reference network; nothing is timed any more.

    Each has all its threads, which wait by spinning: together they have no more than the CPUs.
    """

    def check(contender: Contender) -> None:
        say(f"checking {contender.name}")
        with given_up_on_failure(contender):
            contender.checked, _ = workers[contender.name].answer(Check(), Judged)
            if contender.checked.verdict not in TRAINED:
                raise WorkerError("error", contender.checked.reason)

    threads = max((workers[each.name].threads for each in contenders), default=1)
    run_at_once(check, contenders, max(1, len(usable_cpus()) // threads))
