"""A whole scaling: sweep by sweep, written as it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from common.errors import RequestError
from common.experiment import Experiment
from common.files import write_aside, writing
from harness.bench.contenders import contenders
from harness.bench.ratios import ShapeResult
from harness.bench.shapes import dimensions
from harness.bench.tables import circumstances
from harness.bench.turns import time_shape
from harness.bench.twins import failures, with_twins
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.records.provenance import provenance
from harness.records.scaling import SCALE_TABLES
from harness.scale.answers import Swept, answers
from harness.scale.epochs import long_run
from harness.scale.made_text import made_text
from harness.scale.overtaking import overtakings
from harness.scale.printing import show
from harness.scale.ranges import Vary, size
from harness.scale.request import ScaleRequest, Setup
from harness.scale.slopes import slopes
from harness.scale.tables import Row, rows_of, table_of
from harness.workers.errors import WorkerError
from harness.workers.placement import placed

Say = Callable[[str], None]


@dataclass
class ScaleResult:
    """Result of a scaling.

    Attributes:
        facts: machine, versions and source; then what was found, sweep by sweep.
        table: the table of ``scale.csv``.
        failures: reasons for missing figures, by size, backend and variant.
    """

    facts: dict[str, Any]
    table: pd.DataFrame = field(default_factory=lambda: table_of([]))
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0 if something was timed and nobody failed."""
        return 0 if len(self.table) and not self.failures else 1

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return self.facts | {"figures": self.table.to_dict("records"), "failures": self.failures}

    def add(self, swept: Swept, shape: str) -> None:
        """Add a sweep that is done: its rows, its answers, and what they stand on."""
        dimension = swept.vary.dimension
        frames = [each for each in (self.table, swept.table) if len(each)]
        self.table = pd.concat(frames, ignore_index=True) if frames else self.table
        over, powers = overtakings(swept.points), slopes(swept.table, dimension, shape)
        self.facts["answers"][dimension] = answers(swept, over, powers)
        self.facts["slopes"] += [asdict(each) for each in powers]
        for each in over:
            ratio = {"ratio": each.ratio.median, "low": each.ratio.low, "high": each.ratio.high}
            self.facts["overtakings"].append({"dimension": dimension} | asdict(each) | ratio)

    def write(self, folder: Path, status: str) -> None:
        """Write all files, each whole; the last says whether all sweeps are there."""
        write_aside(folder / "scale.csv", csv_of(self.table))
        facts = self.facts | {"failures": self.failures, "status": status}
        write_facts(folder / "scale.json", facts, SCALE_TABLES)


def run_scale(request: ScaleRequest, folder: Path, console: Console, quiet: bool) -> ScaleResult:
    """Take every sweep; print it and write the files as soon as it is done.

    Raises:
        RequestError: something asked for does not exist, or the folder cannot be written.
    """
    contest, shape = request.contest, request.shape
    found, absent = contenders(contest)
    timed = [each.backend for each in found if each.is_network]
    placement = placed(Experiment.of(contest.settings), timed, contest.pythons)
    result = ScaleResult(
        {
            **provenance(),
            "shape": shape,
            "sweeps": {each.dimension: list(each.values) for each in request.sweeps},
            "limits": {"seconds": contest.seconds},
            "answers": {},
            "slopes": [],
            "overtakings": [],
            "settings": contest.settings,
            "placement": placement._asdict(),
            "shapes": [],
        },
        failures={name: reason for name, reason in absent.items() if name in contest.backends},
    )
    with writing(folder):
        result.write(folder, "running")
    settings = contest.settings | {"device": placement.device}
    request = replace(request, contest=replace(contest, settings=settings))
    done: dict[Setup, ShapeResult] = {}
    for sweep in request.sweeps:
        with console.status("") as status:

            def say(now: str) -> None:
                status.update("" if quiet else now)

            take = _run_long if sweep.dimension == "num_epochs" else _take_sweep
            swept = take(request, sweep, result, done, say)
        result.add(swept, shape)
        result.write(folder, "finished" if sweep is request.sweeps[-1] else "running")
        show(console, swept, result.facts, shape)
    for name, reason in (absent | result.failures).items():
        console.print(Text(f"{name}: no figures: {reason}", "yellow"))
    return result


def _take_sweep(
    request: ScaleRequest,
    sweep: Vary,
    result: ScaleResult,
    done: dict[Setup, ShapeResult],
    say: Say,
) -> Swept:
    """Time a contest at every size, but for those that another sweep has timed already."""
    rows: list[Row] = []
    points = []
    for value in sweep.values:
        setup = request.setup(sweep.dimension, value)
        at = f"{sweep.dimension} {size(sweep.dimension, value)}"
        if setup not in done:
            done[setup] = _time(request, setup, result, at, say)
        rows += rows_of(sweep.dimension, value, done[setup])
        points.append((value, done[setup]))
    return Swept(sweep, table_of(rows), points, [each.quiet for _, each in points])


def _time(
    request: ScaleRequest, setup: Setup, result: ScaleResult, at: str, say: Say
) -> ShapeResult:
    """Time a contest, and keep its circumstances and failures."""
    say(f"{at}: making a text" if setup.corpus_size else at)
    with made_text(setup.corpus_size, dimensions(setup.shape)[3]) as indices:
        contest = request.of_setup(setup, indices)
        found = with_twins([e for e in contenders(contest)[0] if e.backend != "null"])
        quiet, gpus = time_shape(contest, setup.shape, found, lambda now: say(f"{at}: {now}"))
    told = {"threads": setup.threads, "corpus_size": setup.corpus_size, "gpus": [
        gpu.model_dump() for gpu in gpus
    ]}  # fmt: skip
    result.facts["shapes"].append(circumstances(setup.shape, found, quiet) | told)
    for name, reason in failures(found, contest.backends).items():
        result.failures[f"{at}, {name}"] = reason
    return ShapeResult(setup.shape, found, quiet)


def _run_long(
    request: ScaleRequest,
    sweep: Vary,
    result: ScaleResult,
    done: dict[Setup, ShapeResult],
    say: Say,
) -> Swept:
    """Train every form once, for as many epochs as the largest size."""
    swept = Swept(sweep, table_of([]))
    rows: list[Row] = []
    for form in (each for each in contenders(request.contest)[0] if each.is_network):
        say(f"{form.name}: {sweep.values[-1]:,} epochs")
        try:
            run = long_run(request.contest, form.backend, form.variant, sweep.values)
        except (WorkerError, RequestError) as error:
            result.failures[f"num_epochs, {form.name}"] = str(error)
            continue
        rows += run.rows(sweep.values)
        swept.quiets.append(run.quiet)
    swept.table = table_of(rows)
    return swept
