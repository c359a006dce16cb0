"""The contract: every backend and variant against the reference. Registering is joining."""

from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest

import backends
from common.errors import DeviceError, RequestError, unknown
from common.experiment import Experiment
from common.inputs import first_weights, load_batches
from common.parity import errors, first_step, over_tolerance
from common.parity_grid import EXERCISES, Case, cases, check
from common.reference import Reference
from common.sources import available
from common.training import train, warm_up
from common.variants import unsupported
from common.weights import draw_weights
from harness.recipes import experiment_of
from rnn_rosetta_suite.fixtures import able, variants
from rnn_rosetta_suite.haste import in_haste_if_exact

VOCAB_SIZE = 13
"""Not that of the grid: what is compiled in haste, the grid must not meet."""
STEPS = 4
"""A first, a last and two between; the command has six, and what is unrolled compiles longer."""


def experiment(**settings):
    return Experiment(**{"num_hiddens": 16, "batch_size": 4, "num_steps": STEPS} | settings)


def exact(backend, **settings):
    """Settings in float64, where the backend has it; skips the test where it cannot."""
    return experiment(**able(backend, dtype="float64", **settings))


def with_settings(case, **settings):
    return replace(case, experiment=case.experiment.model_copy(update=settings))


def shorter(case):
    return with_settings(case, num_steps=min(STEPS, case.experiment.num_steps))


def random_batches(count):
    return Case("", experiment(), VOCAB_SIZE).batches(count)


def build(backend, variant, settings, weights):
    return backends.load(backend).build(settings, variant, weights)


# float64 shows what is computed; in float32 it is enough that every kind of product is small.
FLOAT32 = {"tanh, clipping binds, fresh state", "relu, clipping is loose, carried state"}
FLOAT32 |= {"vocabulary of 1,027"}
LONG = "window of 40 steps"  # shortened, it is another case once more
CHAPTER = [shorter(case) for case in cases("float64") if case.name not in {*EXERCISES, LONG}]
BEYOND = [shorter(case) for case in cases("float64") if case.name in EXERCISES]
SINGLE = [shorter(case) for case in cases("float32") if case.name in FLOAT32]
# Every value of every setting once; each run holds its own settings against it before it begins.
ONCE = {"tanh, clipping is loose, carried state", "relu, clipping binds, fresh state"}
ONCE |= {case.name for case in CHAPTER if "state" not in case.name} - {"no clipping", "he_normal"}
WITH = {
    "one step": {"clip_theta": 0},
    "batch of one": {"init": "he_normal", "lr": 0.1},
}
"""Settings of those two that have no case of their own here: each case is compiled anew."""
FEW = [with_settings(case, **WITH.get(case.name, {})) for case in CHAPTER if case.name in ONCE]
FEW += SINGLE[-1:]


def named(case):
    return f"{case.name}, {case.experiment.dtype}"


def errors_over_tolerance(backend, variant, case):
    """What is over."""
    settings = able(backend, **case.experiment.model_dump(exclude_unset=True))
    case = replace(case, experiment=Experiment(**settings))
    with in_haste_if_exact(backend, settings["dtype"]):
        errors = check(lambda *given: build(backend, variant, *given), case, steps=12)
    return over_tolerance(errors, case.experiment.dtype)


@pytest.mark.variants("scratch")
@pytest.mark.parametrize("case", CHAPTER + SINGLE, ids=named)
def test_equals_the_reference(backend, variant, case):
    assert errors_over_tolerance(backend, variant, case) == {}


@pytest.mark.variants("fused", "concise", "object", "book")
@pytest.mark.parametrize("case", FEW, ids=named)
def test_the_other_variants_equal_the_reference(backend, variant, case):
    assert errors_over_tolerance(backend, variant, case) == {}


@pytest.mark.parametrize("case", BEYOND, ids=named)
def test_the_exercises_equal_the_reference(backend, case):
    """By scratch alone: the other variants are the chapter's network, and say so."""
    for variant in variants(backends.entry(backend)):
        if unsupported(case.experiment, variant):
            with pytest.raises(RequestError, match="the chapter's network alone"):
                build(backend, variant, case.experiment, case.weights())
    if "scratch" in backends.entry(backend).variants:
        assert errors_over_tolerance(backend, "scratch", case) == {}


@pytest.mark.variants("scratch", "fused")
def test_a_large_minibatch_is_added_up_exactly_enough(backend, variant):
    """32,768 tokens: what adds them one by one in float32, as Keras does, is over tolerance."""
    settings = experiment_of("chapter-9", able(backend, corpus="embedded"))
    loader, vocab = load_batches(settings, None)
    weights = first_weights(settings, len(vocab))
    model = build(backend, variant, settings, weights)
    batches = list(islice(loader.epoch(1), 2))
    expected = first_step(Reference(settings, weights), batches)
    assert over_tolerance(errors(first_step(model, batches), expected), "float32") == {}


