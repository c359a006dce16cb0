"""Run folders and benchmarks, read back: what is half-written, edited or foreign is refused.

The tables come out as they were written: a text such as ``NA`` stays a text, an empty number is
NaN. An interrupted run is read like a finished one, for its ``summary.csv`` says which rows were
cut short; a run that says ``running``, because it is or because it was killed, is not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from pydantic import BaseModel, ValidationError

from common.checkpoint import load_checkpoint
from common.errors import RequestError
from harness.console import printable
from harness.paths import make_up
from harness.records.agreement import ROW, check_bench, check_run, damaged
from harness.records.facts import check_unedited
from harness.records.json_schemas import (
    BenchFacts,
    ParityFacts,
    ResultFacts,
    RunFacts,
)
from harness.records.schemas import (
    BaselineTable,
    BenchTable,
    ComparisonTable,
    EpochTable,
    ParityTable,
    RankingTable,
    RoundTable,
    SampleTable,
    SummaryTable,
)
from harness.records.tables import content, holds, table

Found = TypeVar("Found")

RUN_TABLES = ("epochs.csv", "samples.csv", "summary.csv", "baselines.csv")
BENCH_TABLES = ("bench.csv", "rounds.csv", "comparisons.csv", "ranking.csv")


@dataclass(frozen=True)
class BenchData:
    """A benchmark.

    Attributes:
        folder: its path.
        facts: contents of ``bench.json``, validated as `harness.records.json_schemas.BenchFacts`.
        figures: the table of ``bench.csv``.
        rounds: the table of ``rounds.csv``.
        comparisons, ranking: likewise; None in a folder made before there were any.
    """

    folder: Path
    facts: dict[str, Any]
    figures: pd.DataFrame
    rounds: pd.DataFrame
    comparisons: pd.DataFrame | None = None
    ranking: pd.DataFrame | None = None


@dataclass(frozen=True)
class RunData:
    """A run.

    Attributes:
        folder: its path.
        facts: contents of ``run.json``, validated as `harness.records.json_schemas.RunFacts`.
        epochs, summary, samples: its tables; ``elapsed`` is the seconds of training up to the end
            of an epoch.
        baselines: the table of ``baselines.csv``; None in a folder made before there was one.
        parity: table of ``parity.csv``, where ``parity --out`` wrote into this folder too; or None.
        bench: likewise the benchmark that ``bench --out`` wrote.
    """

    folder: Path
    facts: dict[str, Any]
    epochs: pd.DataFrame
    summary: pd.DataFrame
    samples: pd.DataFrame
    baselines: pd.DataFrame | None
    parity: pd.DataFrame | None
    bench: BenchData | None


def read_run(folder: Path) -> RunData:
    """Read a run folder.

    Raises:
        RequestError: no run is there, it has not ended, or one of its files is damaged, was edited,
            or does not agree with another.
    """
    make_up(folder)
    facts = ended(folder, "run.json", RunFacts)
    tables = as_written(folder, facts, RUN_TABLES, lambda: _run_tables(folder))
    tables.epochs["elapsed"] = tables.epochs.groupby(ROW).seconds.cumsum()
    return RunData(
        folder,
        facts,
        *tables,
        parity=table(folder / "parity.csv", ParityTable) if holds(folder, "parity.csv") else None,
        bench=read_bench(folder) if holds(folder, "bench.json") else None,
    )


class RunTables(NamedTuple):
    """The tables of a run; see `RunData`."""

    epochs: pd.DataFrame
    summary: pd.DataFrame
    samples: pd.DataFrame
    baselines: pd.DataFrame | None


def _run_tables(folder: Path) -> RunTables:
    epochs = table(folder / "epochs.csv", EpochTable)
    summary = table(folder / "summary.csv", SummaryTable)
    check_run(folder, epochs, summary)
    samples, path = table(folder / "samples.csv", SampleTable), folder / "baselines.csv"
    baselines = table(path, BaselineTable) if holds(folder, path.name) else None
    return RunTables(epochs, summary, samples, baselines)


def check_whole(folder: Path, checkpoints: Iterable[Path]) -> None:
    """Read back a run that is about to say that it is finished.

    Raises:
        RequestError: a table or a checkpoint is not there, damaged, or of another run.
    """
    _run_tables(folder)
    for path in checkpoints:
        load_checkpoint(path)


def read_bench(folder: Path) -> BenchData:
    """Read what `bench` wrote into a folder.

    Raises:
        RequestError: as `read_run`.
    """
    make_up(folder)
    facts = ended(folder, "bench.json", BenchFacts)
    return as_written(folder, facts, BENCH_TABLES, lambda: _bench_tables(folder, facts))


def read_parity(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read ``parity.csv``, and the facts of ``parity.json`` beside it.

    Raises:
        RequestError: as `read_run`.
    """
    make_up(folder)
    facts = ended(folder, "parity.json", ParityFacts)
    found = as_written(
        folder, facts, ["parity.csv"], lambda: table(folder / "parity.csv", ParityTable)
    )
    return found, facts


