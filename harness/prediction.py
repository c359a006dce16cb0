"""``predict``: text from a checkpoint, by any backend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.checkpoint import load_checkpoint
from harness.interpreters import brief_worker, missing
from harness.process import WorkerError
from harness.run import select


@dataclass(frozen=True)
class Prediction:
    """What one backend wrote after a prefix."""

    backend: str
    variant: str
    prefix: str
    text: str


def predict(
    checkpoint: Path,
    names: tuple[str, ...],
    variants: tuple[str, ...],
    prefixes: tuple[str, ...],
    num_preds: int | None,
    device: str,
    pythons: dict[str, Path],
) -> list[Prediction]:
    """Continue prefixes with the network of a checkpoint.

    In every backend asked for; in every available one, if none is.

    Raises:
        RequestError: the checkpoint or a prefix is not usable.
        WorkerError: a backend is not available or failed.
    """
    loaded = load_checkpoint(checkpoint)
    experiment = loaded.experiment.model_copy(update={"device": device})
    prefixes = prefixes or experiment.prefixes
    for prefix in prefixes:
        loaded.vocab.check_prefix(prefix)
    predictions = []
    for name, variant in select(names, variants):
        if reason := missing(name, pythons):
            if not names:
                continue
            raise WorkerError("unavailable", f"{name}: {reason}")
        with brief_worker(name, pythons, experiment) as worker:
            events = worker.answers(
                "predict",
                checkpoint=str(checkpoint),
                variant=variant,
                prefixes=prefixes,
                num_preds=experiment.num_preds if num_preds is None else num_preds,
                device=device,
            )
            for event in events:
                if event["event"] == "sample":
                    predictions.append(Prediction(name, variant, event["prefix"], event["text"]))
    return predictions
