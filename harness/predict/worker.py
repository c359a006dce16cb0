"""Worker's side of ``predict``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from common.checkpoint import load_checkpoint
from common.experiment import Experiment
from harness.workers.protocol import Event, Sample
from harness.workers.requests import Predict
from harness.workers.session import Session


def predict_text(session: Session, request: Predict) -> Iterator[Event]:
    """Continue prefixes with the network of a checkpoint."""
    saved = load_checkpoint(Path(request.checkpoint))
    experiment = Experiment.of(saved.experiment.model_dump() | request.settings)
    model = session.build(experiment, request.variant, saved.weights)
    for prefix in request.prefixes:
        text = model.predict(prefix, experiment.num_preds, saved.vocab)
        yield Sample(epoch=saved.epoch, prefix=prefix, text=text)
