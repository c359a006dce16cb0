"""A row of the comparison: one backend and variant, and what became of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from common.experiment import DType
from common.judging import Verdict
from common.shards import SIMULATED, mixes
from harness.records.provenance import host_id
from harness.records.schemas import SummaryTable
from harness.records.status import Status

SUMMARY_COLUMNS = list(SummaryTable.model_fields)

SETTLED: tuple[Status, ...] = ("ok", "diverged", "overflow", "parity-failed")
"""Endings that would be the same again. A row that ended otherwise is taken up when its run is."""

SEVERITY = ("", "equal", "ill-conditioned", "overflow", "diverged", "different")
"""Verdicts from good to bad; before there is one, any counts."""

HOPELESS = 1e6
"""Times the vocabulary's size that a perplexity may be; a training that ends above has diverged.

The vocabulary's size is what guessing reaches. Above a million times that, the network gave the
tokens that came, on the geometric mean, less than a millionth of the share that each has when
nothing is known: it is sure, and wrong. No curve that comes down again ends there. Of one epoch
among others it says nothing, so that alone ends no training; what is not finite does.
"""


RESULT = (
    "status reason device compile_seconds peak_memory_mb device_memory_mb "
    "parity parity_tolerance parity_verdict machine"
).split()
"""Columns that are known when a row has ended, beside what its epochs tell."""


@dataclass
class Row:
    """One line of ``summary.csv``, filled in as the run goes on.

    Attributes:
        vocab_size: of the corpus.
        epoch: the last one that is done.
        machine: where it is trained; rows of two machines are not compared in speed.
    """

    backend: str
    variant: str
    seed: int
    dtype: DType
    vocab_size: int
    epoch: int
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
    device_memory_mb: float | None = None
    parity: float | None = None  # the error nearest to its tolerance, of both checks
    parity_tolerance: float | None = None
    parity_verdict: Verdict | Literal[""] = ""
    versions: dict[str, str] = field(default_factory=dict)
    machine: str = field(default_factory=host_id)

    @property
    def name(self) -> str:
        """Name of the row's files, without their suffixes."""
        return f"{self.backend}-{self.variant}-{self.seed}"

    @property
    def key(self) -> list[str]:
        """Cells that name the row in every table."""
        return [self.backend, self.variant, str(self.seed)]

    @property
    def ok(self) -> bool:
        """True if it trained to its end and has learned."""
        return self.status == "ok"

    @property
    def settled(self) -> bool:
        """True if it has a result."""
        return self.status in SETTLED

    @property
    def divergence(self) -> str:
        """Reason why its perplexity is that of a training that diverged; empty if it is not."""
        if self.perplexity is None or not math.isfinite(self.perplexity):
            return "its perplexity is no longer a finite number"
        if self.perplexity > HOPELESS * self.vocab_size:
            times = f"{HOPELESS:,.0f} times the {self.vocab_size:,} of guessing"
            return f"its perplexity of {self.perplexity:.1e} is over {times}"
        return ""

    def take_judgement(
        self,
        trained: bool,
        verdict: Verdict,
        reason: str,
        parity: float | None,
        tolerance: float | None,
    ) -> None:
        """Take a verdict into it: that on its trained weights only where it is the worse one."""
        before = _severity(self.parity_verdict, self.parity, self.parity_tolerance)
        worse = _severity(verdict, parity, tolerance) > before
        if not trained or (worse and not self.divergence):
            self.parity, self.parity_tolerance, self.parity_verdict = parity, tolerance, verdict
            self.reason = reason or self.reason

    def add_epoch(
        self,
        epoch: int,
        perplexity: float,
        val_perplexity: float | None,
        tokens: int,
        seconds: float,
    ) -> None:
        """Take an epoch into it, which is the last from now on."""
        self.epoch, self.perplexity, self.val_perplexity = epoch, perplexity, val_perplexity
        self.tokens += tokens
        self.train_seconds += seconds

    def result_of(self, line: dict[str, Any]) -> Row:
        """The row as a line of ``summary.csv`` tells it, but for what its epochs tell."""
        known: dict[str, Any] = {name: line[name] for name in RESULT}
        known = {name: None if value != value else value for name, value in known.items()}
        versions = dict(each.split("=", 1) for each in line["versions"].split() if "=" in each)
        return replace(self, **known, versions=versions)

    @property
    def tokens_per_sec(self) -> float | None:
        """Training throughput; None unless the row is ok, for no other has earned one.

        Simulated devices share a CPU: theirs would be no speed of several.
        """
        earned = self.ok and SIMULATED not in self.device
        return self.tokens / self.train_seconds if earned else None

    def summary(self) -> dict[str, Any]:
        """The row by the columns of ``summary.csv``."""
        values = asdict(self) | {"tokens_per_sec": self.tokens_per_sec}
        values["versions"] = " ".join(f"{name}={v}" for name, v in self.versions.items())
        return {column: values[column] for column in SUMMARY_COLUMNS}


def _severity(verdict: str, error: float | None, tolerance: float | None) -> tuple[int, float]:
    """Order of verdicts from good to bad, and in each by the error in units of its tolerance."""
    units = (error or 0) / (tolerance or 1)
    return SEVERITY.index(verdict), 0 if math.isnan(units) else units


def ranked(rows: list[Row]) -> list[Row]:
    """The rows by falling throughput, those without one last; device by device, if they differ."""
    mixed = mixes(row.device for row in rows if row.tokens_per_sec)

    def place(row: Row) -> tuple[bool, str, float]:
        speed = row.tokens_per_sec or 0
        return not speed, row.device if mixed else "", -speed

    return sorted(rows, key=place)


def summary_table(rows: list[Row]) -> pd.DataFrame:
    """``summary.csv``: the rows by falling throughput."""
    return pd.DataFrame([row.summary() for row in ranked(rows)], columns=SUMMARY_COLUMNS)
