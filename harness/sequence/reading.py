"""Results of ``sequence``, read back for their report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from common.parity import Errors
from common.sequence import ModelName, SequenceExperiment, draw_series
from harness.records.json_schemas import ResultFacts
from harness.records.reading import record
from harness.sequence.measure import BackendResult, SequenceResult, expected


class BackendFacts(BaseModel):
    """A backend of ``sequence.json``."""

    status: Literal["ok", "parity-failed", "failed", "unavailable"]
    reason: str
    versions: dict[str, str]
    errors: dict[ModelName, Errors]


class SequenceFacts(ResultFacts):
    """``sequence.json``."""

    settings: SequenceExperiment
    backends: dict[str, BackendFacts]
    status: Literal["finished", "failed"]


def read(folder: Path) -> tuple[SequenceResult, dict[str, Any]]:
    """The result of a folder, and the facts of its machine, versions and source.

    What backends predicted is the reference's, as far as their errors say so: it alone is computed
    anew.

    Raises:
        RequestError: it has not ended, or its record is damaged.
    """
    facts = record(folder, "sequence.json", SequenceFacts)
    settings = SequenceExperiment(**facts["settings"])
    reference = expected(settings)
    contenders = []
    for name, told in facts["backends"].items():
        each = BackendResult(name, told["status"], told["reason"], told["versions"])
        each.errors = told["errors"]
        each.outcomes = reference if each.errors else {}
        contenders.append(each)
    return SequenceResult(settings, draw_series(settings), reference, contenders, ()), facts