@pytest.mark.usefixtures("hasty")
def test_dtypes_and_shapes(backend, variant):
    for dtype in backends.entry(backend).dtypes:
        model = build(backend, variant, experiment(dtype=dtype), draw_weights(VOCAB_SIZE, 16))
        ((X, Y),) = random_batches(1)
        state = model.begin_state(4)
        logits, state = model.forward(X, state)
        loss, grads, _ = model.loss_and_grads(X, Y, state)
        assert logits.shape == (4 * STEPS, VOCAB_SIZE)
        assert logits.dtype == dtype
        assert model.read_state(state).shape == (1, 4, 16)
        assert isinstance(loss, float)
        assert {n: (g.shape, g.dtype) for n, g in grads.items()} == {
            n: (w.shape, np.dtype(dtype)) for n, w in model.weights().items()
        }


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("settings", [{}, {"keep_graph": True, "num_layers": 2}], ids=str)
def test_warming_up_changes_nothing_and_compiles_every_shape(backend, variant, settings):
    asked = exact(backend, **settings)
    if unsupported(asked, variant):
        pytest.skip("the chapter's network alone")
    weights = first_weights(asked, VOCAB_SIZE)
    model = build(backend, variant, asked, weights)
    warm_up(model, [(4, STEPS), (3, STEPS)])
    for name, w in model.weights().items():
        np.testing.assert_array_equal(w, weights[name])
    compiled = backends.load(backend).compilations()
    state = model.begin_state(4)
    for X, Y in random_batches(2):
        _, state = model.train_step(X, Y, state)
        model.train_step(X[:3], Y[:3], model.begin_state(3))
    assert backends.load(backend).compilations() == compiled


@pytest.mark.usefixtures("hasty")
def test_what_is_read_stays(backend, variant):
    """Weights, gradients and states that were read do not change under later steps."""
    model = build(backend, variant, exact(backend), draw_weights(VOCAB_SIZE, 16, sigma=0.5))
    (X, Y), (X2, Y2) = random_batches(2)
    _, grads, state = model.loss_and_grads(X, Y, model.begin_state(4))
    read = (
        {"H": model.read_state(state)} | grads | {f"w {n}": w for n, w in model.weights().items()}
    )
    kept = {name: array.copy() for name, array in read.items()}
    model.train_step(X2, Y2, state)
    for name, array in kept.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name)


def test_an_absent_gpu_is_the_users_fault(backend, variant):
    if len(backends.load(backend).describe().devices) > 1:
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match="--device gpu"):
        build(backend, variant, exact(backend, device="gpu"), draw_weights(VOCAB_SIZE, 16))


def test_an_unknown_variant_is_the_users_fault(backend):
    with pytest.raises(RequestError) as caught:
        build(backend, "fusd", exact(backend), draw_weights(VOCAB_SIZE, 16))
    entry = backends.entry(backend)
    known = [*variants(entry), *entry.timed_on_request]
    assert str(caught.value) == str(unknown("variant", "fusd", known))


def test_describes_itself(backend):
    description = backends.load(backend).describe()
    assert description.devices[0] == "cpu"
    assert not description.tf32
    assert set(backends.entry(backend).distributions) <= set(description.versions)


@cache
def reference_epochs():
    corpus = "embedded" if available("time-machine") else "time-machine"
    settings = experiment_of("time-machine", {"num_epochs": 2, "corpus": corpus})
    loader, vocab = load_batches(settings)
    weights = first_weights(settings, len(vocab))
    reference = train(Reference(settings, weights), loader, settings)
    return settings, weights, loader, [epoch.perplexity for epoch in reference]


@pytest.mark.variants("scratch", "fused")
def test_two_epochs_of_the_time_machine_in_float64(backend, variant):
    found, expected = two_epochs(backend, variant, "float64")
    assert found == pytest.approx(expected, rel=1e-9)


def test_two_epochs_of_the_time_machine(backend, variant):
    found, expected = two_epochs(backend, variant, "float32")
    assert found == pytest.approx(expected, rel=1e-4)


def two_epochs(backend, variant, dtype):
    """The perplexities of a backend's two epochs, and those of the reference."""
    if dtype not in backends.entry(backend).dtypes:
        pytest.skip(f"{backend} does not compute in {dtype}")
    settings, weights, loader, expected = reference_epochs()
    settings = settings.model_copy(update={"dtype": dtype})
    with in_haste_if_exact(backend, dtype):
        epochs = train(build(backend, variant, settings, weights), loader, settings)
        return [epoch.perplexity for epoch in epochs], expected
