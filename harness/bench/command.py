"""``bench``: the fair clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from common.errors import RequestError
from harness.console import note, print_json
from harness.formats import console_for, tell
from harness.options import (
    CHOICE,
    FLAT,
    MACHINE,
    MEASUREMENT,
    NETWORK,
    OUTPUT,
    Backends,
    Force,
    Json,
    Options,
    OutputFormat,
    Pythons,
    Quiet,
    Variants,
    as_options,
    split,
)

Measure = Callable[[Any, tuple[str, ...], Path, Console, bool], Any]
"""Whatever times a contest on some shapes, as `harness.bench.measure.run_contest` does."""


@as_options({NETWORK: "dtype", MACHINE: "device devices deterministic threads"})
class Settings(Options):
    """The settings of a benchmark that are options."""


def bench(
    *,
    backend: Backends = None,
    variant: Variants = None,
    shape: Annotated[list[str] | None, Parameter(negative=(), group=CHOICE)] = None,
    settings: Annotated[Settings | None, FLAT] = None,
    against: Annotated[str | None, Parameter(group=CHOICE)] = None,
    rounds: Annotated[int | None, Parameter(group=MEASUREMENT)] = None,
    precision: Annotated[float | None, Parameter(group=MEASUREMENT)] = None,
    seconds: Annotated[float | None, Parameter(group=MEASUREMENT)] = None,
    generate: Annotated[bool, Parameter(negative=(), group=CHOICE)] = False,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Quiet = False,
    force: Force = False,
    json: Json = False,
    form: OutputFormat = None,
    by: Annotated[Measure | None, Parameter(parse=False)] = None,
) -> int:
    """Time training steps of every backend and variant, in turns, against the floor.

    One contender runs twice under two names. What differs by less than
    these two do is called a tie; on a machine that is busy with something
    else, nothing is said of who is faster.

    Parameters
    ----------
    variant
        only this variant (repeat, or separate by commas); book, the book's loop, is one here, and
        so is compiled, the fastest form that a framework documents, where it is named
    shape
        batch x steps x hiddens x vocabulary, as in 32x35x256x28 (repeat; default: five of them)
    against
        hold all others against this one, as in "torch fused", or against the best form of a backend
        (default: each against its backend's concise)
    rounds
        turns that each takes; fewer than 6 give no interval and no verdict
        (default: as many as --precision or --seconds allow)
    precision
        go on until half of every interval is at most this fraction of its ratio
        (default: 0.02, or no limit where --rounds is given)
    seconds
        begin no further round of a shape after so long, once there are 6
        (default: 20, or 1 a contender if that is more; no limit where --rounds is given)
    generate
        time texts instead of training steps: tokens a second and the first token's latency of each
        backend, against the loop of its chapter; a shape is then 1 x prefix x hiddens x vocabulary
    out
        the folder that gets bench.csv, rounds.csv, comparisons.csv, ranking.csv, bench.json and
        the report; with --generate, generation.csv, generation_rounds.csv, generation.json and
        the report (default: runs/<time>-bench)
    """
    from rich.text import Text

    from harness.bench.contenders import Contest
    from harness.bench.generation import contenders as of_texts
    from harness.bench.generation.measure import run_generation
    from harness.bench.generation.report import told_of as told_of_texts
    from harness.bench.measure import run_contest
    from harness.bench.outcomes import outcomes
    from harness.bench.report import told_of
    from harness.bench.shapes import SHAPES, dimensions
    from harness.page.write import add_report
    from harness.paths import new_folder, result_folder
    from harness.records.tables import holds
    from harness.workers.cpus import fewer_than_asked
    from harness.workers.interpreters import asked

    if rounds is not None and rounds < 1:
        raise RequestError(f"--rounds {rounds}: at least 1; 6 and more give intervals")
    if precision is not None and not 0 < precision < 1:
        raise RequestError(f"--precision {precision:g}: a fraction, such as 0.02")
    if seconds is not None and not 0 < seconds < float("inf"):
        raise RequestError(f"--seconds {seconds:g}: of a shape, more than 0")
    shapes = split(shape) or (of_texts.SHAPES if generate else SHAPES)
    for each in shapes:
        dimensions(each)
    measured = {"dtype", "device", "devices", "deterministic", "threads"}
    chosen = (settings or Settings()).model_dump(include=measured)
    names, pythons = asked(backend, python)
    contest = Contest(
        names,
        split(variant),
        rounds,
        chosen,
        pythons,
        seconds,
        precision,
        " ".join((against or "").split()),
    )
    note(fewer_than_asked(chosen["threads"]))
    console = console_for(json, form)
    out = out or new_folder("bench")
    record, run = (
        ("generation.json", run_generation) if generate else ("bench.json", by or run_contest)
    )
    with result_folder(out, record, force) as place:
        result = run(contest, shapes, place.path, console, quiet or bool(form))
        place.failed = result.exit_status != 0
        added = ""
        if not holds(out, "run.json"):  # a run has a report of its own
            told = told_of if holds(place.path, "bench.json") else told_of_texts
            added = add_report(lambda: told([place.path]), place.path, out)
    said = f"written: {(out / record).with_suffix('.csv')}, and the other tables beside it"
    console.print(Text(said), soft_wrap=True)
    console.print(Text(added or f"to show it: python -m harness report {out}"), soft_wrap=True)
    if json:
        print_json(result.as_json())
    tell(form, "bench", outcomes(result), console)
    return result.exit_status
