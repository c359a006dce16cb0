"""Worker's side of ``predict``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.checkpoint import load_checkpoint
from common.experiment import Experiment
from common.interface import Backend

Event = dict[str, Any]


def predict_text(backend: Backend, request: Event) -> Iterator[Event]:
    """Continue prefixes with the network of a checkpoint."""
    checkpoint = load_checkpoint(Path(request["checkpoint"]))
    settings = checkpoint.experiment.model_dump() | request["settings"]
    model = backend.build(Experiment.of(settings), request["variant"], checkpoint.weights)
    for prefix in request["prefixes"]:
        text = model.predict(prefix, request["num_preds"], checkpoint.vocab)
        yield {"event": "sample", "epoch": checkpoint.epoch, "prefix": prefix, "text": text}
