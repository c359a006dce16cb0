"""The chapter's two loops: the same lines in every ``scratch.py``, and each fault in them shows."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import backends
from common.experiment import Experiment
from common.metrics import perplexity
from common.parity import error_of
from common.parity_grid import Case
from common.reference import Reference
from rnn_rosetta_suite.haste import in_haste
from tests.backends.faults_of_loops import EPOCH, TRAIN, UNDETACHED, changed

FILES = sorted(Path(backends.__file__).parent.glob("*/scratch.py"))
LOOPS = ("train_epoch_rnn", "train_rnn")
CASE = Case(
    "",
    Experiment(num_hiddens=8, batch_size=3, num_steps=3, dtype="float64", clip_theta=0.1, lr=0.5),
    vocab_size=9,
    sigma=0.5,
)
SAMPLINGS = {"sequential": False, "random": True, "sliding": True}
"""And whether each batch begins a new state."""


def batches(sampling):
    """Five minibatches, of which the last one lacks a row with `sliding`."""
    *full, (X, Y) = CASE.batches(5)
    return [*full, (X[:-1], Y[:-1]) if sampling == "sliding" else (X, Y)]


@cache
def expected(sampling, num_epochs):
    """The perplexity, the weights and the text after so many epochs of the reference."""
    reference = Reference(CASE.experiment, CASE.weights())
    for _ in range(num_epochs):
        state, losses = None, []
        for X, Y in batches(sampling):
            if state is None or SAMPLINGS[sampling]:
                state = reference.begin_state(len(X))
            loss, state = reference.train_step(X, Y, state)
            losses += [loss] * Y.size
    text = [reference.predict(prefix, 50, CASE.vocab()) for prefix in ("abc", "b")]
    return perplexity(sum(losses), len(losses)), reference.weights(), text


@cache
def network(backend):
    """The model of the contract, which is one of `RNNModelScratch` in float64, and an updater."""
    module = backends.load(backend)
    model = module.build(CASE.experiment, "scratch", CASE.weights())
    return module, model, module.scratch.sgd_updater(model.net, CASE.experiment.lr)


def right_epoch(backend, sampling):
    """`train_epoch_rnn` gives what the reference does."""
    module, model, updater = network(backend)
    scratch = module.scratch
    model.load_weights(CASE.weights())
    try:
        ppl, speed = scratch.train_epoch_rnn(
            model.net,
            batches(sampling),
            scratch.cross_entropy,
            updater,
            SAMPLINGS[sampling],
            theta=CASE.experiment.clip_theta,
        )
    except RuntimeError:  # what a framework says of a graph that is gone
        return False
    known, weights, _ = expected(sampling, 1)
    exact = abs(ppl / known - 1) < 1e-9 and error_of(model.weights(), weights) < 1e-9
    return exact and speed > 0


def right_training(backend, sampling, capsys):
    """`train_rnn` gives, and prints, what the reference does."""
    module, model, _ = network(backend)
    model.load_weights(CASE.weights())
    capsys.readouterr()
    ppl, _ = module.scratch.train_rnn(
        model.net,
        batches(sampling),
        CASE.vocab(),
        CASE.experiment.lr,
        num_epochs=11,
        use_random_iter=SAMPLINGS[sampling],
        theta=CASE.experiment.clip_theta,
        prefixes=["abc", "b"],
    )
    known, weights, texts = expected(sampling, 11)
    then, _, (text, _) = expected(sampling, 10)
    lines = [
        f"epoch 10, perplexity {then:.2f}: {text}",
        f"perplexity {known:.2f}, 0 tokens/s",
        *texts,
    ]
    said = re.sub(r"[\d,]+ tokens/s", "0 tokens/s", capsys.readouterr().out).splitlines()
    exact = abs(ppl / known - 1) < 1e-7 and error_of(model.weights(), weights) < 1e-7
    return exact and said == lines


def functions(path):
    """The text of every function and class of a file, by name, in its order."""
    source = path.read_text(encoding="utf-8")
    return {
        node.name: ast.get_source_segment(source, node)
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def test_the_loops_are_the_same_lines_in_every_file():
    assert len(FILES) == 4
    for name in LOOPS:
        assert len({functions(path)[name] for path in FILES}) == 1
    assert all("for X, Y in train_iter:" in functions(path)["train_epoch_rnn"] for path in FILES)
    assert all("in range(num_epochs):" in functions(path)["train_rnn"] for path in FILES)


def test_the_files_have_the_same_functions_in_the_same_order():
    """But for a few that a framework needs: they stand between the others."""
    own = {"to_onehot", "hidden_states", "apply", "update", "cross_entropy"}
    orders = {tuple(name for name in functions(path) if name not in own) for path in FILES}
    assert len(orders) == 1
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 220 for path in FILES)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_loops_are_right(backend, sampling, capsys):
    assert right_epoch(backend, sampling)
    assert right_training(backend, sampling, capsys)


def plant(monkeypatch, backend, name, fault):
    scratch = backends.load(backend).scratch
    monkeypatch.setattr(scratch, name, changed(*fault)(getattr(scratch, name)))


@pytest.mark.parametrize("fault", EPOCH.values(), ids=EPOCH)
def test_a_fault_in_the_epoch_is_caught(backend, monkeypatch, fault):
    plant(monkeypatch, backend, "train_epoch_rnn", fault)
    with in_haste(backend):
        assert not all(right_epoch(backend, sampling) for sampling in SAMPLINGS)


@pytest.mark.parametrize("fault", TRAIN.values(), ids=TRAIN)
def test_a_fault_in_the_training_is_caught(backend, monkeypatch, capsys, fault):
    plant(monkeypatch, backend, "train_rnn", fault)
    with in_haste(backend):
        assert not all(
            right_training(backend, sampling, capsys) for sampling in ("sequential", "random")
        )


@pytest.mark.usefixtures("hasty")
def test_a_state_that_is_not_detached_is_caught(backend, monkeypatch):
    """In PyTorch alone it remembers what led to it; in the others the kept graph makes it.

    In MXNet `backward` has freed it, in JAX and TensorFlow nothing ever remembered.
    """
    plant(monkeypatch, backend, "train_epoch_rnn", UNDETACHED)
    assert right_epoch(backend, "sequential") == (backend != "torch")
    module = backends.load(backend)
    monkeypatch.setattr(module.scratch, "train_step", module.adapter.exercises.train_step)
    assert not right_epoch(backend, "sequential")
    assert right_epoch(backend, "random")


def test_every_line_that_the_readme_quotes_stands_in_its_file():
    folder = Path(backends.__file__).parent
    text = (folder / "README.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^  `(\w+/scratch\.py)`: `(.+)`$", text, re.MULTILINE)
    assert len(quoted) == text.count("scratch.py`: `") > 15
    assert {folder / path for path, _ in quoted} == set(FILES)
    for path, line in quoted:
        lines = (folder / path).read_text(encoding="utf-8").splitlines()
        assert any(each.strip().split("  # ")[0] == line for each in lines), (path, line)
