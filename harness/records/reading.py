"""Run folders and benchmarks, read back: what is half-written, edited or foreign is refused.

The tables come out as they were written: a text such as ``NA`` stays a text, an empty number is
NaN. An interrupted run is read like a finished one, for its ``summary.csv`` says which rows were
cut short; a run that says ``running``, because it is or because it was killed, is not.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from common.errors import RequestError
from harness.console import printable
from harness.paths import make_up
from harness.records.agreement import ROW, check_bench, check_run, damaged
from harness.records.cells import unguarded
from harness.records.schemas import (
    BaselineTable,
    BenchFacts,
    BenchTable,
    EpochTable,
    ParityTable,
    RoundTable,
    RunFacts,
    SampleTable,
    SummaryTable,
)

TIDY = (
    "recipe run backend variant seed epoch perplexity val_perplexity tokens seconds elapsed "
    "device dtype tokens_per_sec"
).split()
"""The columns of `load_runs`."""


@dataclass(frozen=True)
class BenchData:
    """A benchmark.

    Attributes:
        folder: its path.
        facts: contents of ``bench.json``, validated as `harness.records.schemas.BenchFacts`.
        figures: the table of ``bench.csv``.
        rounds: the table of ``rounds.csv``.
    """

    folder: Path
    facts: dict[str, Any]
    figures: pd.DataFrame
    rounds: pd.DataFrame


@dataclass(frozen=True)
class RunData:
    """A run.

    Attributes:
        folder: its path.
        facts: contents of ``run.json``, validated as `harness.records.schemas.RunFacts`.
        epochs, summary, samples: its tables; ``elapsed`` is the seconds of training up to the end
            of an epoch.
        parity: table of ``parity.csv``, where ``parity --out`` wrote into this folder too; or None.
        bench: likewise the benchmark that ``bench --out`` wrote.
        baselines: the table of ``baselines.csv``; None in a folder made before there was one.
    """

    folder: Path
    facts: dict[str, Any]
    epochs: pd.DataFrame
    summary: pd.DataFrame
    samples: pd.DataFrame
    parity: pd.DataFrame | None
    bench: BenchData | None
    baselines: pd.DataFrame | None


def read_run(folder: Path) -> RunData:
    """Read a run folder.

    Raises:
        RequestError: no run is there, it has not ended, or one of its files is damaged, was edited,
            or does not agree with another.
    """
    make_up(folder)
    facts = _facts(folder, "run.json", RunFacts)
    epochs = _table(folder / "epochs.csv", EpochTable)
    summary = _table(folder / "summary.csv", SummaryTable)
    check_run(folder, epochs, summary)
    epochs["elapsed"] = epochs.groupby(ROW).seconds.cumsum()
    return RunData(
        folder,
        facts,
        epochs,
        summary,
        _table(folder / "samples.csv", SampleTable),
        _table(folder / "parity.csv", ParityTable) if holds(folder, "parity.csv") else None,
        read_bench(folder) if holds(folder, "bench.json") else None,
        _table(folder / "baselines.csv", BaselineTable) if holds(folder, "baselines.csv") else None,
    )


def read_bench(folder: Path) -> BenchData:
    """Read what `bench` wrote into a folder.

    Raises:
        RequestError: as `read_run`.
    """
    make_up(folder)
    facts = _facts(folder, "bench.json", BenchFacts)
    figures = _table(folder / "bench.csv", BenchTable)
    rounds = _table(folder / "rounds.csv", RoundTable)
    check_bench(folder, facts, figures, rounds)
    return BenchData(folder, facts, figures, rounds)


def load_runs(paths: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Run folders as one table, an epoch a row; see `harness.load_runs`."""
    folders = [paths] if isinstance(paths, str | Path) else list(paths)
    if not folders:
        raise RequestError("no run folder: name at least one")
    return pd.concat([_tidy(read_run(Path(folder))) for folder in folders], ignore_index=True)


def _tidy(run: RunData) -> pd.DataFrame:
    of_row = run.summary[[*ROW, "device", "dtype", "tokens_per_sec"]]
    table = run.epochs.merge(of_row, on=ROW)
    table["recipe"], table["run"] = run.facts["recipe"], str(run.folder)
    return table[TIDY]


def holds(folder: Path, name: str) -> bool:
    """True if a folder has a file of this name."""
    return os.path.isfile(folder / name)  # Path.is_file raises where a name is too long


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(printable(f"{path}: cannot be read: {error.strerror}")) from error


def _facts(folder: Path, name: str, expected: type[RunFacts] | type[BenchFacts]) -> dict[str, Any]:
    if not holds(folder, name):
        if not os.path.isdir(folder):
            raise RequestError(printable(f"{folder}: no such folder"))
        kind = "a run folder" if expected is RunFacts else "a benchmark"
        raise RequestError(printable(f"{folder}: not {kind}: it holds no file {name}"))
    try:
        facts = expected.model_validate_json(_content(folder / name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise damaged(folder / name, f"{where}: {first['msg']}".lstrip(": ")) from error
    if facts.status == "running":
        message = f"{folder}: has not ended, says its {name}: wait; or, if it was killed, run again"
        raise RequestError(printable(message))
    return facts.model_dump(mode="json")


def _table(path: Path, columns: type[BaseModel]) -> pd.DataFrame:
    if not holds(path.parent, path.name):
        raise damaged(path, "no such file")
    header, rows, lines = _cells(path)
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    try:
        table = columns.model_validate(dict(zip(header, cells, strict=True)))
    except ValidationError as error:
        first = error.errors()[0]
        name, *index = first["loc"]
        if not index:
            raise damaged(path, f"it has no column {name}") from error
        where = f"line {lines[int(index[0])]}, {name} {str(first['input'])[:40]!r}"
        raise damaged(path, f"{where}: {first['msg']}") from error
    return pd.DataFrame(dict(table))


def _cells(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows, and the line on which each row ends."""
    try:
        text = _content(path).decode()
    except UnicodeDecodeError as error:
        raise damaged(path, f"not UTF-8 at byte {error.start}") from error
    if "\0" in text:
        raise damaged(path, "it holds a zero byte")
    rows: list[list[str]] = []
    lines: list[int] = []
    limit = csv.field_size_limit(len(text))  # a generated text may be longer than csv's own limit
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(reader, [])
        for row in reader:
            if len(row) != len(header):
                what = f"line {reader.line_num}: {len(row)} cells under {len(header)} headings"
                raise damaged(path, what)
            rows.append([unguarded(cell) for cell in row])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise damaged(path, f"not CSV: {error}") from error
    finally:
        csv.field_size_limit(limit)
    return header, rows, lines
