"""A whole scaling: sweep by sweep, written as it goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from rich.console import Console
from rich.text import Text

from common.errors import RequestError
from common.experiment import Experiment
from common.files import write_aside, writing
from harness.bench.contenders import Size, contenders
from harness.bench.ratios import ShapeResult
from harness.bench.shapes import dimensions
from harness.bench.tables import circumstances
from harness.bench.turns import time_sizes
from harness.bench.twins import failures, with_twins
from harness.intervals import FEWEST
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.records.provenance import provenance
from harness.records.scaling import SCALE_TABLES
from harness.scale.answers import answers
from harness.scale.epochs import LongRun, long_run, relative_costs, rows_of_runs
from harness.scale.made_text import made_text
from harness.scale.overtaking import overtakings
from harness.scale.printing import show
from harness.scale.ranges import Vary, size
from harness.scale.request import ScaleRequest
from harness.scale.slopes import slopes
from harness.scale.swept import Point, Swept, relative, relative_rows
from harness.scale.tables import Row, rows_of, table_of
from harness.scale.together import groups
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
        over, powers = overtakings(swept.points), slopes(swept, shape)
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
    for sweep in request.sweeps:
        with console.status("") as status:

            def say(now: str) -> None:
                status.update("" if quiet else now)

            take = _run_long if sweep.dimension == "num_epochs" else _take_sweep
            swept = take(request, sweep, result, say)
        result.add(swept, shape)
        result.write(folder, "finished" if sweep is request.sweeps[-1] else "running")
        show(console, swept, result.facts, shape)
    for name, reason in (absent | result.failures).items():
        console.print(Text(f"{name}: no figures: {reason}", "yellow"))
    return result


def _take_sweep(request: ScaleRequest, sweep: Vary, result: ScaleResult, say: Say) -> Swept:
    """Time a contest at every size, all in the same rounds as far as there is memory."""
    swept = Swept(sweep, table_of([]))
    number = sum(each.is_network for each in contenders(request.contest)[0]) + 1  # and a twin
    rows: list[Row] = []
    for values in groups(sweep.values, number, psutil.virtual_memory().available):
        points = _time(request, sweep.dimension, values, result, say)
        swept.quiets.append(points[0][1].quiet)
        new = [each for each in points if each[0] not in dict(swept.points)]
        swept.points += new
        rows += [row for point in new for row in rows_of(sweep.dimension, *point)]
        for name, of in relative(points).items():
            swept.relative[name] = swept.relative.get(name, {}) | of
    rows += relative_rows(sweep.dimension, swept.relative)
    swept.table = table_of(rows)
    return swept


def _time(
    request: ScaleRequest, dimension: str, values: Sequence[int], result: ScaleResult, say: Say
) -> list[Point]:
    """Time a contest at some sizes in the same rounds; keep its circumstances and failures."""
    with ExitStack() as stack:
        sizes = []
        for value in values:
            setup, at = request.setup(dimension, value), size(dimension, value)
            say(f"{dimension} {at}: making a text" if setup.corpus_size else dimension)
            vocab_size = dimensions(setup.shape)[3]
            indices = stack.enter_context(made_text(setup.corpus_size, vocab_size))
            contest = request.of_setup(setup, indices)
            found = with_twins([e for e in contenders(contest)[0] if e.backend != "null"])
            sizes.append(Size(contest, setup.shape, found))
        quiet, gpus = time_sizes(sizes, lambda now: say(f"{dimension}: {now}"))
    points = []
    for value, each in zip(values, sizes, strict=True):
        setup, at = request.setup(dimension, value), f"{dimension} {size(dimension, value)}"
        told = {"threads": setup.threads, "corpus_size": setup.corpus_size, "gpus": [
            gpu.model_dump() for gpu in gpus
        ]}  # fmt: skip
        result.facts["shapes"].append(circumstances(setup.shape, each.found, quiet) | told)
        for name, reason in failures(each.found, request.contest.backends).items():
            result.failures[f"{at}, {name}"] = reason
        points.append((value, ShapeResult(setup.shape, each.found, quiet)))
    return points


def _run_long(request: ScaleRequest, sweep: Vary, result: ScaleResult, say: Say) -> Swept:
    """Train every form in turn for as many epochs as the largest size, `FEWEST` times."""
    swept = Swept(sweep, table_of([]))
    forms = [each for each in contenders(request.contest)[0] if each.is_network]
    runs: dict[str, list[LongRun]] = {form.name: [] for form in forms}
    for number, form in product(range(FEWEST), forms):
        if form.name not in runs:
            continue
        say(f"{form.name}: {sweep.values[-1]:,} epochs, run {number + 1} of {FEWEST}")
        try:
            run = long_run(request.contest, form.backend, form.variant, sweep.values)
        except (WorkerError, RequestError) as error:
            result.failures[f"num_epochs, {form.name}"] = str(error)
            del runs[form.name]
            continue
        runs[form.name].append(run)
        swept.quiets.append(run.quiet)
    swept.relative = {name: relative_costs(each, sweep.values) for name, each in runs.items()}
    rows = [row for each in runs.values() for row in rows_of_runs(each, sweep.values)]
    swept.table = table_of([*rows, *relative_rows("num_epochs", swept.relative)])
    return swept
