"""Parts of a run folder, or of a benchmark, that can be compared with another.

What decides a perplexity must be the same on both sides: every setting and the corpus. Where it
ran (machine, device, threads) and what ran it (versions, source) may differ, for that is what one
wants to compare. A seed is compared with the same seed alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.errors import RequestError
from common.shards import SIMULATED
from harness.bench.shapes import dimensions
from harness.console import printable
from harness.records.agreement import ROW, TIMED
from harness.records.reading import BenchData, RunData, read_bench, read_run
from harness.records.tables import holds

Name = tuple[str, str, str]
"""Name of a row: backend, variant, and ``seed 0`` or a shape."""

FIGURES = "measure backend variant of number value".split()
"""The columns of `Side.figures`; ``of`` is a row's third name, and a number that of an epoch or
round. A value is a perplexity or tokens a second."""

FREE = {"corpus", "seed", "device", "devices", "threads", "deterministic"}
"""Settings that need not be the same; a corpus is known by its hash, wherever it lies."""

HUGE = 1e300
"""Stands for an infinite perplexity, which has no ratio."""


@dataclass(frozen=True)
class Side:
    """Parts of a folder that take part in a comparison.

    Attributes:
        folder: its path.
        settings: must be the same on both sides.
        conditions: may differ, and are pointed out then.
        rows: reason why each row has no figures; empty if it has.
        figures: by `FIGURES`, of the rows that have.
        smallest: the smallest ratio that a benchmark could tell, by shape; NaN where none.
        busy: shapes on which the machine was busy, and how.
        products: speed of matrix products: library with its version, shape (``of``), number of the
            round, value.
    """

    folder: Path
    settings: dict[str, Any]
    conditions: dict[str, Any]
    rows: dict[Name, str]
    figures: pd.DataFrame
    smallest: dict[str, float] = field(default_factory=dict)
    busy: dict[str, str] = field(default_factory=dict)
    products: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["library", "of", "number", "value"])
    )

    def chosen(self, names: Sequence[str], variants: Sequence[str]) -> Side:
        """The side of some backends and variants; none means every one."""
        rows = {
            row: reason
            for row, reason in self.rows.items()
            if (not names or row[0] in names) and (not variants or row[1] in variants)
        }
        kept = np.array([row in rows for row in _names(self.figures)], bool)
        return replace(self, rows=rows, figures=self.figures[kept])


def _names(table: pd.DataFrame) -> list[Name]:
    return list(zip(table.backend, table.variant, table["of"], strict=True))


def side(folder: Path) -> Side:
    """Read a folder: the run that it holds, or else the benchmark.

    Raises:
        RequestError: the folder holds neither, or cannot be read.
    """
    if holds(folder, "bench.json") and not holds(folder, "run.json"):
        return _of_bench(read_bench(folder))
    return _of_run(read_run(folder))


def check_same(old: Side, new: Side) -> None:
    """See that two sides are of one experiment.

    Raises:
        RequestError: they are not; it names the first setting that differs.
    """
    for name, value in old.settings.items():
        if new.settings[name] != value:
            raise RequestError(
                printable(
                    f"not of one experiment: {name} is {value} in {old.folder}, "
                    f"{new.settings[name]} in {new.folder}"
                )
            )


def _conditions(facts: dict[str, Any]) -> dict[str, Any]:
    """Source, machine and versions, of a run and a benchmark alike."""
    return {"source": facts["source"]["sha256"][:12], **facts["machine"], **facts["versions"]}


def _of_run(run: RunData) -> Side:
    experiment, corpus = run.facts["experiment"], run.facts["corpus"]
    text = "SHA-256 {sha256:.12}, {tokens:,} tokens, {vocab_size} distinct".format(**corpus)
    summary = run.summary.assign(of="seed " + run.summary.seed.astype(str), number=0)
    ok = summary[summary.status == "ok"]
    timed = ok[~ok.device.str.contains(SIMULATED)]
    epochs = timed[[*ROW, "of"]].merge(run.epochs.rename(columns={"epoch": "number"}), on=ROW)
    figures = [
        epochs.assign(measure="throughput", value=epochs.tokens / epochs.seconds),
        ok.assign(measure="perplexity", value=ok.perplexity),
        ok.assign(measure="validation perplexity", value=ok.val_perplexity.clip(upper=HUGE)),
    ]
    why = summary.status + ": " + summary.reason
    return Side(
        run.folder,
        {"kind": "run"}
        | {name: value for name, value in experiment.items() if name not in FREE}
        | {"resumed": run.facts["resumed"], "corpus": text},
        _conditions(run.facts)
        | {"threads": experiment["threads"]}
        | {f"device of {r.backend}": r.device for r in ok.itertuples()}
        | {f"versions of {r.backend}": r.versions for r in ok.itertuples()},
        dict(zip(_names(summary), why.where(summary.status != "ok", ""), strict=True)),
        pd.concat(figures)[FIGURES].dropna(),
    )


def _of_bench(bench: BenchData) -> Side:
    settings = bench.facts["settings"]
    workers = [(each["shape"], w) for each in bench.facts["shapes"] for w in each["workers"]]
    rows = {
        (w["backend"], w["variant"], shape): w["reason"]
        for shape, w in workers
        if w["backend"] != "null" and w["variant"] != "products"
    }
    ok = pd.DataFrame([row for row, reason in rows.items() if not reason], columns=TIMED)
    ready = [w for _, w in workers if w["conditions"]]
    versions = {w["backend"]: _joined(w["conditions"]["versions"]) for w in ready}
    numpy = bench.facts["versions"]["numpy"]
    products = bench.rounds[bench.rounds.variant == "products"]
    rounds = bench.rounds.merge(ok, on=TIMED)
    rounds = rounds.rename(columns={"shape": "of", "round": "number"})
    tokens = rounds.of.map({shape: math.prod(dimensions(shape)[:2]) for shape in {*rounds.of}})
    return Side(
        bench.folder,
        {"kind": "benchmark", "dtype": settings["dtype"]},
        _conditions(bench.facts)
        | {"threads": settings["threads"]}
        | {f"device of {w['backend']}": w["device"] for w in ready}
        | {f"versions of {name}": told for name, told in versions.items()},
        rows,
        rounds.assign(measure=rounds.of, value=tokens / rounds.seconds)[FIGURES],
        {
            each["shape"]: each["same"]["smallest"] or math.nan
            for each in bench.facts["shapes"]
            if each["same"]
        },
        {
            each["shape"]: f"the machine was busy in {bench.folder.name}: "
            f"{quiet['disturbed']} of {quiet['rounds']} rounds"
            for each in bench.facts["shapes"]
            if (quiet := each["quiet"]) and quiet["busy"]
        },
        pd.DataFrame(
            {
                "library": [f"{name} {versions.get(name, numpy)}" for name in products.backend],
                "of": products["shape"],
                "number": products["round"],
                "value": 1 / products.seconds,
            }
        ),
    )


def _joined(versions: dict[str, str]) -> str:
    return " ".join(f"{name}={version}" for name, version in versions.items())