def _bench_tables(folder: Path, facts: dict[str, Any]) -> BenchData:
    figures = table(folder / "bench.csv", BenchTable)
    rounds = table(folder / "rounds.csv", RoundTable)
    check_bench(folder, facts, figures, rounds)
    later: dict[str, type[BaseModel]] = {"comparisons": ComparisonTable, "ranking": RankingTable}
    told = [
        table(folder / f"{name}.csv", columns) if holds(folder, f"{name}.csv") else None
        for name, columns in later.items()
    ]
    return BenchData(folder, facts, figures, rounds, *told)


def as_written(
    folder: Path, facts: dict[str, Any], names: Iterable[str], read: Callable[[], Found]
) -> Found:
    """Tables of a folder whose record vouches for them; what is wrong in one is told as well.

    Raises:
        RequestError: one is damaged, or was edited.
    """
    try:
        found = read()
    except RequestError as wrong:
        try:
            check_unedited(folder, facts["files"], names)
        except RequestError as edited:
            told = str(wrong).removeprefix(printable(f"{folder}{os.sep}"))  # the folder is known
            raise RequestError(f"{edited}; {told}") from wrong
        raise
    check_unedited(folder, facts["files"], names)
    return found


def ended(folder: Path, name: str, expected: type[ResultFacts]) -> dict[str, Any]:
    """The facts of a result that has ended.

    Raises:
        RequestError: there are none, they are damaged, or it is still running.
    """
    facts = record(folder, name, expected)
    if facts["status"] == "running":
        message = f"{folder}: has not ended, says its {name}: wait; or, if it was killed, run again"
        raise RequestError(printable(message))
    return facts


def has_finished(folder: Path) -> bool:
    """True if a folder holds a run whose record says that it is finished.

    Raises:
        RequestError: the record is damaged.
    """
    if not holds(folder, "run.json"):
        return False
    return bool(record(folder, "run.json", RunFacts)["status"] == "finished")


def record(folder: Path, name: str, expected: type[ResultFacts]) -> dict[str, Any]:
    """The facts of a folder, of a result that has ended or not.

    Raises:
        RequestError: there are none, or they are damaged.
    """
    if not holds(folder, name):
        if not os.path.isdir(folder):
            raise RequestError(printable(f"{folder}: no such folder"))
        kinds = {
            "run.json": "a run folder",
            "bench.json": "a benchmark",
            "generation.json": "a benchmark",
            "scale.json": "a scaling",
        }
        kind = kinds.get(name, "a comparison")
        raise RequestError(printable(f"{folder}: not {kind}: it holds no file {name}"))
    try:
        facts = expected.model_validate_json(content(folder / name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise damaged(folder / name, f"{where}: {first['msg']}".lstrip(": ")) from error
    return facts.model_dump(mode="json")
