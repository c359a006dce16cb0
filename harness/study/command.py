"""``study``: a grid of experiments, each an ordinary run, and one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from harness.console import print_json, screen
from harness.options import CHOICE, OUTPUT, DataDir, Json, Pythons


def study(
    file: Annotated[str, Parameter(group=CHOICE)],
    /,
    *,
    python: Pythons = None,
    data_dir: DataDir = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    json: Json = False,
) -> int:
    """Run every cell of a study, and make one report of them.

    Each cell is an ordinary run folder. Started again, a study runs only the
    cells that are not finished. Exit status 1 says that a backend broke down;
    that one diverged is a result.

    Parameters
    ----------
    file
        a TOML file, or a study that comes with the project: exercises.toml, seeds.toml
    out
        the study's folder (default: results/studies/<name of the file>)
    """
    from harness.page.write import write_sections
    from harness.study.grid import find_study, load_study
    from harness.study.report import backends_of, study_sections, titles
    from harness.study.run import StudyRequest, broken, run_study, tidy
    from harness.workers.interpreters import parse

    path = find_study(file)
    stem = path.stem.lstrip(".") or "study"  # of ...toml, the stem is ..
    folder = out or Path("results/studies") / stem
    order = StudyRequest(load_study(path), folder, data_dir, parse(python or ()))
    console = screen()
    done = run_study(order, lambda line: None if json else console.print(Text(line)))
    if not done:
        return 130
    backends = backends_of(order)
    report = write_sections(study_sections(order), titles(order, backends), backends, folder)
    table = tidy(order)
    faults = broken(table)
    if json:
        print_json({"study": str(folder), "cells": table.to_dict("records"), "faults": faults})
    else:
        for fault in faults:
            console.print(Text(fault, "red"))
        console.print(Text(f"report: {report}"), soft_wrap=True)
    return 1 if faults else 0
