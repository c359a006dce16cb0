"""``predict``: text from a checkpoint, by any backend."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import backends
from common.checkpoint import load_checkpoint
from common.errors import RequestError
from harness.process import Worker
from harness.run import select


@dataclass(frozen=True)
class Prediction:
    """What one backend wrote after a prefix."""

    backend: str
    variant: str
    prefix: str
    text: str


class PredictionError(RuntimeError):
    """A backend could not be run; the message is one line."""


def predict(
    checkpoint: Path,
    names: tuple[str, ...],
    variants: tuple[str, ...],
    prefixes: tuple[str, ...],
    num_preds: int | None,
    device: str,
) -> list[Prediction]:
    """Continue prefixes with the network of a checkpoint, in every backend asked for.

    Raises:
        RequestError: the checkpoint or a prefix is not usable.
        PredictionError: a backend is not available or failed.
    """
    loaded = load_checkpoint(checkpoint)
    experiment = loaded.experiment.model_copy(update={"device": device})
    prefixes = prefixes or experiment.prefixes
    for prefix in prefixes:
        loaded.vocab.check_prefix(prefix)
    predictions = []
    for name, variant in select(names, variants):
        if reason := backends.missing(name):
            raise PredictionError(f"{name}: {reason}")
        with (
            tempfile.TemporaryDirectory() as folder,
            Worker(name, experiment, Path(folder) / "log") as worker,
        ):
            events = worker.ask(
                "predict",
                checkpoint=str(checkpoint),
                variant=variant,
                prefixes=prefixes,
                num_preds=experiment.num_preds if num_preds is None else num_preds,
                device=device,
            )
            for event in events:
                if event["event"] == "failed":
                    kind = RequestError if event["kind"] == "request" else PredictionError
                    raise kind(f"{name}: {event['reason']}")
                if event["event"] == "sample":
                    predictions.append(Prediction(name, variant, event["prefix"], event["text"]))
    return predictions
