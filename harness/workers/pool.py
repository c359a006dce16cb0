"""Pool of workers: several backends at once, each with a CPU of its own.

Nothing is timed here, so the workers need not take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Generic, TypeVar

from harness import interrupts
from harness.workers.cpus import usable_cpus
from harness.workers.errors import WorkerError
from harness.workers.interpreters import missing
from harness.workers.process import end_all

HEAR_SECONDS = 0.2
"""Time between two moments in which a signal can be heard."""

Item = TypeVar("Item")
Found = TypeVar("Found")
Pair = tuple[str, str]
"""A backend and a variant."""


@dataclass(frozen=True)
class PoolResult(Generic[Found]):
    """Results by backend and variant, in the order asked, and why others have none.

    Attributes:
        found: results.
        errors: of the others.
        asked: names of the backends that were asked for.
    """

    asked: Collection[str]
    found: dict[Pair, Found] = field(default_factory=dict)
    errors: dict[Pair, WorkerError] = field(default_factory=dict)

    @property
    def absent(self) -> dict[Pair, str]:
        """Reasons of backends that are not available, and that nobody asked for."""
        return {
            pair: str(error)
            for pair, error in self.errors.items()
            if error.kind == "unavailable" and pair[0] not in self.asked
        }

    @property
    def failures(self) -> dict[Pair, str]:
        """Reasons of all others that have no result."""
        return {pair: str(e) for pair, e in self.errors.items() if pair not in self.absent}


def run_pool(
    pairs: Sequence[Pair],
    asked: Collection[str],
    pythons: dict[str, Path],
    work: Callable[[Pair, list[int]], Found],
) -> PoolResult[Found]:
    """Work on every pair, as many at once as there are CPUs.

    Args:
        pairs: backends and variants.
        asked: names of the backends that were asked for.
        pythons: interpreters of backends that have one of their own.
        work: does a pair's work in a worker on the CPUs it is given.
    """
    free: Queue[int] = Queue()
    for cpu in usable_cpus():
        free.put(cpu)

    def run_pair(pair: Pair) -> Found | WorkerError:
        if reason := missing(pair[0], pythons):
            return WorkerError("unavailable", reason)
        cpu = free.get()
        try:
            return work(pair, [cpu])
        except WorkerError as error:
            return error
        finally:
            free.put(cpu)

    result = PoolResult[Found](asked)
    for pair, found in zip(pairs, run_at_once(run_pair, pairs, free.qsize()), strict=True):
        if isinstance(found, WorkerError):
            result.errors[pair] = found
        else:
            result.found[pair] = found
    return result


def run_at_once(work: Callable[[Item], Found], items: Sequence[Item], threads: int) -> list[Found]:
    """Work on all items, so many at once, and give what is found in their order.

    The work is done by workers. What is raised here, such as Ctrl-C, or by one of them ends all of
    them.
    """
    with ThreadPoolExecutor(threads) as pool:
        futures: list[Future[Found]] = []
        try:
            with interrupts.held():  # so that none is submitted whose future is not known
                futures += [pool.submit(work, item) for item in items]
            found = []
            for future in futures:
                while not future.done():  # a signal that another thread takes does not wake us
                    wait([future], HEAR_SECONDS)
                found.append(future.result())
            return found
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while busy := [future for future in futures if not future.done()]:
                end_all()  # again, for one may just be starting its worker
                wait(busy, HEAR_SECONDS)
            raise
