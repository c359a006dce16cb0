"""``study``: a grid of experiments, each an ordinary run, and one report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from common.errors import in_one_line
from harness.console import print_json, screen
from harness.options import (
    CHOICE,
    MACHINE,
    OUTPUT,
    CheckpointSeconds,
    DataDir,
    Json,
    Pythons,
    seconds,
)

MOST_SHOWN = 1000
"""Cells of a report: it has a chart for each."""

Engine = Annotated[str, Parameter(group=MACHINE)]
Cpus = Annotated[int | None, Parameter(group=MACHINE, validator=Number(gte=1))]
Count = Annotated[int, Parameter(group=MACHINE, validator=Number(gte=0))]
Jobs = Annotated[int, Parameter(group=MACHINE, validator=Number(gte=1))]
Flag = Annotated[bool, Parameter(negative=(), group=MACHINE, show_default=False)]
Words = Annotated[list[str] | None, Parameter(negative=(), group=MACHINE)]
Address = Annotated[str | None, Parameter(group=MACHINE)]


def study(
    file: Annotated[str, Parameter(group=CHOICE)],
    /,
    *,
    engine: Engine = "local",
    jobs: Jobs = 1,
    address: Address = None,
    slurm: Words = None,
    cpus_per_cell: Cpus = None,
    gpus_per_cell: Count = 0,
    exclusive: Flag = False,
    store: Address = None,
    dry_run: Annotated[bool, Parameter(negative=(), group=CHOICE, show_default=False)] = False,
    python: Pythons = None,
    data_dir: DataDir = None,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    json: Json = False,
) -> int:
    """Run every cell of a study, and make one report of them.

    Each cell is an ordinary run folder. Started again, a study goes on where it
    was cut off. Exit status 1 says that a backend broke down;
    that one diverged is a result. With --jobs, or on the nodes of a cluster, a cell has
    its CPUs and GPUs for itself; one that its machine fails three times is lost.

    Parameters
    ----------
    file
        a TOML file, or a study that comes with the project: exercises.toml, seeds.toml
    engine
        where the cells are run: local, ray or slurm, or another that is installed
    jobs
        cells at once, of the engine local
    address
        of a Ray cluster (default: auto, which is one that runs on this machine)
    slurm
        NAME=VALUE: a parameter of its jobs, such as partition=long or time=120, in minutes (repeat)
    cpus_per_cell
        CPUs of a cell (default: 1; in order, all of them)
    gpus_per_cell
        GPUs of a cell; without, a cell that an engine runs sees none
    exclusive
        run one cell at a time on each machine
    store
        where nodes keep finished cells, as fsspec takes it: a folder, s3://..., gs://...
    dry_run
        run nothing but one cell, and say what the others would take
    out
        the study's folder (default: runs/studies/<name of the file>)
    """
    from harness import interrupts
    from harness.engines.choice import EngineOptions, check_engine, parse_slurm
    from harness.engines.request import Share
    from harness.lock import locked
    from harness.page.write import write_told
    from harness.paths import RUNS
    from harness.study.ending import broken, finish, lost_cells, tidy
    from harness.study.grid import find_study, load_study, many
    from harness.study.plan import plan
    from harness.study.report import told_of
    from harness.study.run import StudyRequest, run_study
    from harness.study.spread import spread_study
    from harness.workers.interpreters import parse

    path = find_study(file)
    stem = path.stem.lstrip(".") or "study"  # of ...toml, the stem is ..
    folder = out or RUNS / "studies" / stem
    share = Share(cpus=cpus_per_cell, gpus=gpus_per_cell, exclusive=exclusive)
    options = EngineOptions(jobs, address, parse_slurm(slurm or []), share, folder / ".jobs")
    check_engine(engine, options)
    order = StudyRequest(
        load_study(path),
        folder,
        data_dir,
        parse(python or ()),
        seconds(checkpoint_seconds),
        engine,
        options,
        store,
    )
    console = screen()

    def tell(line: str) -> None:
        if not json:
            console.print(Text(line))

    if dry_run:
        return plan(order, console)
    report: Path | None = None
    with locked(folder):
        if order.in_order:
            done = run_study(order, tell)
        else:
            done = spread_study(order, tell, console=None if json else console)
        if not done:
            return interrupts.exit_status()
        reason = ""
        if not lost_cells(folder) and not many(order.study, MOST_SHOWN):
            try:
                report = write_told(told_of(order), folder)
            except Exception as error:  # its runs stand, whatever became of their report
                reason = f"no report: {in_one_line(error)}"
        reason = finish(order, reason)
    if reason:
        print(f"error: {reason}; to try again, start the study again", file=sys.stderr)
        return 1
    faults = broken(order)
    if json:
        cells = tidy(order).to_dict("records")
        print_json({"study": str(folder), "cells": cells, "faults": faults})
    else:
        for fault in faults:
            console.print(Text(fault, "red"))
        shown = f"report: {report}" if report else f"table: {folder / 'cells.csv'}"
        console.print(Text(shown), soft_wrap=True)
    return 1 if faults else 0
