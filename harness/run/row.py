"""A row of the comparison: one backend and variant, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pandas as pd

from common.judging import Verdict
from common.shards import SIMULATED
from harness.records.schemas import SummaryTable
from harness.records.status import Status

SUMMARY_COLUMNS = list(SummaryTable.model_fields)


@dataclass
class Row:
    """One line of ``summary.csv``, filled in as the run goes on."""

    backend: str
    variant: str
    seed: int
    dtype: str
    status: Status = "waiting"
    reason: str = ""
    device: str = ""
    devices: int = 1
    perplexity: float | None = None
    val_perplexity: float | None = None
    compile_seconds: float | None = None
    train_seconds: float = 0.0
    tokens: int = 0
    peak_memory_mb: float | None = None
    parity: float | None = None  # the error of the preflight that is nearest to its tolerance
    parity_tolerance: float | None = None
    parity_verdict: Verdict | Literal[""] = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the row's files, without their suffixes."""
        return f"{self.backend}-{self.variant}-{self.seed}"

    @property
    def tokens_per_sec(self) -> float | None:
        """Training throughput; None unless the row is ok, for no other has earned one.

        Simulated devices share a CPU: theirs would be no speed of several.
        """
        earned = self.status == "ok" and SIMULATED not in self.device
        return self.tokens / self.train_seconds if earned else None

    def summary(self) -> dict[str, Any]:
        """The row by the columns of ``summary.csv``."""
        values = asdict(self) | {"tokens_per_sec": self.tokens_per_sec}
        values["versions"] = " ".join(f"{name}={v}" for name, v in self.versions.items())
        return {column: values[column] for column in SUMMARY_COLUMNS}


def ranked(rows: list[Row]) -> list[Row]:
    """The rows by falling throughput, those without one last."""
    return sorted(rows, key=lambda row: -(row.tokens_per_sec or 0))


def summary_table(rows: list[Row]) -> pd.DataFrame:
    """``summary.csv``: the rows by falling throughput."""
    return pd.DataFrame([row.summary() for row in ranked(rows)], columns=SUMMARY_COLUMNS)
