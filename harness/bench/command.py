"""``bench``: the fair clock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from common.errors import RequestError
from common.experiment import Device, DType
from harness.console import note, print_json, screen
from harness.options import NETWORK, OUTPUT, TRAINING, Flag, Names, split


def bench(
    *,
    backend: Names = None,
    variant: Names = None,
    python: Names = None,
    shape: Names = None,
    dtype: Annotated[DType, Parameter(group=NETWORK)] = "float32",
    rounds: Annotated[int, Parameter(group=TRAINING)] = 20,
    device: Annotated[Device, Parameter(group=TRAINING)] = "auto",
    threads: Annotated[int | None, Parameter(group=TRAINING)] = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Flag = False,
    force: Flag = False,
    json: Flag = False,
) -> int:
    """Time training steps of every backend and variant, in turns, against the floor.

    Parameters
    ----------
    backend
        time only this backend (repeat, or separate by commas)
    variant
        time only this variant; `book`, the book's own loop, is one here
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    shape
        batch x steps x hiddens x vocabulary, as in 32x35x256x28 (repeat; default: five of them)
    dtype
        the precision of weights and products
    rounds
        turns that each takes
    device
        where to compute
    threads
        CPU threads a backend may use (default: every core)
    out
        the folder that gets bench.csv, rounds.csv and bench.json
        (default: results/runs/<time>-bench)
    quiet
        print the tables alone
    force
        replace the result that --out holds, once the new one is whole
    json
        print the result as JSON alone
    """
    from rich.console import Console
    from rich.text import Text

    from harness.bench.measure import run_contest
    from harness.bench.shapes import SHAPES, dimensions
    from harness.bench.turns import Contest
    from harness.paths import new_folder, result_folder
    from harness.workers.cpus import fewer_than_asked
    from harness.workers.interpreters import parse

    if rounds < 2:
        raise RequestError(f"--rounds {rounds}: at least two, or there is no interval")
    shapes = split(shape) or SHAPES
    for each in shapes:
        dimensions(each)
    settings = {"dtype": dtype, "device": device, "threads": threads}
    contest = Contest(split(backend), split(variant), rounds, settings, parse(python or ()))
    note(fewer_than_asked(threads))
    console = Console(quiet=True) if json else screen()
    out = out or new_folder("bench")
    with result_folder(out, "bench.json", force) as place:
        result = run_contest(contest, shapes, place.path, console, quiet)
        place.failed = result.exit_status != 0
    console.print(Text(f"written: {out / 'bench.csv'}, rounds.csv, bench.json"))
    if json:
        print_json(result.as_json())
    return result.exit_status
