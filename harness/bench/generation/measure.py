"""A whole contest of generation: shape by shape, written as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from common.experiment import Experiment
from common.files import write_aside, writing
from harness.bench.contenders import Contest
from harness.bench.generation.contenders import check, writers
from harness.bench.generation.tables import generation_rounds, generation_table, said, show
from harness.bench.ratios import ShapeResult
from harness.bench.tables import circumstances
from harness.bench.turns import time_shape
from harness.bench.twins import failures, with_twins
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.records.generation import GENERATION_TABLES, GenerationRoundTable, GenerationTable
from harness.records.provenance import provenance
from harness.workers.placement import placed


@dataclass
class GenerationResult:
    """Result of a contest of generation.

    Attributes:
        facts: machine, versions and source; then the circumstances of the figures, shape by shape.
        figures, rounds: the tables of ``generation.csv`` and ``generation_rounds.csv``.
        failures: reasons for missing figures, by shape, backend and form.
    """

    facts: dict[str, Any]
    figures: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(GenerationTable.model_fields))
    )
    rounds: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(GenerationRoundTable.model_fields))
    )
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0 if something was timed and nobody failed."""
        return 0 if len(self.figures) and not self.failures else 1

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        figures = self.figures.to_dict("records")
        return self.facts | {"figures": figures, "failures": self.failures}

    def add(self, done: ShapeResult, gpus: list[dict[str, Any]], contest: Contest) -> pd.DataFrame:
        """Add a shape that is done to both tables and to the facts; its own figures."""
        mine, turns = generation_table(done), generation_rounds(done)
        self.figures = pd.concat([self.figures, mine] if len(self.figures) else [mine])
        self.rounds = pd.concat([self.rounds, turns] if len(self.rounds) else [turns])
        self.facts["answers"][done.shape] = said(done)
        told = circumstances(done.shape, done.found, done.quiet)
        self.facts["shapes"].append(told | {"gpus": gpus})
        counts = [len(form.turns) for form in done.forms.values()]
        self.facts["rounds"] = min([*counts, self.facts["rounds"] or 10**9], default=0)
        for name, reason in failures(done.found, contest.backends).items():
            self.failures[f"{done.shape} {name}"] = reason
        return mine

    def write(self, folder: Path, status: str) -> None:
        """Write all files, each whole; the last says whether all shapes are there."""
        for name, table in zip(GENERATION_TABLES, (self.figures, self.rounds), strict=True):
            write_aside(folder / name, csv_of(table))
        facts = self.facts | {"failures": self.failures, "status": status}
        write_facts(folder / "generation.json", facts, GENERATION_TABLES)


def run_generation(
    contest: Contest, shapes: tuple[str, ...], folder: Path, console: Console, quiet: bool
) -> GenerationResult:
    """Time every shape; print each table and write the files as soon as a shape is done.

    Raises:
        RequestError: something asked for does not exist, or the folder cannot be written.
    """
    check(contest, shapes)
    found, absent = writers(contest)
    placement = placed(
        Experiment.of(contest.settings), [each.backend for each in found], contest.pythons
    )
    result = GenerationResult(
        {
            **provenance(),
            "rounds": 0,
            "limits": {"seconds": contest.seconds, "precision": contest.precision},
            "answers": {},
            "settings": contest.settings,
            "placement": placement._asdict(),
            "shapes": [],
        },
        failures={name: reason for name, reason in absent.items() if name in contest.backends},
    )
    with writing(folder):
        result.write(folder, "running")
    contest = replace(contest, settings=contest.settings | {"device": placement.device})
    for shape in shapes:
        found = with_twins(writers(contest)[0])
        with console.status("") as status:
            calm, gpus = time_shape(
                contest, shape, found, lambda now: status.update("" if quiet else now)
            )
        done = ShapeResult(shape, found, calm)
        mine = result.add(done, [gpu.model_dump() for gpu in gpus], contest)
        result.write(folder, "finished" if shape == shapes[-1] else "running")
        show(console, done, mine)
    for name, reason in absent.items():
        console.print(Text(f"{name}: not timed: {reason}", "yellow"))
    return result
