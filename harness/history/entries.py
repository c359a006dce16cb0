"""Entries of a history: what a result folder measured, when, where and with what."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import backends
from common.errors import RequestError
from harness.console import note, printable
from harness.history.naming import case_of, machine_of, place_of
from harness.paths import ROOT
from harness.records.agreement import damaged
from harness.records.checkout import committed_at
from harness.records.reading import BenchData, read_bench, read_parity, read_run
from harness.records.tables import content, holds

Kind = Literal["run", "bench", "parity"]


@dataclass(frozen=True)
class Measured:
    """A figure, with its 95 % interval where it has one.

    Attributes:
        measure: one of `harness.history.measures.MEASURES`.
        backend, variant: whose.
        of: the shape, the precision, or the settings: what was computed.
        place: device and threads.
        versions: of what the backend computed with.
    """

    measure: str
    backend: str
    variant: str
    of: str
    place: str
    value: float
    low: float | None
    high: float | None
    versions: str


@dataclass(frozen=True)
class Entry:
    """A result: its key, which is the same whenever it is added, and its figures.

    Attributes:
        key: SHA-256 of its tables.
        kind: command that made it.
        at: time in UTC, ISO 8601.
        revision, modified, source: as of a record; the revision is empty where it is not known.
        machine: CPU, cores, memory and GPUs, in words: what figures are only compared within.
        system: operating system, Python and BLAS.
        folder: where it was added from.
        figures: of what is ok.
    """

    key: str
    kind: Kind
    at: str
    revision: str
    modified: bool
    source: str
    machine: str
    system: str
    folder: str
    figures: list[Measured]


def entries_below(folder: Path) -> list[Entry]:
    """The results in a folder and in those below it, hidden ones left out.

    Raises:
        RequestError: there are none, or one is damaged or was edited.
    """
    if not folder.is_dir():
        raise RequestError(printable(f"{folder}: no such folder"))
    found = [entry for each in _folders(folder) for entry in _entries_of(each)]
    if not found:
        raise RequestError(printable(f"{folder}: holds no finished run, benchmark or parity"))
    return found


def _folders(folder: Path) -> Iterator[Path]:
    yield folder
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from _folders(path)


def _entries_of(folder: Path) -> Iterator[Entry]:
    kinds = {"run.json": _of_run, "bench.json": _of_bench, "parity.json": _of_parity}
    for name, entry_of in kinds.items():
        if not holds(folder, name):
            continue
        if _is_running(folder / name):
            note(f"{folder}: has not ended, says its {name}: left out")
            continue
        yield entry_of(folder)


def _is_running(record: Path) -> bool:
    try:
        return bool(json.loads(content(record))["status"] == "running")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False  # whoever reads it says what is wrong


def _of_run(folder: Path) -> Entry:
    run = read_run(folder)
    facts = run.facts
    figures, case = [], case_of(facts)
    for row in run.summary[run.summary.status == "ok"].to_dict("records"):
        seeded = f"{case}, seed {row['seed']}"
        share = row["parity"] / row["parity_tolerance"] if row["parity_tolerance"] else math.nan
        for measure, of, value in (
            ("perplexity", seeded, row["perplexity"]),
            ("validation perplexity", seeded, row["val_perplexity"]),
            ("parity error", seeded, share),
            ("throughput", case, row["tokens_per_sec"]),
            ("compile time", case, row["compile_seconds"]),
            ("memory", case, row["peak_memory_mb"]),
            ("device memory", case, row["device_memory_mb"]),
        ):
            place = place_of(row["device"], _threads(facts, row["backend"]))
            figures.append(_measured(measure, row, of, place, value))
    return _entry("run", folder, facts, _kept(figures), "summary.csv", "epochs.csv")


def _threads(facts: dict[str, Any], backend: str) -> Any:
    """Threads of a row: as asked for, as few as its run's neighbours left it, or the CPUs."""
    known = backends.registry().get(backends.backend_of(backend))
    left = (facts["placement"] or {}).get("threads") if known and known.spins else None
    return facts["experiment"]["threads"] or left or facts["machine"].get("cores_used")


