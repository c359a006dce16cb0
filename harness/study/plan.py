"""A study's plan: how many cells, and what they take, from one that is measured."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness import interrupts
from harness.run.progress import Silent
from harness.run.train import run
from harness.study.grid import GridCell, each_cell
from harness.study.progress import lasting
from harness.study.rows import title
from harness.study.run import StudyRequest, check_cells, is_finished, request_of
from harness.study.texts import Texts


@dataclass(frozen=True)
class Measured:
    """Time and memory of one cell.

    Attributes:
        training: seconds, of all its rows.
        beside: seconds for all else: starting, compiling, judging.
        memory: of its largest worker, in MB.
    """

    training: float
    beside: float
    memory: float


def plan(order: StudyRequest, console: Console) -> int:
    """Run one cell, which is thrown away, and print what the study would take.

    The time of training is taken to go with epochs and weights, the rest to be the same for each
    cell; so it is an estimate.

    Returns:
        The exit status.
    """
    texts = Texts(order.data_dir)
    count = check_cells(order, texts)
    grids = Counter(cell.grid for cell in each_cell(order.study))
    told = ", ".join(f"{number} in {name}" for name, number in grids.items())
    console.print(Text(f"{count} cells: {told}"))
    first = next(to_run(order), None)
    if first is None:
        console.print(Text("all of them are finished"))
        return 0
    measured = measure(order, first)
    if measured is None:
        return interrupts.exit_status()
    one = measured.training + measured.beside
    told = f"measured {title(first)}: {lasting(one)}, {measured.memory:,.0f} MB"
    console.print(Text(told))
    left, seconds = 0, 0.0
    unit = cost(first, texts)
    for cell in to_run(order):
        left += 1
        seconds += measured.beside + measured.training * cost(cell, texts) / unit
    jobs = order.options.jobs
    console.print(
        Text(
            f"{left} to run: about {lasting(seconds)} one after the other"
            + f", {lasting(seconds / jobs)} with --jobs {jobs}" * (jobs > 1)
            + f"; {jobs * measured.memory:,.0f} MB of memory"
        )
    )
    return 0


def to_run(order: StudyRequest) -> Iterator[GridCell]:
    """The cells that are not finished."""
    return (cell for cell in each_cell(order.study) if not is_finished(order, cell))


def cost(cell: GridCell, texts: Texts) -> float:
    """Cost of a cell's training: epochs, by tokens, by weights that each token meets."""
    inputs = texts.inputs(cell.experiment)
    shapes = cell.experiment.shapes(len(inputs.vocab))
    train, _ = inputs.loader.spans()
    return cell.experiment.num_epochs * len(train) * float(sum(map(prod, shapes.values())))


def measure(order: StudyRequest, cell: GridCell) -> Measured | None:
    """Time and memory of a cell, whose folder is thrown away; None after Ctrl-C."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        result = run(replace(request_of(order, cell), out=Path(folder) / "cell"), Silent())
        if result.status == "interrupted":
            return None
        training = sum(row.train_seconds for row in result.rows)
        memory = max((row.peak_memory_mb or 0.0 for row in result.rows), default=0.0)
        return Measured(training, time.monotonic() - start - training, memory)
