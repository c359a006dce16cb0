"""Worker's side of a run: build, judge, train, write, save."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from common.after_training import judge_after_training
from common.batches import Batch, SeqDataLoader
from common.checkpoint import Checkpoint, Middle, load_checkpoint, save_checkpoint
from common.inputs import first_weights, load_batches
from common.interface import Model
from common.judging import judge_before_training
from common.shards import world_size
from common.training import Epoch, Underway, train_on, warm_up
from common.weights import Weights
from harness.run.checkpoints import OnTheWay
from harness.workers.protocol import Built, EpochDone, Event, Judged, Phase, Sample, Saved
from harness.workers.requests import WAITS, Train
from harness.workers.session import Session
from harness.workers.signs import SIGN_SECONDS, Signs

SHARE = 100
"""Times that a checkpoint's own time passes before the next is due: it costs less than 1 %."""


def train_model(session: Session, request: Train) -> Iterator[Event]:
    """Train a network from its first weights to its last epoch, or until it diverges.

    It is judged before and after. One that was cut off is built and judged as it was before, and
    then goes on.
    """
    experiment, backend = request.experiment, session.backend
    yield Phase(doing="reading the text")
    loader, vocab = load_batches(experiment, request.data_dir, request.sha256, request.indices)
    if request.resume:
        saved = load_checkpoint(Path(request.resume))
        weights, done = saved.weights, saved.epoch
    else:
        weights, done = first_weights(experiment, len(vocab)), 0
    yield Phase(doing="building")
    placed = experiment.model_copy(update={"device": request.device})
    model = session.build(placed, request.variant, weights)
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
    underway = Underway(done + 1)
    if request.goes_on:
        underway = taken_up(model, load_checkpoint(Path(request.goes_on)))
    if request.waits:
        model.synchronize()
        yield WAITS
        session.wait_to_begin()
    network = Checkpoint(experiment, vocab, underway.number - 1, weights)
    if session.following:  # rank 0 saves, by its own clock
        request = request.model_copy(update={"checkpoint_seconds": math.inf})
    trained = yield from training(model, loader, network, underway, request)
    if finite(trained.weights) and not session.following:
        save_checkpoint(Path(request.checkpoint), trained)
    judgement = judge_after_training(model, experiment, batches[:2], vocab)
    yield Judged(trained=True, **judgement.summary())


def training(
    model: Model, loader: SeqDataLoader, network: Checkpoint, underway: Underway, request: Train
) -> Generator[Event, None, Checkpoint]:
    """The training itself, from wherever it stands; returns what was trained.

    Args:
        model: as it stands.
        loader: gives the batches.
        network: the settings and the vocabulary.
        underway: the epoch to go on with.
        request: says where checkpoints go, and how often.
    """
    experiment, wait = network.experiment, request.checkpoint_seconds
    on_the_way = OnTheWay(Path(request.checkpoint))
    signs, saved = Signs(loader), time.monotonic()
    epoch = underway.number - 1
    for event in train_on(model, loader, experiment, underway, min(SIGN_SECONDS, wait)):
        if isinstance(event, Epoch):
            epoch, place = event.epoch, Underway(event.epoch + 1)
            yield EpochDone(**asdict(event))
            if epoch % experiment.pred_period == 0 or epoch == experiment.num_epochs:
                for prefix in experiment.prefixes:
                    text = model.predict(prefix, experiment.num_preds, network.vocab)
                    yield Sample(epoch=epoch, prefix=prefix, text=text)
        else:
            place = event
            if signs.due():
                yield signs.progress(place)
        if place.losses and (experiment.keep_graph or world_size() > 1):
            continue  # nobody can write down a graph, or alone a state that processes share
        start = time.monotonic()
        if start - saved >= wait and place.number <= experiment.num_epochs:
            here = checkpoint(model, place, network)
            if finite(here.weights):
                at = here.epoch, len(place.losses)
                save_checkpoint(on_the_way.written(at), here)
                yield Saved(epochs=at[0], steps=at[1])
            saved = time.monotonic()
            if request.checkpoint_seconds:
                wait = max(request.checkpoint_seconds, SHARE * (saved - start))
    return replace(network, epoch=epoch, weights=model.weights())


def checkpoint(model: Model, place: Underway, network: Checkpoint) -> Checkpoint:
    """Checkpoint of a training as it stands."""
    middle = None
    if place.losses:
        carried = network.experiment.carries_state
        state = model.read_state(place.state) if carried else None
        middle = Middle(place.read_losses(), np.array(place.tokens), state, place.seconds)
    return replace(network, epoch=place.number - 1, weights=model.weights(), middle=middle)


def taken_up(model: Model, saved: Checkpoint) -> Underway:
    """The epoch that was under way when a checkpoint was written; the model stands there again."""
    model.load_weights(saved.weights)
    number, middle = saved.epoch + 1, saved.middle
    if not middle:
        return Underway(number)
    state = None if middle.state is None else model.write_state(middle.state)
    return Underway(number, state, middle.losses.tolist(), middle.tokens.tolist(), middle.seconds)


def finite(weights: Weights) -> bool:
    """True if a network can be gone on with: all its weights are finite numbers."""
    return all(np.isfinite(w).all() for w in weights.values())


def preflight_batches(loader: SeqDataLoader) -> list[Batch]:
    """Three batches of one shape from the first epoch, some twice where it has fewer, and its last.

    The last is smaller than the others where windows slide.
    """
    first = [*islice(loader.epoch(1), 3)]
    alike = [batch for batch in first if batch[0].shape == first[0][0].shape]
    return [*islice(cycle(alike), 3), next(loader.epoch(1, len(loader) - 1))]
