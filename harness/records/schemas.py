"""Schemas of the tables of a run folder and of a benchmark, as Pydantic reads them.

A table is read by its columns, each of which becomes a series: it has a type when it is empty too.
More columns than these are welcome in a file; they are left out. `harness.records.recorded` has the
records beside the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from common.experiment import DType
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
    """``baselines.csv``; tokens are those that were counted, from the start of the text."""

    model: Texts
    n: Counts
    smoothing: Annotated[list[Smoothing], texts]
    perplexity: Numbers
    val_perplexity: Figures
    tokens: Figures

    @model_validator(mode="before")
    @classmethod
    def _without_tokens(cls, cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Fill in what a table from before it said how much was counted leaves out."""
        return {"tokens": [""] * len(cells.get("model", ()))} | cells


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


class RoundTable(BaseModel):
    """``rounds.csv``."""

    backend: Texts
    variant: Texts
    shape: Shapes
    round: Counts
    seconds: Durations
    cores_busy: Numbers
