"""``bench``: the fair clock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from common.errors import RequestError
from harness.console import note, print_json, screen
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
    Pythons,
    Quiet,
    Variants,
    as_options,
    split,
)


@as_options({NETWORK: "dtype", MACHINE: "device devices deterministic threads"})
class Settings(Options):
    """The settings of a benchmark that are options."""


def bench(
    *,
    backend: Backends = None,
    variant: Variants = None,
    shape: Annotated[list[str] | None, Parameter(negative=(), group=CHOICE)] = None,
    settings: Annotated[Settings | None, FLAT] = None,
    rounds: Annotated[int, Parameter(group=MEASUREMENT)] = 20,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Quiet = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Time training steps of every backend and variant, in turns, against the floor.

    Parameters
    ----------
    variant
        only this variant (repeat, or separate by commas); book, the book's loop, is one here, and
        so is compiled, the fastest form that a framework documents, where it is named
    shape
        batch x steps x hiddens x vocabulary, as in 32x35x256x28 (repeat; default: five of them)
    rounds
        turns that each takes
    out
        the folder that gets bench.csv, rounds.csv and bench.json
        (default: results/runs/<time>-bench)
    """
    from rich.console import Console
    from rich.text import Text

    from harness.bench.contenders import Contest
    from harness.bench.measure import run_contest
    from harness.bench.shapes import SHAPES, dimensions
    from harness.paths import new_folder, result_folder
    from harness.workers.cpus import fewer_than_asked
    from harness.workers.interpreters import asked

    if rounds < 2:
        raise RequestError(f"--rounds {rounds}: at least two, or there is no interval")
    shapes = split(shape) or SHAPES
    for each in shapes:
        dimensions(each)
    measured = {"dtype", "device", "devices", "deterministic", "threads"}
    chosen = (settings or Settings()).model_dump(include=measured)
    names, pythons = asked(backend, python)
    contest = Contest(names, split(variant), rounds, chosen, pythons)
    note(fewer_than_asked(chosen["threads"]))
    console = Console(quiet=True) if json else screen()
    out = out or new_folder("bench")
    with result_folder(out, "bench.json", force) as place:
        result = run_contest(contest, shapes, place.path, console, quiet)
        place.failed = result.exit_status != 0
    console.print(Text(f"written: {out / 'bench.csv'}, rounds.csv, bench.json"))
    if json:
        print_json(result.as_json())
    return result.exit_status
