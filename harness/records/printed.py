"""Schema of all JSON: what ``--json`` prints, and the records that commands leave.

``python -m harness.records.printed > docs/output.schema.json`` writes it down. More fields may come
without another version; one that goes, or means something else, takes a new one.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import models_json_schema

from common.experiment import DType
from common.judging import Verdict
from harness.records.generation import GenerationFacts
from harness.records.json_schemas import (
    BenchFacts,
    Open,
    ParityFacts,
    ResultFacts,
    RunFacts,
)
from harness.records.scaling import ScaleFacts
from harness.records.status import Status


class Printed(Open):
    """Anything that is printed."""

    format: Literal[1]


class PrintedRow(Open):
    """A row of a run, as in ``summary.csv``."""

    backend: str
    variant: str
    seed: int
    status: Status
    reason: str
    device: str
    dtype: DType
    perplexity: float | None
    val_perplexity: float | None
    tokens_per_sec: float | None
    compile_seconds: float | None
    train_seconds: float | None
    peak_memory_mb: float | None
    parity: float | None
    parity_tolerance: float | None
    parity_verdict: Verdict | Literal[""]


class PrintedRun(Printed):
    """``run --json``."""

    run: str
    status: Literal["finished", "interrupted", "failed"]
    rows: list[PrintedRow]


class PrintedError(Open):
    """An error of a comparison, as in ``parity.csv``."""

    backend: str
    variant: str
    dtype: DType
    case: str
    quantity: str
    error: float | None
    tolerance: float
    ok: bool


class PrintedParity(Printed):
    """``parity --json``."""

    passed: bool
    table: list[PrintedError]


class PrintedSpeed(Open):
    """A figure of a benchmark, as in ``bench.csv``; tokens a second."""

    backend: str
    variant: str
    shape: str
    tokens_per_sec: float
    low: float | None
    high: float | None


class PrintedBench(Printed, ResultFacts):
    """``bench --json``."""

    format: Literal[1] = Field()
    figures: list[PrintedSpeed]
    failures: dict[str, str]


class PrintedQuantity(Open):
    """A quantity of a form at a size, as in ``scale.csv``."""

    dimension: str
    value: int
    backend: str
    variant: str
    quantity: str
    median: float
    low: float | None
    high: float | None


class PrintedScale(Printed, ResultFacts):
    """``scale --json``."""

    format: Literal[1] = Field()
    figures: list[PrintedQuantity]
    failures: dict[str, str]


class PrintedChange(Open):
    """A change between two sides."""

    measure: str
    backend: str
    variant: str
    old: float
    new: float
    ratio: float | None
    verdict: str | None
    regressed: bool


class PrintedComparison(Printed):
    """``compare --json``."""

    old: str
    new: str
    threshold: float
    changes: list[PrintedChange]
    lost: dict[str, str]
    gained: list[str]
    regressions: list[str]


BY_COMMAND: dict[str, type[Printed]] = {
    "run": PrintedRun,
    "parity": PrintedParity,
    "bench": PrintedBench,
    "scale": PrintedScale,
    "compare": PrintedComparison,
}

BY_FILE: dict[str, type[ResultFacts]] = {
    "run.json": RunFacts,
    "bench.json": BenchFacts,
    "scale.json": ScaleFacts,
    "generation.json": GenerationFacts,
    "parity.json": ParityFacts,
}


def schema() -> dict[str, Any]:
    """JSON Schema of each of them, under ``$defs``."""
    models = [*BY_COMMAND.values(), *BY_FILE.values()]
    _, defined = models_json_schema([(model, "validation") for model in models])
    told = "by command what --json prints, and by name the records of a folder"
    named = {
        **{name: {"$ref": f"#/$defs/{model.__name__}"} for name, model in BY_COMMAND.items()},
        **{name: {"$ref": f"#/$defs/{model.__name__}"} for name, model in BY_FILE.items()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "JSON of rnn-rosetta, version 1",
        "description": f"{told}: validate against $defs/<name>",
        "$defs": defined["$defs"] | named,
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1))
