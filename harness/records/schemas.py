"""Schemas of the tables of a run folder and of a benchmark, as Pydantic reads them.

A table is read by its columns, each of which becomes a series: it has a type when it is empty too.
More columns than these are welcome in a file; those not named here are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from common.experiment import DType
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
    Shapes,
    Texts,
    Validations,
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
    device_memory_mb: Quantities
    parity: Figures
    parity_tolerance: Quantities
    parity_verdict: Annotated[list[Verdict | Literal[""]], texts]
    versions: Texts
    machine: Texts  # a hash of its host's name; empty where it was not recorded yet

    @model_validator(mode="before")
    @classmethod
    def _without_verdicts(cls, cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Fill in what a table from before there were verdicts leaves out: the floor decided."""
        later = ("device_memory_mb", "machine")
        cells = dict.fromkeys(later, [""] * len(cells.get("backend", ()))) | cells
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
    device: Texts
    tokens_per_sec: Annotated[list[Annotated[float, Field(gt=0, le=1e15)]], numbers]
    low: Quantities
    high: Quantities
    ratio_to_concise: Quantities
    ratio_low: Quantities
    ratio_high: Quantities
    verdict: Annotated[list[SpeedVerdict | Literal[""]], texts]
    floor_fraction: Quantities  # of the products alone
    operations_fraction: Quantities
    compile_seconds: Quantities
    break_even_steps: Annotated[list[Boundless], numbers]
    peak_memory_mb: Quantities
    device_memory_mb: Quantities
    scaling_efficiency: Quantities
    joules_per_token: Quantities
    code_lines: Quantities
    machine: Texts  # a hash of its host's name

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Fill in what a table leaves out that is from before it was measured."""
        later = "device device_memory_mb scaling_efficiency joules_per_token code_lines machine"
        later += " operations_fraction"
        return dict.fromkeys(later.split(), [""] * len(cells.get("backend", ()))) | cells


class RoundTable(BaseModel):
    """``rounds.csv``."""

    backend: Names
    variant: Names
    shape: Shapes
    round: Counts
    seconds: Durations
    cores_busy: Quantities


def of_one_machine(cells: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Fill in the machine of a table from before there could be several."""
    return {"machine": [""] * len(cells.get("backend", ()))} | cells


class ComparisonTable(BaseModel):
    """``comparisons.csv``: speed of a form as a multiple of that of another, the base.

    The shape ``all`` is the geometric mean over all of a machine; ``question`` says why the two are
    held against each other: the best forms of two backends, or the base was asked for.
    """

    shape: Names
    question: Annotated[list[Literal["best", "against"]], texts]
    backend: Names
    variant: Names
    base_backend: Names
    base_variant: Names
    ratio: Quantities
    low: Quantities
    high: Quantities
    verdict: Annotated[list[SpeedVerdict | Literal[""]], texts]
    machine: Texts

    _of_one_machine = model_validator(mode="before")(of_one_machine)


class RankingTable(BaseModel):
    """``ranking.csv``: forms over all shapes of a machine, the fastest first.

    A ratio is the speed over that of the base, the geometric mean over shapes; ``best`` says that
    the form is the fastest, or ties with it.
    """

    backend: Names
    variant: Names
    base: Names
    ratio: Quantities
    low: Quantities
    high: Quantities
    verdict: Annotated[list[SpeedVerdict | Literal[""]], texts]
    best: Annotated[list[bool], truths]
    wins: Counts
    ties: Counts
    losses: Counts
    machine: Texts

    _of_one_machine = model_validator(mode="before")(of_one_machine)
