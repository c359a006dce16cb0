"""``predict``: text from a checkpoint, by any backend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backends
from common.checkpoint import load_checkpoint
from common.experiment import Experiment
from harness.checks import select, unseen_by
from harness.console import note
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker, missing
from harness.workers.placement import placed
from harness.workers.protocol import Sample
from harness.workers.requests import Predict


@dataclass(frozen=True)
class Prediction:
    """Text that one backend wrote after a prefix."""

    backend: str
    variant: str
    prefix: str
    text: str


def predict(
    checkpoint: Path,
    names: tuple[str, ...],
    variants: tuple[str, ...],
    prefixes: tuple[str, ...],
    settings: dict[str, Any],
    pythons: dict[str, Path],
) -> list[Prediction]:
    """Continue prefixes with the network of a checkpoint.

    In every backend asked for; in every available one, if none is. The settings given replace those
    of the checkpoint.

    Raises:
        RequestError: the checkpoint, a prefix or a setting is not usable.
        WorkerError: a backend that was asked for is not available, or one failed.
    """
    loaded, settings = load_checkpoint(checkpoint), {"devices": 1} | settings
    experiment = Experiment.of(loaded.experiment.model_dump() | settings)
    prefixes = prefixes or experiment.prefixes
    for prefix in prefixes:
        loaded.vocab.check_prefix(prefix)
    note(unseen_by(loaded.vocab, prefixes))
    pairs = select(names, variants)
    device = placed(experiment, [name for name, _ in pairs], pythons).device
    experiment = experiment.model_copy(update={"device": device})
    predictions = []
    for name, variant in pairs:
        if reason := missing(name, pythons) or backends.beyond(name, experiment):
            if not names:
                continue
            raise WorkerError("unavailable", f"{name}: {reason}")
        request = Predict(
            checkpoint=str(checkpoint),
            variant=variant,
            prefixes=prefixes,
            settings=settings | {"device": device},
        )
        try:
            with brief_worker(name, pythons, experiment) as worker:
                for event in worker.answers(request):
                    if isinstance(event, Sample):
                        predictions.append(Prediction(name, variant, event.prefix, event.text))
        except WorkerError as error:
            if names or error.kind != "unavailable":
                raise
            note(f"{name}: {error}")
    return predictions
