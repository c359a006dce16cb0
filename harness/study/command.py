"""``study``: a grid of experiments, each an ordinary run, and one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.console import screen
from harness.engines.options import AsOptions, Engines, StoreAddress
from harness.options import (
    CHOICE,
    OUTPUT,
    CheckpointSeconds,
    DataDir,
    Json,
    Pythons,
    seconds,
)


def study(
    file: Annotated[str, Parameter(group=CHOICE)],
    /,
    *,
    engines: AsOptions = None,
    store: StoreAddress = None,
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
    dry_run
        run nothing but one cell, and say what the others would take
    out
        the study's folder (default: runs/studies/<name of the file>)
    """
    from harness.paths import RUNS
    from harness.study.grid import find_study, load_study
    from harness.study.plan import plan
    from harness.study.run import StudyRequest
    from harness.study.whole import carry_out
    from harness.workers.interpreters import parse

    path = find_study(file)
    stem = path.stem.lstrip(".") or "study"  # of ...toml, the stem is ..
    folder = out or RUNS / "studies" / stem
    engines = engines or Engines()
    options = engines.checked(folder)
    order = StudyRequest(
        load_study(path),
        folder,
        data_dir,
        parse(python or ()),
        seconds(checkpoint_seconds),
        engines.engine,
        options,
        store,
    )
    return plan(order, screen()) if dry_run else carry_out(order, json=json, quiet=json)
