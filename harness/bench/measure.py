"""A whole benchmark: shape by shape, written as it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from common.experiment import Experiment
from common.files import write_aside, writing
from harness.bench.answers import answers
from harness.bench.contenders import Contest, contenders
from harness.bench.printing import show, show_comparisons, show_ranking
from harness.bench.ranking import ALL, check_against, comparisons_table, ranking_table
from harness.bench.ratios import ShapeResult, by_machine
from harness.bench.tables import bench_table, circumstances, rounds_table
from harness.bench.turns import time_shape
from harness.bench.twins import failures, with_twins
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.records.provenance import provenance
from harness.records.reading import BENCH_TABLES
from harness.workers.gpus import Watched
from harness.workers.placement import placed


@dataclass
class BenchResult:
    """Result of a benchmark.

    Attributes:
        facts: machine, versions and source; then the circumstances of the figures, shape by shape.
        figures: the table of ``bench.csv``.
        rounds: the table of ``rounds.csv``.
        comparisons: the table of ``comparisons.csv``.
        ranking: the table of ``ranking.csv``.
        failures: reasons for missing figures, by shape, backend and variant.
    """

    facts: dict[str, Any]
    figures: pd.DataFrame = field(default_factory=pd.DataFrame)
    rounds: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparisons: pd.DataFrame = field(default_factory=lambda: comparisons_table([], ""))
    ranking: pd.DataFrame = field(default_factory=lambda: ranking_table([], ""))
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0 if something was timed and nobody failed."""
        return 0 if len(self.figures) and not self.failures else 1

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        tables = {"figures": self.figures, "comparisons": self.comparisons, "ranking": self.ranking}
        return (
            self.facts
            | {name: table.to_dict("records") for name, table in tables.items()}
            | {"failures": self.failures}
        )

    def add(self, done: Sequence[ShapeResult], gpus: Sequence[Watched], contest: Contest) -> None:
        """Add the last of the shapes that are done to all tables, and compare over all of them."""
        last = done[-1]
        shape, found, quiet = last.shape, last.found, last.quiet
        table = bench_table(shape, found, quiet)
        self.figures = pd.concat([self.figures, table], ignore_index=True)
        self.rounds = pd.concat([self.rounds, rounds_table(shape, found)], ignore_index=True)
        self.facts["answers"][shape] = answers([last], contest.against)
        self.compare(done, contest.against)
        told = {"gpus": [gpu.model_dump() for gpu in gpus]}
        self.facts["shapes"].append(circumstances(shape, found, quiet) | told)
        turns = (len(form.turns) for each in done for form in each.forms.values())
        self.facts["rounds"] = min(turns, default=contest.rounds or 0)
        for name, reason in failures(found, contest.backends).items():
            self.failures[f"{shape} {name}"] = reason

    def compare(self, done: Sequence[ShapeResult], against: str) -> None:
        """Compare over all shapes of a machine, and say what comes of it."""
        self.comparisons = comparisons_table(done, against)
        self.ranking = ranking_table(done, against)
        machines = by_machine(done)
        for name, mine in machines.items():
            if len(mine) > 1:
                over = ALL if len(machines) == 1 else f"{ALL} on {name}"
                self.facts["answers"][over] = answers(mine, against)

    def write(self, folder: Path, status: str) -> None:
        """Write all files, each whole; the last says whether all shapes are there."""
        for name in ("figures", "rounds", "comparisons", "ranking"):
            file = "bench" if name == "figures" else name
            write_aside(folder / f"{file}.csv", csv_of(getattr(self, name)))
        facts = self.facts | {"failures": self.failures, "status": status}
        write_facts(folder / "bench.json", facts, BENCH_TABLES)


def begun(contest: Contest, absent: Mapping[str, str], folder: Path) -> BenchResult:
    """A benchmark of which no shape is done, and whose files say so.

    Raises:
        RequestError: the folder cannot be written.
    """
    facts = {
        **provenance(),
        "rounds": contest.rounds or 0,
        "limits": {"seconds": contest.seconds, "precision": contest.precision},
        "against": contest.against,
        "answers": {},
        "settings": contest.settings,
        "placement": None,
        "shapes": [],
    }
    asked_for = {name: reason for name, reason in absent.items() if name in contest.backends}
    result = BenchResult(facts, failures=asked_for)
    with writing(folder):
        result.write(folder, "running")
    return result


def run_contest(
    contest: Contest, shapes: tuple[str, ...], folder: Path, console: Console, quiet: bool
) -> BenchResult:
    """Time every shape; print each table and write the files as soon as a shape is done.

    Raises:
        RequestError: something asked for does not exist, or the folder cannot be written.
    """
    found, absent = contenders(contest)
    check_against(contest.against, found)
    timed = [each.backend for each in found if each.is_network]
    placement = placed(Experiment.of(contest.settings), timed, contest.pythons)
    result = begun(contest, absent, folder)
    result.facts["placement"] = placement._asdict()
    contest = replace(contest, settings=contest.settings | {"device": placement.device})
    done: list[ShapeResult] = []
    for shape in shapes:
        found = with_twins(contenders(contest)[0])
        with console.status("") as status:
            calm, gpus = time_shape(
                contest, shape, found, lambda now: status.update("" if quiet else now)
            )
        done.append(ShapeResult(shape, found, calm))
        result.add(done, gpus, contest)
        result.write(folder, "finished" if shape == shapes[-1] else "running")
        show(console, done[-1], result.figures[result.figures["shape"] == shape], contest.against)
    show_all(console, done, result, contest.against, absent)
    return result


def show_all(
    console: Console,
    done: Sequence[ShapeResult],
    result: BenchResult,
    against: str,
    absent: Mapping[str, str],
) -> None:
    """Print what is said over all shapes, and who was not timed."""
    show_comparisons(console, result.comparisons)
    show_ranking(console, done, result.ranking, against)
    for name, reason in absent.items():
        console.print(Text(f"{name}: not timed: {reason}", "yellow"))
