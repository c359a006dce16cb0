"""``bench`` by an engine: a shape is a contest, and never crosses machines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from common.errors import RequestError
from harness.bench.contenders import Contest, contenders
from harness.bench.measure import BenchResult, begun, show_all
from harness.bench.printing import show
from harness.bench.ranking import check_against
from harness.bench.rebuilt import join, rebuilt
from harness.engines.archive import unpack
from harness.engines.choice import engine_of
from harness.engines.options import Engines
from harness.engines.request import BenchCell, versions_of
from harness.engines.task import Engine, Outcome, Task
from harness.engines.tries import tried
from harness.records.provenance import from_home
from harness.records.reading import BenchData, read_bench
from harness.workers.source import source_hash


def time_shapes(
    engines: Engines,
    contest: Contest,
    shapes: tuple[str, ...],
    folder: Path,
    console: Console,
    quiet: bool,
    engine: Engine | None = None,
) -> BenchResult:
    """Have an engine time every shape, each on one machine; write the files as they come.

    Args:
        engines: the options.
        contest, shapes, folder, console, quiet: as of `harness.bench.measure.run_contest`.
        engine: times the shapes; None is that of the options.

    Raises:
        RequestError: something asked for does not exist, or the folder cannot be written.
    """
    found, absent = contenders(contest)
    check_against(contest.against, found)
    options = engines.checked(folder)

    def tell(line: str) -> None:
        if not quiet:
            console.print(Text(line))

    with (
        closing(engine or engine_of(engines.engine, options)) as engine,
        TemporaryDirectory() as aside,
    ):
        result = begun(contest, absent, folder)
        come: dict[str, BenchData] = {}
        for task, outcome in tried(engine, _tasks(contest, shapes, engine, Path(aside)), tell):
            shape, header = task.request.name, outcome.header
            try:
                come[shape] = _read(task, outcome)
            except RequestError as error:
                result.failures[shape] = str(error)
                tell(f"{len(come)} of {len(shapes)}: {shape}: {error}")
                continue
            join(result, [come[each] for each in shapes if each in come], contest.against)
            result.write(folder, "running")
            tell(f"{len(come)} of {len(shapes)}: {shape}: {header.seconds:.0f} s on {header.host}")
    done = [rebuilt(come[shape]) for shape in shapes if shape in come]
    result.write(folder, "finished")
    for each in done:
        show(console, each, result.figures[result.figures["shape"] == each.shape], contest.against)
    for shape, reason in result.failures.items():
        if shape in shapes:
            console.print(Text(f"{shape}: not timed: {reason}", "red"))
    show_all(console, done, result, contest.against, absent)
    return result


def _tasks(
    contest: Contest, shapes: tuple[str, ...], engine: Engine, aside: Path
) -> Iterator[Task]:
    for shape in shapes:
        request = BenchCell(
            name=shape,
            backends=contest.backends,
            variants=contest.variants,
            pythons={name: str(path.absolute()) for name, path in contest.pythons.items()},
            command=tuple(from_home(word) for word in sys.argv[1:]),
            source=source_hash(),
            versions=versions_of(contest.backends),
            share=engine.share,
            engine=engine.name,
            shape=shape,
            rounds=contest.rounds,
            seconds=contest.seconds,
            precision=contest.precision,
            settings=contest.settings,
            against=contest.against,
        )
        yield Task(request, aside / shape)


def _read(task: Task, outcome: Outcome) -> BenchData:
    """The benchmark of a shape.

    Raises:
        RequestError: there is none: the cell was lost or failed, or it is not of this shape.
    """
    if outcome.header.ending != "done":
        raise RequestError(f"{outcome.header.ending}: {outcome.header.reason}")
    unpack(outcome.archive, task.folder)
    bench = read_bench(task.folder)
    if [each["shape"] for each in bench.facts["shapes"]] != [task.request.name]:
        raise RequestError("an archive of another benchmark")
    return bench
