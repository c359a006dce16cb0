"""Each framework's `d2l`: the same names, and the same network as the recipe's."""

import ast
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import backends
from common.d2l.data import Vocab
from common.inputs import first_weights, load_batches
from common.training import train
from common.vocab import as_numpy
from common.weights import draw_weights
from harness.recipes import experiment_of
from rnn_rosetta_suite.haste import in_haste, in_haste_if_exact

NAMES = """
    HyperParameters add_to_class check_len check_shape DATA_URL DataModule Vocab download
    ProgressBoard plot float32 int64 tensor arange zeros ones randn sin exp tanh matmul concat stack
    swapaxes reshape argmax numpy try_gpu Module Trainer Classifier LinearRegression TimeMachine
    RNNScratch RNNLMScratch RNN RNNLM
""".split()
ROOT = Path(backends.__file__).parents[1]
WITH_D2L = [
    name
    for name, entry in backends.BACKENDS.items()
    if ROOT.joinpath(*entry.module.split(".")[:-1], "d2l.py").exists()
]

ALIKE = [path.stem for path in sorted(Path(__file__).with_name("d2l_by_framework").glob("*.py"))]
"""Backends whose `d2l` the tests below use alike; that of another has tests of its own."""


@pytest.fixture(params=WITH_D2L)
def page(request, only):
    only(request.param)
    return backends.section(request.param, "d2l")


