"""Tasks in flight: as many as there is room for, in an engine whose tasks run elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator, Sequence
from typing import Protocol, TypeVar

from harness.engines.task import Outcome, Task

Handle = TypeVar("Handle", bound=Hashable)

HEAR_SECONDS = 0.2
"""Longest that an engine waits before a signal can be heard."""


class Flights(Protocol[Handle]):
    """Operations of an engine on one task, as `concurrent.futures` has them."""

    def room(self) -> int:
        """Tasks that may be in flight now."""
        ...

    def submit(self, task: Task) -> Handle:
        """Begin a task."""
        ...

    def ready(self, running: Sequence[Handle]) -> Sequence[Handle]:
        """Handles of tasks that have ended; waits for one, but not for long."""
        ...

    def outcome(self, handle: Handle) -> Outcome:
        """Outcome of one that has ended."""
        ...

    def cancel(self, running: Sequence[Handle]) -> None:
        """End all that are running."""
        ...


def in_flight(
    engine: Flights[Handle], tasks: Iterator[Task]
) -> Generator[tuple[Task, Outcome], None, None]:
    """Every task with its outcome, as they come; whatever ends this, ends all."""
    running: dict[Handle, Task] = {}
    try:
        more = True
        while more or running:
            while more and len(running) < engine.room():
                task = next(tasks, None)
                if task is None:
                    more = False
                else:
                    running[engine.submit(task)] = task
            for handle in engine.ready([*running]):
                yield running.pop(handle), engine.outcome(handle)
    finally:
        engine.cancel([*running])
