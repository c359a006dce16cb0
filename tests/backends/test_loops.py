"""The chapter's loops, ``train_epoch_rnn`` and ``train_rnn``: they train as the reference does."""

import inspect
from pathlib import Path

import numpy as np
import pytest

import backends
from common.batches import SeqDataLoader
from common.errors import RequestError
from common.experiment import Experiment
from common.parity import epoch_by_hand, error_of
from common.reference import Reference
from common.vocab import Vocab
from common.weights import draw_weights

TEXT = "the clock on the wall and the tide on the shore keep no other time than this. " * 4 + "!!"
VOCAB = Vocab(TEXT)
SETTINGS = {"num_hiddens": 8, "batch_size": 3, "num_steps": 5, "dtype": "float64"}
SETTINGS |= {"clip_theta": 0.3, "lr": 0.7, "device": "cpu"}


def loader(sampling):
    corpus = np.array(VOCAB[VOCAB.split(TEXT)], np.uint8)
    return SeqDataLoader(corpus, 3, 5, sampling)


def network(backend, sampling):
    """The chapter's model, of the weights that the reference has too, and the module it is of."""
    module = backends.load(backend)
    experiment = Experiment(**SETTINGS, sampling=sampling)
    weights = draw_weights(len(VOCAB), 8, sigma=0.4)
    return module, module.build(experiment, "scratch", weights), Reference(experiment, weights)


def trained(backend, sampling, num_epochs=3):
    """How far the weights and the perplexity of `train_rnn` are from those of the reference."""
    module, model, reference = network(backend, sampling)
    use_random_iter, data = sampling != "sequential", loader(sampling)
    ppl, _ = module.scratch.train_rnn(
        model.net, data, VOCAB, 0.7, num_epochs, use_random_iter, theta=0.3, prefixes=["the"]
    )
    data = loader(sampling)
    for _ in range(num_epochs):
        loss_sum, tokens = epoch_by_hand(
            reference.begin_state, reference.train_step, data, use_random_iter
        )
    return max(
        error_of(model.weights(), reference.weights()), error_of(ppl, np.exp(loss_sum / tokens))
    )


@pytest.mark.parametrize("sampling", ["sequential", "random", "sliding"])
def test_they_train_as_the_reference_does(backend, sampling):
    assert trained(backend, sampling) < 1e-9


FAULTS = {
    "no state is begun anew": ("state is None or use_random_iter", "state is None", "random"),
    "every state is begun anew": ("state is None or use_random_iter", "True", "sequential"),
    "the state is not carried on": ("l, state = train_step", "l, _ = train_step", "sequential"),
    "the first batch is skipped": ("in train_iter:", "in [*train_iter][1:]:", "random"),
    "the batches count alike": ("* size for", "* sizes[0] for", "sliding"),
    "an epoch too few": ("range(1, num_epochs + 1)", "range(1, num_epochs)", "random"),
    "theta is left out": ("use_random_iter, theta)", "use_random_iter)", "random"),
    "the sampling is left out": ("use_random_iter, theta)", "False, theta)", "random"),
}
"""What stands in the loops, what stands there by mistake, and the sampling in which it shows."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_them_is_caught(backend, fault, monkeypatch):
    right, wrong, sampling = FAULTS[fault]
    scratch = backends.load(backend).scratch
    assert plant(scratch, right, wrong, monkeypatch)
    assert trained(backend, sampling) > 1e-6


def plant(scratch, right, wrong, monkeypatch):
    """Write a mistake into the loops and the gradients; the functions in which it now stands."""
    planted = []
    for name in ("loss_and_grads", "train_epoch_rnn", "train_rnn"):
        source = inspect.getsource(getattr(scratch, name))
        if right in source:
            exec(
                compile(source.replace(right, wrong), scratch.__file__, "exec"),
                vars(scratch),
                made := {},
            )
            monkeypatch.setattr(scratch, name, made[name])
            planted.append(name)
    return planted


def test_a_state_that_is_not_detached_is_caught(only, monkeypatch):
    """In PyTorch, which follows it back; MXNet's graph is gone, in the others it is a value."""
    only("torch")
    scratch = backends.load("torch").scratch
    assert plant(scratch, "H.detach() for H in state", "H for H in state", monkeypatch)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        trained("torch", "sequential")


def test_the_loops_stand_in_the_same_lines_everywhere():
    """But for the loss and the updater, which are the framework's own."""
    texts = set()
    for name in ("torch", "mxnet_style", "jax", "tensorflow"):
        source = Path(backends.__file__).with_name(name).joinpath("scratch.py").read_text("utf-8")
        loops = source[source.index("def train_epoch_rnn(") :]
        texts.add(
            "".join(
                l for l in loops.splitlines(True) if " loss = " not in l and " updater = " not in l
            )
        )
    assert len(texts) == 1


def test_training_continues_the_texts_own_beginning(backend, capsys):
    module, model, _ = network(backend, "random")
    module.scratch.train_rnn(model.net, loader("random"), VOCAB, 0.1, 1)
    assert capsys.readouterr().out.splitlines()[-1].startswith("the clock on th")
    own_batches = list(loader("random"))
    module.scratch.train_rnn(model.net, own_batches, VOCAB, 0.1, 1)
    assert capsys.readouterr().out.splitlines()[-1].startswith(" ")


@pytest.mark.parametrize("prefixes", [["分开"], [""], "the clock"])
def test_prefixes_are_checked_before_training(backend, prefixes):
    module, model, _ = network(backend, "random")
    vocab, before = Vocab(TEXT, order="distinct"), model.weights()
    with pytest.raises(RequestError, match="prefix"):
        module.scratch.train_rnn(model.net, loader("random"), vocab, 1, 1, prefixes=prefixes)
    assert error_of(model.weights(), before) == 0


def test_what_does_not_fit_is_refused_by_hand(backend):
    module, model, _ = network(backend, "random")
    X, Y = next(iter(loader("random")))
    state = model.net.begin_state(3)
    with pytest.raises(ValueError, match=r"shape \(1, 8\), is not for X, of shape \(3, 5\)"):
        model.net(X, model.net.begin_state(1))
    for wrong in (len(VOCAB), -1):
        outside = np.where(np.arange(5) == 2, wrong, X.astype(np.int64))
        with pytest.raises(IndexError, match=f"X holds the index {wrong}, but the vocabulary has"):
            model.net(outside, state)
        with pytest.raises(IndexError, match=f"Y holds the index {wrong}, but"):
            module.scratch.train_epoch_rnn(
                model.net, [(X, outside)], model.net.loss, model.net.updater, False
            )
    with pytest.raises(ValueError, match=r"Y, of shape \(3, 4\), is not for X"):
        module.scratch.train_epoch_rnn(
            model.net, [(X, Y[:, :4])], model.net.loss, model.net.updater, False
        )
