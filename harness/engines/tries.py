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
    again when all others have been: by then a machine that was coming down is gone. The first
    refusal of each node is no try: of many nodes that are not like the driver's, a cell may meet
    more than three.

    Args:
        engine: runs them.
        tasks: taken as there is room.
        tell: is told a line when something has to be tried again.
    """
    refusing: set[str] = set()
    more = True
    while more:
        again: list[Task] = []
        with closing(engine.outcomes(tasks)) as running:
            for task, outcome in running:
                header = outcome.header
                spared = header.ending == "refused" and header.host not in {"", *refusing}
                if spared:
                    refusing.add(header.host)
                left = TRIES - task.request.attempt + task.spared + spared
                if left and (header.ending in ("lost", "refused") or header.killed):
                    reason = header.reason or header.killed
                    tell(f"{task.request.name}: {reason}: to be tried again")
                    again.append(task.again(spared))
                else:
                    yield task, outcome
        tasks, more = iter(again), bool(again)