def test_a_page_that_can_be_read_in_one_sitting_has_every_name(page):
    assert [name for name in NAMES if not hasattr(page, name)] == []
    source = Path(page.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 300
    tree = ast.parse(source)
    there = [each.name for each in tree.body if isinstance(each, (ast.ClassDef, ast.FunctionDef))]
    assert [name for name in there if name in NAMES] == [name for name in NAMES if name in there]
    assert page.Vocab is Vocab
    assert not importlib.util.find_spec("d2l")  # the book's own is not what was tested


@pytest.fixture(params=ALIKE)
def name(request, only):
    only(request.param)
    return request.param


@pytest.fixture
def d2l(name):
    return backends.section(name, "d2l")


@pytest.fixture
def framework(name):
    """What differs: the type of floats, the seed, a layer, how weights are set."""
    framework = importlib.import_module(f"tests.backends.d2l_by_framework.{name}")
    framework.seed(0)
    return framework


@pytest.mark.parametrize(
    ("dtype", "tolerance", "changed"),
    [
        ("float32", 1e-5, {"num_epochs": 2}),
        ("float64", 1e-9, {"num_epochs": 2}),
        ("float64", 1e-9, {"num_epochs": 1, "clip_theta": 0.001}),
    ],
)
def test_the_trainer_and_the_recipe_are_one_network(
    name, d2l, framework, dtype, tolerance, changed
):
    few = {"dtype": dtype, "device": "cpu", "num_steps": 4}
    experiment = experiment_of("chapter-9", few | changed)
    loader, vocab = load_batches(experiment)
    weights = first_weights(experiment, len(vocab))
    with in_haste_if_exact(name, dtype):
        contract = backends.load(name).build(experiment, "scratch", weights)
        expected = list(train(contract, loader, experiment))

        data = d2l.TimeMachine(experiment.batch_size, experiment.num_steps)
        assert data.vocab.idx_to_token == vocab.idx_to_token
        with framework.floats_are(dtype):
            rnn = d2l.RNNScratch(len(vocab), experiment.num_hiddens)
            model = d2l.RNNLMScratch(rnn, len(vocab), lr=experiment.lr)
            framework.set_weights(model, weights)
            trainer = d2l.Trainer(experiment.num_epochs, gradient_clip_val=experiment.clip_theta)
            trainer.fit(model, data)
            found = [(row["train_ppl"], row["val_ppl"]) for row in trainer.history]
            wanted = [(row.perplexity, row.val_perplexity) for row in expected]
            np.testing.assert_allclose(found, wanted, rtol=tolerance)
            (_, last) = model.board.curves["val_ppl"][-1]
            assert last == found[-1][1]
            text = contract.predict("it has", 10, vocab)
            assert model.predict("it has", 10, data.vocab, d2l.try_gpu(99)) == text


def test_the_frameworks_layer_is_that_network_too(name, d2l, framework):
    """In PyTorch, where its second bias stays zero."""
    data = d2l.TimeMachine(64, 8, num_train=256, num_val=64)
    weights = draw_weights(28, 6, sigma=0.3)
    histories = []
    with in_haste(name, compiled=True), framework.floats_are("float64"):
        model = d2l.RNNLMScratch(d2l.RNNScratch(28, 6), 28, lr=1)
        framework.set_weights(model, weights)
        concise = d2l.RNNLM(d2l.RNN(28, 6), 28, lr=1)
        framework.set_layers(concise, weights)
        for each in (model, concise):
            trainer = d2l.Trainer(max_epochs=3, gradient_clip_val=0.3)
            trainer.fit(each, data)
            histories.append([(row["train_ppl"], row["val_ppl"]) for row in trainer.history])
    np.testing.assert_allclose(*histories, rtol=1e-9)


def test_windows_can_be_fewer(d2l):
    data = d2l.TimeMachine(4, 5, num_train=10, num_val=3)
    assert [len(X) for X, _ in data.train_dataloader()] == [4, 4, 2]
    ((X, Y),) = data.val_dataloader()
    assert as_numpy(X).tolist() == as_numpy(data.X[10:13]).tolist()
    assert as_numpy(Y)[:, :-1].tolist() == as_numpy(X)[:, 1:].tolist()
    assert X.dtype == d2l.int64


def test_the_chapters_own_concise_model_learns(d2l, framework):
    data = d2l.TimeMachine(64, 8, num_train=128, num_val=64)
    model = d2l.RNNLM(d2l.RNN(28, 6), 28, lr=1)
    trainer = d2l.Trainer(max_epochs=2, gradient_clip_val=1)
    trainer.fit(model, data)
    assert trainer.history[1]["train_ppl"] < trainer.history[0]["train_ppl"]
    assert len(model.predict("it has", 5, data.vocab)) == 11


def test_pytorchs_concise_model_trains_both_biases(only):
    only("torch")
    d2l = backends.section("torch", "d2l")
    data = d2l.TimeMachine(64, 8, num_train=128, num_val=64)
    model = d2l.RNNLM(d2l.RNN(28, 6), 28, lr=1)
    before = model.rnn.rnn.bias_hh_l0.tolist()
    d2l.Trainer(max_epochs=1, gradient_clip_val=1).fit(model, data)
    assert model.rnn.rnn.bias_hh_l0.tolist() != before


def test_a_state_alone_or_in_a_tuple(d2l, framework):
    rnn = d2l.RNNScratch(3, 4)
    X = d2l.ones((2, 2, 3))
    _, state = rnn(X)
    for given in (state, (state,)):
        outputs, last = rnn(X, given)
        assert (d2l.numpy(outputs[-1]) == d2l.numpy(last)).all()
        assert not (d2l.numpy(last) == d2l.numpy(state)).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d2l: d2l.RNNScratch(0, 4), "num_inputs is 0: a whole number, 1 at least"),
        (lambda d2l: d2l.RNNScratch(3, 4)(d2l.ones((2, 3))), r"inputs have the shape \(2, 3\)"),
        (
            lambda d2l: d2l.RNNScratch(3, 4)(d2l.ones((2, 5, 3)), d2l.zeros((2, 4))),
            r"the state has the shape \(2, 4\).*\(5, 4\)",
        ),
        (
            lambda d2l: d2l.RNNLMScratch(d2l.RNNScratch(3, 4), 5)(d2l.tensor([[0, 1]])),
            r"inputs have the shape \(2, 1, 5\): this layer takes",
        ),
        (
            lambda d2l: d2l.RNNLMScratch(d2l.RNNScratch(3, 4), 3).predict("x", 1, Vocab("ab")),
            "'x' holds what this corpus never shows",
        ),
    ],
)
def test_what_cannot_be_right_is_said_in_one_line(d2l, call, said):
    with pytest.raises(ValueError, match=said) as failed:
        call(d2l)
    assert "\n" not in str(failed.value)


def test_a_classifier_plots_loss_and_accuracy(d2l, framework):
    class Data(d2l.DataModule):
        batch_size = 3

        def get_dataloader(self, train):
            X = d2l.tensor(np.tile(np.eye(4, dtype=np.float32), (2, 1)))
            return self.get_tensorloader([X, d2l.arange(8) % 4], train)

    class Softmax(d2l.Classifier):
        lr = 1.0

        def __init__(self):
            super().__init__()
            self.net = framework.linear(4, 4)

    trainer = d2l.Trainer(max_epochs=20)
    trainer.fit(Softmax(), Data())
    assert trainer.history[-1]["val_acc"] == 1
    assert trainer.history[-1]["val_loss"] < trainer.history[0]["train_loss"]
