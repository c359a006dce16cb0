"""The variant `compiled`: the fastest form that a framework documents, the same network."""

import pytest

import backends
from common.errors import UnavailableError
from common.parity import over_tolerance
from common.parity_grid import cases, check
from common.training import warm_up
from common.weights import draw_weights
from rnn_rosetta_suite.test_contract import experiment, random_batches, shorter

HAVE_IT = [name for name, entry in backends.BACKENDS.items() if entry.timed_on_request]
SHOWN = ["tanh, clipping binds, carried state", "relu, clipping is loose, carried state"]


def build(framework, settings, weights):
    """The network, or a skip where it cannot be compiled."""
    try:
        return backends.load(framework).build(settings, "compiled", weights)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("framework", HAVE_IT)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equals_the_reference(framework, dtype, only):
    only(framework)
    for case in cases(dtype):
        if case.name in SHOWN:
            case = shorter(case)
            errors = check(lambda *given: build(framework, *given), case, steps=12)
            assert over_tolerance(errors, dtype) == {}


@pytest.mark.parametrize("framework", HAVE_IT)
def test_nothing_is_compiled_after_warming_up(framework, only):
    only(framework)
    model = build(framework, experiment(), draw_weights(11, 16))
    before = backends.load(framework).compilations()
    warm_up(model, [(4, 4)])
    compiled = backends.load(framework).compilations()
    assert compiled > before
    state = model.begin_state(4)
    for X, Y in random_batches(3):
        _, state = model.train_step(X, Y, state)
    assert backends.load(framework).compilations() == compiled


def test_without_a_compiler_it_says_so(only, monkeypatch):
    only("torch")
    module = backends.load("torch")
    from torch._inductor import config

    module.compiled.check_compiler.cache_clear()
    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(UnavailableError, match=r"torch\.compile does not work here: .*compiler"):
        module.build(experiment(), "compiled", draw_weights(11, 16))
    module.compiled.check_compiler.cache_clear()
