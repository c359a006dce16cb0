"""The contract suite: every registered backend, against the reference. Registering is joining."""

import itertools
from functools import cache

import numpy as np
import pytest

import backends
from common.batches import SeqDataLoader
from common.errors import RequestError
from common.experiment import Experiment
from common.parity import TOLERANCES, drift, greedy_text, one_step
from common.training import train
from common.vocab import Vocab
from common.weights import draw_weights

VOCAB = Vocab("abcdefghijk", order="sorted")


def experiment(**settings):
    return Experiment(**{"num_hiddens": 16, "batch_size": 4, "num_steps": 6} | settings)


def random_batches(count, vocab_size, batch_size, num_steps, seed=0):
    tokens = np.random.default_rng(seed).integers(
        vocab_size, size=(count, batch_size, num_steps + 1), dtype=np.uint16
    )
    return [(each[:, :-1], each[:, 1:]) for each in tokens]


def build(backend, settings, weights, variant="scratch"):
    return backends.load(backend).build(settings, variant, weights)


def errors_of(backend, settings, vocab_size=11, steps=12, scale=0.3):
    """Every error of a backend in one experiment; weights large enough that each part matters."""
    weights = draw_weights(vocab_size, settings.num_hiddens, settings.init, scale, seed=3)
    rng = np.random.default_rng(4)
    weights |= {n: rng.standard_normal(weights[n].shape) * 0.1 for n in ("b_h", "b_q")}
    shape = settings.batch_size, settings.num_steps
    batches = random_batches(steps, vocab_size, *shape)
    one = one_step(build(backend, settings, weights), weights, settings, batches)
    if vocab_size == len(VOCAB):
        one |= greedy_text(build(backend, settings, weights), weights, settings, VOCAB, "abc")
    many = drift(build(backend, settings, weights), weights, settings, batches)
    return one, many


def over_tolerance(backend, settings, **options):
    one, many = errors_of(backend, settings, **options)
    step, far = TOLERANCES[settings.dtype]
    return {n: e for n, e in one.items() if not e <= step} | {
        n: e for n, e in many.items() if not e <= far
    }


GRID = {
    f"{act}-{clip}-{sampling}": {"activation": act, "clip_theta": theta, "sampling": sampling}
    for act, (clip, theta), sampling in itertools.product(
        ("tanh", "relu"), (("binds", 0.05), ("loose", 50.0)), ("sequential", "random")
    )
}
GRID |= {
    "no-clipping": {"clip_theta": 0},
    "batch-of-one": {"batch_size": 1},
    "one-step": {"num_steps": 1},
    "he-normal": {"init": "he_normal"},
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", GRID)
def test_equals_the_reference(backend, case, dtype):
    assert over_tolerance(backend, experiment(**GRID[case], dtype=dtype, lr=0.2)) == {}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equals_the_reference_with_a_large_vocabulary(backend, dtype):
    settings = experiment(dtype=dtype, clip_theta=0.01, lr=100.0, batch_size=3)
    assert over_tolerance(backend, settings, vocab_size=1027, scale=0.01) == {}


def test_dtypes_and_shapes(backend):
    for dtype in ("float32", "float64"):
        model = build(backend, experiment(dtype=dtype), draw_weights(len(VOCAB), 16))
        ((X, Y),) = random_batches(1, len(VOCAB), 4, 6)
        state = model.begin_state(4)
        logits, state = model.forward(X, state)
        loss, grads, _ = model.loss_and_grads(X, Y, state)
        assert logits.shape == (24, len(VOCAB))
        assert logits.dtype == dtype
        assert model.read_state(state).shape == (4, 16)
        assert isinstance(loss, float)
        assert {n: (g.shape, g.dtype) for n, g in grads.items()} == {
            n: (w.shape, np.dtype(dtype)) for n, w in model.weights().items()
        }


def test_warming_up_changes_nothing_and_compiles_every_shape(backend):
    weights = draw_weights(len(VOCAB), 16, sigma=0.5)
    model = build(backend, experiment(dtype="float64"), weights)
    model.warm_up([(4, 6), (3, 6)])
    for name, w in model.weights().items():
        np.testing.assert_array_equal(w, weights[name])


def test_what_is_read_stays(backend):
    """Weights, gradients and states that were read do not change under later steps."""
    model = build(backend, experiment(dtype="float64"), draw_weights(len(VOCAB), 16, sigma=0.5))
    (X, Y), (X2, Y2) = random_batches(2, len(VOCAB), 4, 6)
    _, grads, state = model.loss_and_grads(X, Y, model.begin_state(4))
    read = (
        {"H": model.read_state(state)} | grads | {f"w {n}": w for n, w in model.weights().items()}
    )
    kept = {name: array.copy() for name, array in read.items()}
    model.train_step(X2, Y2, state)
    for name, array in kept.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name)


def test_an_absent_gpu_is_the_users_fault(backend):
    if len(backends.load(backend).describe().devices) > 1:
        pytest.skip("there is a GPU")
    with pytest.raises(RequestError, match="--device gpu"):
        build(backend, experiment(device="gpu"), draw_weights(len(VOCAB), 16))


def test_describes_itself(backend):
    description = backends.load(backend).describe()
    assert description.devices[0] == "cpu"
    assert not description.tf32
    assert set(backends.entry(backend).distributions) <= set(description.versions)


@cache
def reference_epochs(dtype):
    from common.corpus import load_corpus
    from common.reference import Reference
    from harness.recipes import experiment_of

    settings = experiment_of("time-machine", {"num_epochs": 2, "dtype": dtype})
    indices, vocab = load_corpus("time-machine", max_tokens=settings.max_tokens)
    weights = draw_weights(len(vocab), settings.num_hiddens, settings.init, settings.sigma, 0)
    loader = SeqDataLoader(indices, settings.batch_size, settings.num_steps, settings.sampling, 0)
    reference = train(Reference(settings, weights), loader, settings)
    return settings, weights, loader, [epoch.perplexity for epoch in reference]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-9)])
def test_two_epochs_of_the_time_machine(backend, dtype, tolerance):
    settings, weights, loader, expected = reference_epochs(dtype)
    epochs = train(build(backend, settings, weights), loader, settings)
    assert [epoch.perplexity for epoch in epochs] == pytest.approx(expected, rel=tolerance)
