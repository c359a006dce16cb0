"""Worker's side of a run: build, judge, train, write, save."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path

from common.batches import Batch, SeqDataLoader
from common.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from common.inputs import first_weights, load_batches
from common.judging import judge_before_training
from common.training import train, warm_up
from harness.workers.protocol import Built, EpochDone, Event, Judged, Sample
from harness.workers.requests import Train
from harness.workers.session import Session


def train_model(session: Session, request: Train) -> Iterator[Event]:
    """Train a network from its first weights to its last epoch, or until it diverges."""
    experiment, backend = request.experiment, session.backend
    loader, vocab = load_batches(experiment, request.data_dir)
    if request.resume:
        saved = load_checkpoint(Path(request.resume))
        weights, done = saved.weights, saved.epoch
    else:
        weights, done = first_weights(experiment, len(vocab)), 0
    model = backend.build(experiment, request.variant, weights)
    start = time.perf_counter()
    warm_up(model, loader.shapes())
    compile_seconds = time.perf_counter() - start
    yield Built(
        device=model.device, compile_seconds=compile_seconds, description=backend.describe()
    )
    batches = preflight_batches(loader)
    judgement = judge_before_training(model, weights, experiment, batches, vocab)
    yield Judged(**judgement.summary())
    if not judgement.trains:
        return
    model.load_weights(weights)
    epoch = None
    for epoch in train(model, loader, experiment, done):
        yield EpochDone(**asdict(epoch))
        if epoch.epoch % experiment.pred_period == 0 or epoch.epoch == experiment.num_epochs:
            for prefix in experiment.prefixes:
                text = model.predict(prefix, experiment.num_preds, vocab)
                yield Sample(epoch=epoch.epoch, prefix=prefix, text=text)
    assert epoch is not None  # there is at least one epoch left: the harness has checked
    checkpoint = Checkpoint(experiment, vocab, epoch.epoch, model.weights())
    if not session.following:
        save_checkpoint(Path(request.checkpoint), checkpoint)


def preflight_batches(loader: SeqDataLoader) -> list[Batch]:
    """Three batches of one shape from the first epoch, some twice where it has fewer, and its last.

    The last is smaller than the others where windows slide.
    """
    epoch = [*loader.epoch(1)]
    alike = [batch for batch in epoch[:3] if batch[0].shape == epoch[0][0].shape]
    return [*islice(cycle(alike), 3), epoch[-1]]
