"""Rows of a run as what passed and what failed."""

from __future__ import annotations

from harness.console import figure
from harness.formats import Ending, Outcome
from harness.records.provenance import source_of
from harness.records.status import marked
from harness.run.train import RunResult


def outcomes(result: RunResult) -> list[Outcome]:
    """An outcome a row."""
    found = []
    for row in result.rows:
        name, file = f"{row.backend} {row.variant}", source_of(row.backend, row.variant)
        said = f"{marked(row.status, row.parity_verdict)}: {row.reason}".removesuffix(": ")
        if row.ok:
            told = f"{said}; perplexity {figure(row.perplexity, '.4f')}"
            found.append(Outcome("rows", name, "passed", told, row.train_seconds, file))
        else:
            status: Ending = "skipped" if result.forgives(row) else "failed"
            found.append(Outcome("rows", name, status, said, file=file))
    return found
