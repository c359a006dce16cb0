"""Tries: what a machine did is tried again, what an experiment did is a result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from harness.engines.task import Engine, Outcome, Task

TRIES = 3
"""Times that a task is tried; after that, it is lost."""


def tried(
    engine: Engine, tasks: Iterator[Task], tell: Callable[[str], None]
) -> Generator[tuple[Task, Outcome], None, None]:
    """Every task, once, with its last outcome.

    What was lost with its machine, or refused by a node that is not like the driver's, is tried
    again when all others have been: by then a machine that was coming down is gone.

    Args:
        engine: runs them.
        tasks: taken as there is room.
        tell: is told a line when something has to be tried again.
    """
    for number in range(1, TRIES + 1):
        again: list[Task] = []
        with closing(engine.outcomes(tasks)) as running:
            for task, outcome in running:
                if outcome.header.ending in ("lost", "refused") and number < TRIES:
                    tell(f"{task.request.name}: {outcome.header.reason}: to be tried again")
                    again.append(task.again())
                else:
                    yield task, outcome
        if not again:
            return
        tasks = iter(again)