def _of_bench(folder: Path) -> Entry:
    bench = read_bench(folder)
    settings, workers = bench.facts["settings"], _workers(bench)
    threads = settings["threads"] or bench.facts["machine"].get("cores_used")
    dtype = "" if settings["dtype"] == "float32" else f" {settings['dtype']}"
    figures = []
    networks = ~bench.figures.backend.isin(["null", "floor"])
    for row in bench.figures[networks].to_dict("records"):
        worker = workers.get((row["backend"], row["variant"], row["shape"]), {})
        conditions = worker.get("conditions") or {}
        known = row | {"versions": _joined(conditions.get("versions", {}))}
        place, of = place_of(worker.get("device") or "", threads), f"{row['shape']}{dtype}"
        speed = row["tokens_per_sec"], row["low"], row["high"]
        figures.append(_measured("throughput", known, of, place, *speed))
        for measure, column in (
            ("compile time", "compile_seconds"),
            ("memory", "peak_memory_mb"),
            ("device memory", "device_memory_mb"),
        ):
            figures.append(_measured(measure, known, of, place, row[column]))
    return _entry("bench", folder, bench.facts, _kept(figures), "rounds.csv")


def _workers(bench: BenchData) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (worker["backend"], worker["variant"], each["shape"]): worker
        for each in bench.facts["shapes"]
        for worker in each["workers"]
    }


def _of_parity(folder: Path) -> Entry:
    table, facts = read_parity(folder)
    table = table.assign(share=table.error / table.tolerance)
    figures = []
    for (backend, variant, dtype), rows in table.groupby(["backend", "variant", "dtype"]):
        row = {"backend": backend, "variant": variant}
        row["versions"] = _joined(facts["backends"].get(backend, {}))
        figures.append(_measured("parity error", row, str(dtype), "", float(rows.share.max())))
    return _entry("parity", folder, facts, _kept(figures), "parity.csv")


def _measured(
    measure: str,
    row: Mapping[Any, Any],
    of: str,
    place: str,
    value: float,
    low: float = math.nan,
    high: float = math.nan,
) -> Measured:
    least, most = (None if math.isnan(end) else float(end) for end in (low, high))
    backend, variant, versions = (str(row[name]) for name in ("backend", "variant", "versions"))
    return Measured(measure, backend, variant, of, place, float(value), least, most, versions)


def _kept(figures: list[Measured]) -> list[Measured]:
    """Figures above 0, which have logarithms; a compile time of 0 has none."""
    return [each for each in figures if math.isfinite(each.value) and each.value > 0]


def _joined(versions: dict[str, str]) -> str:
    return " ".join(f"{name}={version}" for name, version in versions.items())


def _entry(
    kind: Kind, folder: Path, facts: dict[str, Any], figures: list[Measured], *tables: str
) -> Entry:
    source, versions = facts["source"], facts["versions"]
    told = facts.get("started") or facts.get("made") or ""
    digest = hashlib.sha256(json.dumps([kind, told, source["sha256"]]).encode())
    for name in tables:
        digest.update(content(folder / name))
    python = f"Python {versions.get('python', '?')}, {versions.get('blas', '')}"
    return Entry(
        digest.hexdigest(),
        kind,
        _time(told or committed_at(ROOT, source["revision"] or ""), folder / f"{kind}.json"),
        source["revision"] or "",
        source["modified"],
        source["sha256"],
        machine_of(facts["machine"]),
        printable(f"{facts['machine'].get('os', '')}, {python}".rstrip(", ")),
        str(folder),
        figures,
    )


def _time(told: str, record: Path) -> str:
    """A time in UTC; of a benchmark from before it was recorded, its commit's, or its file's."""
    if not told:
        at = datetime.fromtimestamp(record.stat().st_mtime, UTC)
    else:
        try:
            at = datetime.fromisoformat(told).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise damaged(record, f"{told!r} is no time") from error
    return at.isoformat(timespec="seconds")
