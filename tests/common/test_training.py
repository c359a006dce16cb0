import numpy as np
import pytest

from common.batches import SeqDataLoader
from common.experiment import Experiment
from common.metrics import perplexity
from common.reference import Reference
from common.training import evaluate, run_epoch, train
from common.weights import draw_weights

CORPUS = np.tile(np.arange(5, dtype=np.uint8), 40)


def setup(**settings):
    experiment = Experiment(
        **{"batch_size": 4, "num_steps": 6, "num_hiddens": 8, "num_epochs": 3} | settings
    )
    loader = SeqDataLoader(CORPUS, 4, 6, experiment.sampling)
    return Reference(experiment, draw_weights(5, 8, sigma=0.3)), loader, experiment


class Recorder:
    """Steps that only remember which state they were given."""

    def __init__(self):
        self.states = []

    def begin_state(self, batch_size):
        return f"zeros of {batch_size}"

    def step(self, X, Y, state):
        self.states.append(state)
        return len(self.states), "carried"


def test_the_state_is_carried_or_begun_anew():
    X = np.zeros((2, 3))
    for use_random_iter, expected in (
        (False, ["zeros of 2", "carried"]),
        (True, ["zeros of 2"] * 2),
    ):
        recorder = Recorder()
        run_epoch(recorder.begin_state, recorder.step, [(X, X)] * 2, use_random_iter)
        assert recorder.states == expected


def test_perplexity_is_weighted_by_tokens():
    recorder = Recorder()
    small, large = np.zeros((1, 2)), np.zeros((4, 2))
    total = run_epoch(recorder.begin_state, recorder.step, [(small, small), (large, large)], True)
    assert total == (1 * 2 + 2 * 8, 10)
    assert perplexity(*total) == pytest.approx(np.exp(1.8))


def test_it_learns_and_validation_is_only_where_there_is_some():
    for sampling in ("sequential", "random", "sliding"):
        model, loader, experiment = setup(sampling=sampling, num_epochs=40)
        epochs = list(train(model, loader, experiment))
        assert [e.epoch for e in epochs] == list(range(1, 41))
        assert epochs[-1].perplexity < 1.05 < epochs[0].perplexity
        assert (epochs[-1].val_perplexity is None) == (sampling != "sliding")


def test_validation_begins_every_batch_at_zero():
    model, loader, _ = setup(sampling="sliding")
    batches = list(loader.validation())
    weights = [Y.size for _, Y in batches]
    each = [np.log(evaluate(model, [batch])) for batch in batches]
    assert evaluate(model, batches) == pytest.approx(np.exp(np.average(each, weights=weights)))


def test_divergence_ends_the_training_with_its_curve_kept():
    model, loader, experiment = setup(
        activation="relu", lr=1e6, clip_theta=0, num_epochs=50, num_hiddens=8
    )
    with np.errstate(all="ignore"):
        epochs = list(train(model, loader, experiment))
    assert len(epochs) < 50
    assert not np.isfinite(epochs[-1].perplexity)
    assert all(np.isfinite(e.perplexity) for e in epochs[:-1])
