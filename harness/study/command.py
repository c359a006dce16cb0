"""``study``: a grid of experiments, each an ordinary run, and one report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.errors import in_one_line
from harness.console import print_json, screen
from harness.options import CHOICE, OUTPUT, CheckpointSeconds, DataDir, Json, Pythons, seconds


def study(
    file: Annotated[str, Parameter(group=CHOICE)],
    /,
    *,
    python: Pythons = None,
    data_dir: DataDir = None,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    json: Json = False,
) -> int:
    """Run every cell of a study, and make one report of them.

    Each cell is an ordinary run folder. Started again, a study goes on where it
    was cut off. Exit status 1 says that a backend broke down;
    that one diverged is a result.

    Parameters
    ----------
    file
        a TOML file, or a study that comes with the project: exercises.toml, seeds.toml
    out
        the study's folder (default: runs/studies/<name of the file>)
    """
    from harness import interrupts
    from harness.lock import locked
    from harness.page.write import write_told
    from harness.paths import RUNS
    from harness.study.grid import find_study, load_study
    from harness.study.report import told_of
    from harness.study.run import StudyRequest, broken, finish, run_study, tidy
    from harness.workers.interpreters import parse

    path = find_study(file)
    stem = path.stem.lstrip(".") or "study"  # of ...toml, the stem is ..
    folder = out or RUNS / "studies" / stem
    order = StudyRequest(
        load_study(path), folder, data_dir, parse(python or ()), seconds(checkpoint_seconds)
    )
    console = screen()
    with locked(folder):
        done = run_study(order, lambda line: None if json else console.print(Text(line)))
        if not done:
            return interrupts.exit_status()
        try:
            report, reason = write_told(told_of(order), folder), ""
        except Exception as error:  # its runs stand, whatever became of their report
            reason = f"no report: {in_one_line(error)}"
        reason = finish(order, reason)
    if reason:
        print(f"error: {reason}; to try again, start the study again", file=sys.stderr)
        return 1
    table = tidy(order)
    faults = broken(table)
    if json:
        print_json({"study": str(folder), "cells": table.to_dict("records"), "faults": faults})
    else:
        for fault in faults:
            console.print(Text(fault, "red"))
        console.print(Text(f"report: {report}"), soft_wrap=True)
    return 1 if faults else 0
