"""The variants `compiled`: the fastest forms that a framework documents, the same network."""

import shutil

import pytest

import backends
from common.errors import UnavailableError
from common.parity import over_tolerance
from common.parity_grid import cases, check
from common.training import warm_up
from common.weights import draw_weights
from rnn_rosetta_suite.haste import in_haste_if_exact
from rnn_rosetta_suite.test_contract import VOCAB_SIZE, experiment, random_batches, shorter

HAVE_IT = [
    (name, variant)
    for name, entry in backends.BACKENDS.items()
    for variant in entry.timed_on_request
]
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # its own use
SHOWN = ["tanh, clipping binds, carried state", "relu, clipping is loose, carried state"]


def build(framework, variant, settings, weights):
    """The network, or a skip where there is no C++ compiler, which PyTorch needs."""
    if framework == "torch" and not shutil.which("g++"):
        pytest.skip("no C++ compiler here")
    return backends.load(framework).build(settings, variant, weights)


@pytest.mark.parametrize(("framework", "variant"), HAVE_IT)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equals_the_reference(framework, variant, dtype, only):
    only(framework)
    for case in cases(dtype):
        if case.name in SHOWN:
            with in_haste_if_exact(framework, dtype):
                errors = check(
                    lambda *given: build(framework, variant, *given), shorter(case), steps=12
                )
            assert over_tolerance(errors, dtype) == {}


@pytest.mark.parametrize(("framework", "variant"), HAVE_IT)
def test_nothing_is_compiled_after_warming_up(framework, variant, only):
    only(framework)
    model = build(framework, variant, experiment(), draw_weights(VOCAB_SIZE, 16))
    warm_up(model, [(4, 4)])
    compiled = backends.load(framework).compilations()
    assert compiled > 0
    state = model.begin_state(4)
    for X, Y in random_batches(3):
        _, state = model.train_step(X, Y, state)
    assert backends.load(framework).compilations() == compiled


@pytest.mark.filterwarnings("ignore:dynamo_pgo")
def test_without_a_compiler_it_says_so(only):
    only("torch")
    module = backends.load("torch")
    import torch
    from torch._inductor import config

    torch.compiler.reset()
    module.compiled.check_compiler.cache_clear()
    none = config.patch({"force_disable_caches": True, "cpp.cxx": ("no-such-compiler",)})
    said = r"torch\.compile does not work here: .*compiler"
    with none, pytest.raises(UnavailableError, match=said):
        module.build(experiment(), "compiled", draw_weights(VOCAB_SIZE, 16))
    module.compiled.check_compiler.cache_clear()
