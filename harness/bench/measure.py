"""A whole benchmark: shape by shape, written as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from common.files import write_aside, writing
from harness.bench.tables import bench_table, circumstances, rounds_table, show
from harness.bench.turns import Contest, contenders, time_shape
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.records.provenance import provenance
from harness.records.reading import BENCH_TABLES


@dataclass
class BenchResult:
    """Result of a benchmark.

    Attributes:
        facts: machine, versions and source; then the circumstances of the figures, shape by shape.
        figures: the table of ``bench.csv``.
        rounds: the table of ``rounds.csv``.
        failures: reasons for missing figures, by shape, backend and variant.
    """

    facts: dict[str, Any]
    figures: pd.DataFrame = field(default_factory=pd.DataFrame)
    rounds: pd.DataFrame = field(default_factory=pd.DataFrame)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0 if something was timed and nobody failed."""
        return 0 if len(self.figures) and not self.failures else 1

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return self.facts | {
            "figures": self.figures.to_dict("records"),
            "failures": self.failures,
        }

    def write(self, folder: Path, status: str) -> None:
        """Write the three files, each whole; the last says whether all shapes are there."""
        write_aside(folder / "bench.csv", csv_of(self.figures))
        write_aside(folder / "rounds.csv", csv_of(self.rounds))
        facts = self.facts | {"failures": self.failures, "status": status}
        write_facts(folder / "bench.json", facts, BENCH_TABLES)


def run_contest(
    contest: Contest, shapes: tuple[str, ...], folder: Path, console: Console, quiet: bool
) -> BenchResult:
    """Time every shape; print each table and write the files as soon as a shape is done.

    Raises:
        RequestError: something asked for does not exist, or the folder cannot be written.
    """
    _, absent = contenders(contest)
    result = BenchResult(
        {
            **provenance(),
            "rounds": contest.rounds,
            "settings": contest.settings,
            "shapes": [],
        },
        failures={name: reason for name, reason in absent.items() if name in contest.backends},
    )
    with writing(folder):
        result.write(folder, "running")
    for shape in shapes:
        found, _ = contenders(contest)
        with console.status("") as status:
            time_shape(contest, shape, found, lambda now: status.update("" if quiet else now))
        table = bench_table(shape, found)
        result.figures = pd.concat([result.figures, table], ignore_index=True)
        result.rounds = pd.concat([result.rounds, rounds_table(shape, found)], ignore_index=True)
        result.facts["shapes"].append(circumstances(shape, found))
        for each in found:
            if each.reason and (not each.absent or each.backend in contest.backends):
                result.failures[f"{shape} {each.name}"] = each.reason
        result.write(folder, "finished" if shape == shapes[-1] else "running")
        show(console, shape, table, found)
    for name, reason in absent.items():
        console.print(Text(f"{name}: not timed: {reason}", "yellow"))
    return result
