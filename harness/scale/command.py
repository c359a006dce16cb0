"""``scale``: cost as a function of size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

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

BASE = "32x35x256x28"
FORMS = ("fused",)
SIZES = ("num_hiddens=32..1024",)
FLOOR_ROUNDS = 3  # products of every library take longer than all networks


@as_options({NETWORK: "dtype", MACHINE: "device deterministic threads"})
class Settings(Options):
    """The settings of a scaling that are options."""


def scale(
    *,
    backend: Backends = None,
    variant: Variants = None,
    vary: Annotated[list[str] | None, Parameter(negative=(), group=CHOICE)] = None,
    shape: Annotated[str, Parameter(group=CHOICE)] = BASE,
    settings: Annotated[Settings | None, FLAT] = None,
    seconds: Annotated[float, Parameter(group=MEASUREMENT)] = 10.0,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Quiet = False,
    force: Force = False,
    json: Json = False,
) -> int:
    """Measure cost as a function of size: throughput, memory, compiling, and writing a text.

    Several --vary are as many sweeps, each around the base shape, never their product. All forms at
    all sizes of a sweep take turns in the same rounds, against the floor; who is not equal to the
    reference has no figure. Of num_epochs six long runs of tiny epochs are looked at on their way.

    Parameters
    ----------
    variant
        only this variant (repeat, or separate by commas; default: fused)
    vary
        NAME=32..1024, all powers of two between, or a list, NAME=1,8,64; K, M and G are powers of
        1024; NAME is num_hiddens, batch_size, num_steps, vocab_size, threads, corpus_size (in
        characters) or num_epochs (repeat; default: num_hiddens=32..1024)
    shape
        the base, batch x steps x hiddens x vocabulary
    seconds
        begin no further round of a sweep after so long a size, once there are 6
    out
        the folder that gets scale.csv, scale.json and the report (default: runs/<time>-scale)
    """
    from rich.text import Text

    from harness.bench.contenders import Contest
    from harness.bench.shapes import dimensions
    from harness.page.write import add_report
    from harness.paths import new_folder, result_folder
    from harness.scale.measure import run_scale
    from harness.scale.ranges import sweeps
    from harness.scale.report import told_of
    from harness.scale.request import ScaleRequest, within_machine
    from harness.scale.tables import TEXT
    from harness.workers.cpus import fewer_than_asked, usable_cpus
    from harness.workers.interpreters import asked

    if not 0 < seconds < float("inf"):
        raise RequestError(f"--seconds {seconds:g}: of a size, more than 0")
    dimensions(shape)
    found = [within_machine(each) for each in sweeps(vary or SIZES)]
    measured = {"dtype", "device", "deterministic", "threads"}
    chosen = (settings or Settings()).model_dump(include=measured)
    note(fewer_than_asked(chosen["threads"]))
    chosen["threads"] = min(chosen["threads"] or 1024, len(usable_cpus()))
    names, pythons = asked(backend, python)
    forms = split(variant) or FORMS
    contest = Contest(names, forms, None, chosen, pythons, seconds, text=TEXT, floor=FLOOR_ROUNDS)
    request = ScaleRequest(contest, shape, tuple(sweep for sweep, _ in found))
    request.check()
    for _, said in found:
        note(said)
    console = Console(quiet=True) if json else screen()
    out = out or new_folder("scale")
    with result_folder(out, "scale.json", force) as place:
        result = run_scale(request, place.path, console, quiet)
        place.failed = result.exit_status != 0
        added = add_report(lambda: told_of([place.path]), place.path, out)
    console.print(Text(f"written: {out / 'scale.csv'}"), soft_wrap=True)
    console.print(Text(added or f"to show it: python -m harness report {out}"), soft_wrap=True)
    if json:
        print_json(result.as_json())
    return result.exit_status
