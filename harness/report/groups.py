"""Subject of a report: runs, sorted into groups of one experiment each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from common.experiment import Experiment
from harness.page.series import Series, in_order
from harness.recipes import Published, recipes
from harness.records.reading import BenchData, RunData, read_run

LATELY = 16
"""Groups whose figures are kept: an answer of the first screen and its section count alike."""


def endings(rows: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Endings of a summary's rows: status, reason, and the rows that ended so.

    Reasons that differ in their figures alone, as those of several seeds do, are one: the first.
    """
    alike = [rows.status, rows.reason.str.replace(r"\d\S*", "", regex=True)]
    groups = [found for _, found in rows.groupby(alike, sort=False)]
    return [(found.status.iloc[0], _reason(found.reason.tolist()), found) for found in groups]


def _reason(reasons: list[str]) -> str:
    return reasons[0] if len(set(reasons)) == 1 else f"{reasons[0]} (the first of {len(reasons)})"


@dataclass(frozen=True, eq=False)  # one is itself, so that what is counted of it is kept
class RunGroup:
    """Runs of one experiment on one corpus; only their seeds differ.

    Attributes:
        number: from 1, in the report.
        title: its subject, in words.
        facts: contents of ``run.json`` of its first run.
        runs: in the order they were given.
        summary, epochs, samples: the tables of all runs, one below the other; ``run`` is the
            number of the run.
        published: the figures it is checked against.
        alone: True if the report has no other.
    """

    number: int
    title: str
    facts: dict[str, Any]
    runs: list[RunData]
    summary: pd.DataFrame
    epochs: pd.DataFrame
    samples: pd.DataFrame
    published: tuple[Published, ...]
    alone: bool = True

    def place(self, name: str) -> str:
        """The name of its section of this name."""
        return name if self.alone else f"{name}-{self.number}"

    @property
    def experiment(self) -> Experiment:
        """Settings of the group; the seed is that of its first run."""
        return Experiment.of(self.facts["experiment"])

    @property
    def shape(self) -> str:
        """Its shape as benchmarks name them: batch x steps x hiddens x vocabulary."""
        settings, tokens = self.experiment, self.facts["corpus"]["vocab_size"]
        return f"{settings.batch_size}x{settings.num_steps}x{settings.num_hiddens}x{tokens}"

    @property
    def series(self) -> list[Series]:
        """Every backend and variant that was asked for."""
        return in_order(self.summary)

    @property
    def seeds(self) -> list[int]:
        """The seeds, each once."""
        return sorted(set(self.summary.seed.tolist()))


@dataclass(frozen=True, eq=False)
class Report:
    """Contents of one report.

    Attributes:
        groups: at least one; that with the most rows first.
        parity: the tables of ``parity.csv`` where a folder has one, else None.
        benches: the benchmarks of the folders that have one.
    """

    groups: list[RunGroup]
    parity: pd.DataFrame | None
    benches: list[BenchData]

    @property
    def runs(self) -> list[RunData]:
        """Every run."""
        return [run for group in self.groups for run in group.runs]

    @property
    def backends(self) -> list[str]:
        """The backends that it shows, each once, in the order of the registry."""
        tables = [group.summary for group in self.groups]
        tables += [bench.figures for bench in self.benches]
        tables += [] if self.parity is None else [self.parity]
        every = pd.concat([table[["backend", "variant"]] for table in tables])
        names = dict.fromkeys(series.backend for series in in_order(every))
        return [name for name in names if name not in ("null", "floor")]


def gather(folders: Sequence[Path]) -> Report:
    """Read run folders and sort them into groups.

    Raises:
        RequestError: something is not the folder of a run that has ended.
    """
    runs = [read_run(folder) for folder in folders]
    groups = sorted(sort(runs), key=lambda group: -len(group.summary))  # the main one first
    alone = len(groups) == 1
    tables = [run.parity for run in runs if run.parity is not None]
    return Report(
        [
            replace(group, number=number, title=_title(group, groups), alone=alone)
            for number, group in enumerate(groups, 1)
        ],
        pd.concat(tables, ignore_index=True) if tables else None,
        [run.bench for run in runs if run.bench],
    )


def sort(runs: Sequence[RunData]) -> list[RunGroup]:
    """Runs by their experiment, whatever their seeds, in the order in which each first appears."""
    groups: dict[str, list[RunData]] = {}
    for run in runs:
        groups.setdefault(_kind(run.facts), []).append(run)
    return [_group(number, group) for number, group in enumerate(groups.values(), 1)]


def _title(group: RunGroup, groups: list[RunGroup]) -> str:
    """A group's title, with those of its settings in which others of the title differ from it."""
    same = [each.facts["experiment"] for each in groups if each.title == group.title]
    own = group.facts["experiment"]
    differ = [n for n in own if n != "seed" and any(each[n] != own[n] for each in same)]
    told = ", ".join(f"{name} {own[name]}" for name in differ)
    return f"{group.title}: {told}" if told else group.title


def _kind(facts: dict[str, Any]) -> str:
    settings = facts["experiment"] | {"seed": 0}
    return repr((facts["recipe"], facts["corpus"]["sha256"], sorted(settings.items())))


def _group(number: int, runs: list[RunData]) -> RunGroup:
    facts = runs[0].facts
    recipe = recipes().get(facts["recipe"])
    return RunGroup(
        number,
        recipe.title if recipe else facts["recipe"],
        facts,
        runs,
        _stack([run.summary for run in runs]),
        _stack([run.epochs for run in runs]),
        _stack([run.samples for run in runs]),
        recipe.published_for(Experiment.of(facts["experiment"])) if recipe else (),
    )


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([t.assign(run=i) for i, t in enumerate(tables)], ignore_index=True)
