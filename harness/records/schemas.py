"""Schemas of the files of a run folder and of a benchmark, as Pydantic reads them.

A table is read by its columns, each of which becomes a series: it has a type when it is empty too.
More columns and more facts than these are welcome in a file; columns not named here are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from common.experiment import DType, Experiment
from common.interface import Description
from common.judging import Verdict
from common.ngrams import Smoothing
from common.parity import TOLERANCES
from harness.intervals import SpeedVerdict
from harness.records.columns import (
    Amounts,
    Boundless,
    Counts,
    Durations,
    Figures,
    Names,
    Perplexities,
    Quantities,
    Shape,
    Shapes,
    Texts,
    Validations,
    Whole,
    numbers,
    texts,
    truths,
)
from harness.records.status import Status


class EpochTable(BaseModel):
    """``epochs.csv``."""

    backend: Names
    variant: Names
    seed: Counts
    epoch: Counts
    perplexity: Perplexities
    val_perplexity: Validations
    tokens: Counts
    seconds: Durations


class SummaryTable(BaseModel):
    """``summary.csv``."""

    backend: Names
    variant: Names
    seed: Counts
    status: Annotated[list[Status], texts]
    reason: Texts
    device: Texts
    dtype: Annotated[list[DType], texts]
    perplexity: Validations  # a row that did not begin has none
    val_perplexity: Validations
    tokens_per_sec: Quantities
    compile_seconds: Quantities
    train_seconds: Quantities
    peak_memory_mb: Quantities
    parity: Figures
    parity_tolerance: Quantities
    parity_verdict: Annotated[list[Verdict | Literal[""]], texts]
    versions: Texts

    @model_validator(mode="before")
    @classmethod
    def _without_verdicts(cls, cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Fill in what a table from before there were verdicts leaves out: the floor decided."""
        if "parity_verdict" in cells or not {"status", "parity", "dtype"} <= cells.keys():
            return cells
        judged = zip(cells["status"], cells["parity"], cells["dtype"], strict=True)
        told = [_verdict_of(*row) for row in judged]
        return cells | {
            "parity_tolerance": [tolerance for tolerance, _ in told],
            "parity_verdict": [verdict for _, verdict in told],
        }


def _verdict_of(status: str, parity: str, dtype: str) -> tuple[str, str]:
    if not parity:
        return "", ""
    floor = next((step for name, (step, _) in TOLERANCES.items() if name == dtype), "")
    return str(floor), "different" if status == "parity-failed" else "equal"


class SampleTable(BaseModel):
    """``samples.csv``."""

    backend: Names
    variant: Names
    seed: Counts
    epoch: Counts
    prefix: Texts
    text: Texts


class ParityTable(BaseModel):
    """``parity.csv``."""

    backend: Names
    variant: Names
    dtype: Annotated[list[DType], texts]
    case: Names
    quantity: Names
    error: Figures
    tolerance: Amounts
    ok: Annotated[list[bool], truths]


class BaselineTable(BaseModel):
    """``baselines.csv``; tokens are those that were counted, from the start of the text."""

    model: Names
    n: Counts
    smoothing: Annotated[list[Smoothing], texts]
    perplexity: Annotated[list[Annotated[float, Field(gt=0)]], numbers]  # infinite: impossible
    val_perplexity: Annotated[list[Boundless], numbers]
    tokens: Quantities

    @model_validator(mode="before")
    @classmethod
    def _without_tokens(cls, cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Fill in what a table from before it said how much was counted leaves out."""
        return {"tokens": [""] * len(cells.get("model", ()))} | cells


class BenchTable(BaseModel):
    """``bench.csv``."""

    backend: Names
    variant: Names
    shape: Shapes
    tokens_per_sec: Annotated[list[Annotated[float, Field(gt=0, le=1e15)]], numbers]
    low: Quantities
    high: Quantities
    ratio_to_concise: Quantities
    ratio_low: Quantities
    ratio_high: Quantities
    verdict: Annotated[list[SpeedVerdict | Literal[""]], texts]
    floor_fraction: Quantities
    compile_seconds: Quantities
    break_even_steps: Annotated[list[Boundless], numbers]
    peak_memory_mb: Quantities


class RoundTable(BaseModel):
    """``rounds.csv``."""

    backend: Names
    variant: Names
    shape: Shapes
    round: Counts
    seconds: Durations
    cores_busy: Amounts


class Open(BaseModel):
    """A record that keeps what else stands in it."""

    model_config = ConfigDict(extra="allow")


class Corpus(Open):
    """The text of a run."""

    name: str
    sha256: str
    characters: Whole
    tokens: Whole
    vocab_size: Whole
    batches_per_epoch: Whole


class Source(Open):
    """The source that ran."""

    revision: str | None
    modified: bool
    sha256: str


class ResultFacts(Open):
    """ResultFacts of ``run.json`` and of ``bench.json`` alike; SHA-256 of ``files`` beside them."""

    format: Literal[1] = 1
    files: dict[str, str] = {}
    machine: dict[str, Any]
    versions: dict[str, str]
    source: Source
    command: list[str]


class Sitting(Open):
    """One of the processes that a run took; ``ended`` is None where it was killed."""

    started: str
    ended: str | None
    source: str
    versions: dict[str, Any]


class RunFacts(ResultFacts):
    """``run.json``; ``rows`` are backends and variants, and None before they were recorded."""

    recipe: str
    experiment: Experiment
    rows: list[list[str]] | None = None
    corpus: Corpus
    resumed: str | None = None
    resumed_sha256: str | None = None
    sittings: list[Sitting] = []
    backends: dict[str, Description]
    started: str
    ended: str | None
    status: Literal["running", "finished", "interrupted", "failed"]


class BenchSettings(Open):
    """Settings of a benchmark beside the shapes."""

    dtype: DType
    device: str
    threads: int | None


class RecordedConditions(Open):
    """RecordedConditions in force in a worker."""

    versions: dict[str, str]


class Entered(Open):
    """Contender of a benchmark; one that never got ready has no device and no conditions."""

    backend: str
    variant: str
    reason: str
    checked: dict[str, Any] = {}
    device: str | None = None
    conditions: RecordedConditions | None = None


class Circumstances(Open):
    """Circumstances of the figures of one shape."""

    shape: Shape
    workers: list[Entered]
    products: dict[str, dict[str, dict[str, float]]]


class BenchFacts(ResultFacts):
    """``bench.json``."""

    rounds: Whole
    settings: BenchSettings
    shapes: list[Circumstances]
    failures: dict[str, str]
    status: Literal["running", "finished"]
