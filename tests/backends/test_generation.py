"""Generation: the texts of the chapter's own loop, compiled once; and faults that must show."""

import re
from pathlib import Path

import numpy as np
import pytest

import backends
from common import generation
from common.decoding import chooser
from rnn_rosetta_suite.haste import in_haste_if_exact
from rnn_rosetta_suite.test_generation import *  # noqa: F403
from rnn_rosetta_suite.test_generation import CASES, DRAWN, LENGTH, case_of, expected
from tests.backends import faults_of_generation as faults

FILES = sorted(Path(backends.__file__).parent.glob("*/generate.py"))


def model_of(backend, case):
    return backends.load(backend).build(case.experiment, "scratch", case.weights())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_a_text_is_that_of_the_chapters_loop(backend, settings, dtype):
    case = case_of(backend, dtype=dtype, **settings)
    model, vocab = model_of(backend, case), case.vocab()
    for prefix in ("a", "j?ih"):
        loop = backends.load(backend).scratch.predict_rnn
        with in_haste_if_exact(backend, dtype):
            told = loop(prefix, LENGTH, model.net, vocab, chooser(case.experiment))
            assert model.predict(prefix, LENGTH, vocab) == told


@pytest.mark.parametrize("settings", [{}, DRAWN], ids=["greedy", "drawn"])
def test_texts_of_all_lengths_are_one_program(backend, settings):
    case = case_of(backend, num_hiddens=19 + len(settings), **settings)  # a shape of its own
    model, compilations = model_of(backend, case), backends.load(backend).compilations
    before = compilations()
    for prefix, num_preds in (("abc", 20), ("abcdefg", 90), ("a", 1), ("abc", 1500)):
        assert len(model.predict(prefix, num_preds, case.vocab())) >= len(prefix) + num_preds
        assert compilations() - before == (backend in ("jax", "tensorflow"))
    model.load_weights(case.weights())
    model.predict("abc", 20, case.vocab())
    assert compilations() - before == (backend in ("jax", "tensorflow"))


@pytest.mark.parametrize("decode", ["greedy", "sample"])
def test_a_network_that_diverged_still_writes(backend, decode):
    case = case_of(backend, decode=decode)
    for value in (np.nan, np.inf):
        weights = case.weights()
        weights["W_hq"][:] = value
        model = backends.load(backend).build(case.experiment, "scratch", weights)
        assert len(case.vocab().split(model.predict("abc", 9, case.vocab()))) >= 12


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=faults.FAULTS)
def test_a_planted_fault_changes_the_text(backend, monkeypatch, plant, fault):
    planted, settings = fault
    monkeypatch.setattr(generation, "CHUNK", 25)
    case = case_of(backend, dtype="float64", **settings)
    right = expected(case, "abc", LENGTH)
    assert model_of(backend, case).predict("abc", LENGTH, case.vocab()) == right
    plant(planted)
    assert model_of(backend, case).predict("abc", LENGTH, case.vocab()) != right


def functions(path):
    """Names of the functions and classes of a file, and of methods, in their order."""
    return re.findall(r"^ *(?:def|class) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_files_that_compile_differ_by_their_framework_alone():
    of = {path.parent.name: functions(path) for path in FILES}
    assert len(of) == 4
    assert of["jax"] == [name for name in of["tensorflow"] if name != "read_one"]
    assert of["torch"] == ["threads", *of["mxnet_style"], "drawn", "cumulated"]
    assert all(len(path.read_text(encoding="utf-8").splitlines()) < 120 for path in FILES)
