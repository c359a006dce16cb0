"""Texts of every backend and variant: those of the reference, however long, greedy and drawn."""

from dataclasses import replace

import numpy as np
import pytest

import backends
from common.errors import RequestError
from common.experiment import Experiment
from common.generation import CHUNK
from common.parity_grid import EMBEDDING, Case
from common.reference import Reference
from common.variants import unsupported
from common.vocab import UNK
from rnn_rosetta_suite.fixtures import able
from rnn_rosetta_suite.haste import in_haste_if_exact

DRAWN = {"decode": "sample", "alpha": 1.5, "temperature": 0.7}
CASES = {
    "greedy": {},
    "greedy, relu": {"activation": "relu"},
    "drawn": DRAWN,
    "two layers": {"num_layers": 2},
    "two layers, relu, drawn": {"num_layers": 2, "activation": "relu"} | DRAWN,
    "embedding, drawn": EMBEDDING | DRAWN,
    "embedding, two layers": EMBEDDING | {"num_layers": 2},
}
LENGTH = 60
LONG = "".join("abcdefghij"[i] for i in np.random.default_rng(0).integers(10, size=CHUNK + 70))
"""More than one call of a loop reads."""


def case_of(backend, **settings):
    """Weights under which a text does not soon repeat itself, and no state grows with it."""
    experiment = Experiment(**{"num_hiddens": 12} | able(backend, **settings))
    sigma = 0.6 if experiment.activation == "tanh" else 0.4
    return Case("", experiment, vocab_size=11, sigma=sigma)


def expected(case, prefix, num_preds):
    return Reference(case.experiment, case.weights()).predict(prefix, num_preds, case.vocab())


def text_of(backend, variant, case, prefix, num_preds):
    model = backends.load(backend).build(case.experiment, variant, case.weights())
    return model.predict(prefix, num_preds, case.vocab())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_a_text_is_that_of_the_reference(backend, variant, settings, dtype):
    """After prefixes of several lengths; what the vocabulary lacks is read as ``<unk>``."""
    case = case_of(backend, dtype=dtype, **settings)
    if unsupported(case.experiment, variant):
        pytest.skip("the chapter's network alone")
    for prefix in ("a", "abc", "j?ih"):
        with in_haste_if_exact(backend, case.experiment.dtype):
            found = text_of(backend, variant, case, prefix, LENGTH)
        assert found == expected(case, prefix, LENGTH)
        assert len(set(found.replace(UNK, "?"))) > 2  # so that there was something to choose


@pytest.mark.variants("scratch", "concise")
@pytest.mark.parametrize("settings", [{}, DRAWN], ids=["greedy", "drawn"])
def test_a_long_text_after_a_long_prefix(backend, variant, settings):
    case = case_of(backend, dtype="float64", **settings)
    found = text_of(backend, variant, case, LONG, CHUNK + 50)
    assert found == expected(case, LONG, CHUNK + 50)


@pytest.mark.variants("scratch", "concise")
def test_a_text_of_no_token_is_the_prefix(backend, variant):
    case = case_of(backend)
    assert text_of(backend, variant, case, "abc", 0) == "abc"
    with pytest.raises(RequestError, match="holds no char"):
        text_of(backend, variant, case, "", 3)


@pytest.mark.variants("scratch", "concise")
def test_the_weights_are_those_of_now(backend, variant):
    """What was compiled for one network serves another, and texts begin anew."""
    case = case_of(backend, dtype="float64")
    other = replace(case, sigma=0.5)
    model = backends.load(backend).build(case.experiment, variant, case.weights())
    texts = [model.predict("abc", LENGTH, case.vocab()) for _ in range(2)]
    assert texts == [expected(case, "abc", LENGTH)] * 2
    model.load_weights(other.weights())
    assert model.predict("abc", LENGTH, case.vocab()) == expected(other, "abc", LENGTH) != texts[0]
