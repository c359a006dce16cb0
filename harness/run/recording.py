"""Events of a row's worker, taken into the row and into the run folder."""

from __future__ import annotations

from dataclasses import asdict

from harness.records.status import Status
from harness.run.folder import RunFolder
from harness.run.row import Row
from harness.workers.protocol import Built, Done, EpochDone, Event, Failed, Judged, Sample, Saved

FAILURES: dict[str, Status] = {name: name for name in ("unavailable", "crashed", "timeout")}

REFUSALS: dict[str, Status] = {
    "different": "parity-failed",
    "overflow": "overflow",
    "diverged": "diverged",
}
"""The status of a row by a verdict that speaks against it."""


def record(row: Row, event: Event, folder: RunFolder) -> None:
    """Take an event into the row and the folder."""
    match event:
        case Built():
            row.device, row.compile_seconds = event.device, event.compile_seconds
            row.versions = event.description.versions
            folder.describe(row.backend, asdict(event.description))
        case Judged():
            row.take_judgement(**event.model_dump(exclude={"event"}))
            row.status = REFUSALS.get(row.parity_verdict, row.status)
        case EpochDone():
            row.add_epoch(**event.model_dump(exclude={"event"}))
            folder.add_epoch(row, event)
        case Sample():
            folder.add_sample(row, event)
        case Saved():
            folder.keep_checkpoint(row, event)
        case Failed():
            row.status = FAILURES.get(event.kind, "failed")
            row.reason = event.reason
        case Done() if row.status == "running":
            row.peak_memory_mb = event.peak_memory_mb
            row.device_memory_mb = event.device_memory_mb
            row.status = "ok"
            if row.divergence:
                row.status, row.reason = "diverged", row.divergence
