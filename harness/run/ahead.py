"""Workers of a run's rows: while one trains, that of the next row gets ready on other CPUs.

It starts, imports its framework, compiles and is judged; then it waits, without using the CPU. What
it has said stays in its pipe until its turn, so that rows and events keep their order. At its turn
it moves: every row trains on the same CPUs. Beside the last row gets ready what comes after it.

Where a worker has all CPUs, none gets ready beside it: threads that wait for one another spin, so
that two workers on the same CPUs took up to three times as long.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import NamedTuple

from backends import entry
from common.experiment import Experiment
from common.shards import world_size
from harness.run.row import Row
from harness.workers.cpus import usable_cpus
from harness.workers.errors import WorkerError
from harness.workers.process import Worker
from harness.workers.protocol import Event


class Asked(NamedTuple):
    """A worker that was asked to train a row, and its answer."""

    worker: Worker
    events: Iterator[Event]


class Ahead:
    """Workers of some rows, of which at most one waits; use it in a ``with`` block, which ends it.

    Args:
        rows: in the order of their turns.
        sides: as `sides_of` gives them.
        ask: starts a row's worker on some CPUs and asks it.
        after: gets ready what comes after the last row.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        sides: Sequence[list[int]],
        ask: Callable[[Row, list[int]], Asked],
        after: Callable[[], None],
    ) -> None:
        self.rows, self.ask, self.after = rows, ask, after
        self.cpus, *self.beside = sides
        self.waiting: dict[str, Asked] = {}

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for asked in self.waiting.values():
            asked.worker.__exit__(kind, error, trace)

    def take(self, row: Row) -> Asked:
        """The worker of a row whose turn it is; that of the next row begins to get ready.

        Raises:
            WorkerError: it cannot be started.
        """
        mine = self.waiting.pop(row.name, None) or self.ask(row, self.cpus)
        names = [each.name for each in self.rows]
        for each in self.rows[names.index(row.name) + 1 :][: len(self.beside)]:
            with suppress(WorkerError):  # it is tried again at its turn
                self.waiting[each.name] = self.ask(each, *self.beside)
        if self.beside and row.name == names[-1]:
            Thread(target=self._get_ready, daemon=True).start()
        return mine

    def _get_ready(self) -> None:
        """Get ready what comes after the last row, on other CPUs than it trains on."""
        with suppress(AttributeError, OSError):  # where there is no way to, the system knows
            os.sched_setaffinity(0, *self.beside)  # of this thread alone
        self.after()

    def look(self) -> None:
        """Bound the log of the one that waits, which nobody listens to."""
        for asked in self.waiting.values():
            asked.worker.look()


def sides_of(experiment: Experiment, device: str) -> list[list[int]]:
    """CPUs to train on and, where there are as many again, others for who gets ready meanwhile.

    None does on a GPU, whose memory is not for two frameworks, nor where a network has several
    devices, whose processes are started together. The others are far from the first, which may be
    two of one core.

    Args:
        experiment: says how many threads a worker has, and how many devices one network.
        device: where all rows compute.
    """
    cpus, threads = usable_cpus(), experiment.threads
    alone = device == "cpu" and experiment.devices == 1 and world_size() == 1
    if threads and alone and 2 * threads <= len(cpus):
        return [cpus[:threads], cpus[-threads:]]
    return [cpus[:threads]]


def in_turn(rows: Sequence[Row]) -> list[Row]:
    """The rows in the order of their turns: a slow start is made while the first row trains."""
    slow = [row for row in rows[1:] if entry(row.backend).slow_start]
    return [*rows[:1], *slow, *(row for row in rows[1:] if row not in slow)]
