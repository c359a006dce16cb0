"""Schemas of the files of a run folder and of a benchmark, as Pydantic reads them.

A table is read by its columns, each of which becomes a series: it has a type when it is empty too.
More columns and more facts than these are welcome in a file; columns not named here are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from common.experiment import DType, Experiment
from common.interface import Description
from common.judging import Verdict
from common.ngrams import Smoothing
from common.parity import TOLERANCES
from harness.intervals import SpeedVerdict
from harness.records.status import Status

Whole = Annotated[int, Field(ge=0, le=2**53)]
Duration = Annotated[float, Field(ge=1e-9, le=1e9)]  # seconds
Figure = Annotated[float, BeforeValidator(lambda cell: cell or "nan")]  # empty: not known
Shape = Annotated[str, Field(pattern="^[0-9]+x[0-9]+x[0-9]+x[0-9]+$")]

texts, counts, numbers, truths = (
    AfterValidator(partial(pd.Series, dtype=dtype)) for dtype in (str, "int64", "float64", "bool")
)
Texts = Annotated[list[str], texts]
Shapes = Annotated[list[Shape], texts]
Counts = Annotated[list[Whole], counts]
Numbers = Annotated[list[float], numbers]
Durations = Annotated[list[Duration], numbers]
Figures = Annotated[list[Figure], numbers]


class EpochTable(BaseModel):
    """``epochs.csv``."""

    backend: Texts
    variant: Texts
    seed: Counts
    epoch: Counts
    perplexity: Numbers
    val_perplexity: Figures
    tokens: Counts
    seconds: Durations


class SummaryTable(BaseModel):
    """``summary.csv``."""

    backend: Texts
    variant: Texts
    seed: Counts
    status: Annotated[list[Status], texts]
    reason: Texts
    device: Texts
    dtype: Annotated[list[DType], texts]
    perplexity: Figures
    val_perplexity: Figures
    tokens_per_sec: Figures
    compile_seconds: Figures
    train_seconds: Figures
    peak_memory_mb: Figures
    parity: Figures
    parity_tolerance: Figures
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

    backend: Texts
    variant: Texts
    seed: Counts
    epoch: Counts
    prefix: Texts
    text: Texts


class ParityTable(BaseModel):
    """``parity.csv``."""

    backend: Texts
    variant: Texts
    dtype: Annotated[list[DType], texts]
    case: Texts
    quantity: Texts
    error: Figures
    tolerance: Numbers
    ok: Annotated[list[bool], truths]


class BaselineTable(BaseModel):
    """``baselines.csv``."""

    model: Texts
    n: Counts
    smoothing: Annotated[list[Smoothing], texts]
    perplexity: Numbers
    val_perplexity: Figures


class BenchTable(BaseModel):
    """``bench.csv``."""

    backend: Texts
    variant: Texts
    shape: Shapes
    tokens_per_sec: Numbers
    low: Figures
    high: Figures
    ratio_to_concise: Figures
    ratio_low: Figures
    ratio_high: Figures
    verdict: Annotated[list[SpeedVerdict | Literal[""]], texts]
    floor_fraction: Figures
    compile_seconds: Figures
    break_even_steps: Figures
    peak_memory_mb: Figures
    scaling_efficiency: Figures

    @model_validator(mode="before")
    @classmethod
    def _on_one_device(cls, cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Fill in what a table from before there were several devices leaves out."""
        rows = len(cells.get("backend", ()))
        return {"scaling_efficiency": [""] * rows} | cells


class RoundTable(BaseModel):
    """``rounds.csv``."""

    backend: Texts
    variant: Texts
    shape: Shapes
    round: Counts
    seconds: Durations
    cores_busy: Numbers


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
    """ResultFacts of ``run.json`` and of ``bench.json`` alike."""

    format: Literal[1] = 1
    machine: dict[str, Any]
    versions: dict[str, str]
    source: Source
    command: list[str]


class RunFacts(ResultFacts):
    """``run.json``."""

    recipe: str
    experiment: Experiment
    corpus: Corpus
    resumed: str | None = None
    backends: dict[str, Description]
    started: str
    ended: str | None
    status: Literal["running", "finished", "interrupted", "failed"]


class BenchSettings(Open):
    """Settings of a benchmark beside the shapes."""

    dtype: DType
    device: str
    devices: int = 1
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
