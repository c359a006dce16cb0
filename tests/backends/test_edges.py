"""Mistakes made by hand are refused in one line, in the same words in every backend."""

import re

import numpy as np
import pytest

import backends
from common.batches import SeqDataLoader
from common.experiment import Experiment
from common.inputs import first_weights
from common.training import warm_up
from common.vocab import Vocab

pytestmark = pytest.mark.usefixtures("hasty")

TEXT = list("the clock struck one and the mouse ran down ") * 3
VOCAB = Vocab(TEXT, order="distinct")
V, H = len(VOCAB), 6
INDICES = np.array(VOCAB[TEXT], np.uint8)
X, Y = INDICES[:10].reshape(2, 5), INDICES[1:11].reshape(2, 5)
OUTSIDE = np.array([[0, 1, 2], [3, V, 4]])


def network(backend):
    scratch = backends.load(backend).scratch
    functions = scratch.get_params, scratch.init_rnn_state, scratch.rnn
    return scratch, scratch.RNNModelScratch(V, H, *functions)


def framework_array(backend, array):
    """The array as a framework's own."""
    if backend == "torch":
        import torch

        return torch.tensor(array)
    if backend == "jax":
        import jax.numpy as jnp

        return jnp.asarray(array)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.constant(array)
    if "mxnet" not in backend:
        pytest.skip(f"an array of {backend} is not known here")
    from backends.mxnet_style.engine import nd

    return nd.array(array)


@pytest.mark.parametrize("own", [False, True], ids=["numpy", "own"])
@pytest.mark.parametrize(
    ("inputs", "batch_size", "error", "said"),
    [
        (X, 1, ValueError, rf"\(1, {H}\).* X has \(2, 5\).* of \(2, {H}\)"),
        (X, 3, ValueError, rf"\(3, {H}\).* X has \(2, 5\).* of \(2, {H}\)"),
        (X[0], 2, ValueError, r"X has the shape \(5,\)"),
        (OUTSIDE, 2, IndexError, rf"X\[1, 1\] is {V}, .* 0 to {V - 1}$"),
        (X.astype(np.int64) - 20, 2, IndexError, r"X\[0, 0\] is -\d+,"),
    ],
    ids=["state of one", "state of three", "no minibatch", "too large", "negative"],
)
def test_a_model_refuses_what_does_not_fit(backend, own, inputs, batch_size, error, said):
    _, model = network(backend)
    state = model.begin_state(batch_size)
    with pytest.raises(error, match=said) as caught:
        model(framework_array(backend, inputs) if own else inputs, state)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "error", "said"),
    [
        (Y + np.uint8(V), IndexError, rf"Y\[0, 0\] is \d+, .* 0 to {V - 1}$"),
        (Y[:, :4], ValueError, r"Y has the shape \(2, 4\), but X has \(2, 5\)"),
    ],
    ids=["too large", "too short"],
)
def test_an_epoch_refuses_what_does_not_fit(backend, labels, error, said):
    scratch, model = network(backend)
    updater = scratch.sgd_updater(model, 1)
    with pytest.raises(error, match=said) as caught:
        scratch.train_epoch_rnn(model, [(X, labels)], scratch.cross_entropy, updater, False)
    assert "\n" not in str(caught.value)


def test_a_carried_state_must_fit_the_next_batch(backend):
    scratch, model = network(backend)
    updater = scratch.sgd_updater(model, 1)
    batches = [(X[:1], Y[:1]), (X, Y)]  # one state was spread over two rows
    with pytest.raises(ValueError, match=rf"\(1, {H}\).* X has \(2, 5\)"):
        scratch.train_epoch_rnn(model, batches, scratch.cross_entropy, updater, False)
    ppl, _ = scratch.train_epoch_rnn(model, batches, scratch.cross_entropy, updater, True)
    assert 1 < ppl < 2 * V


def test_a_step_that_is_timed_checks_nothing(backend, monkeypatch):
    """Neither does the rest of the contract: what it is given was checked before."""
    module = backends.load(backend)

    def fail(*_):
        raise AssertionError("checked")

    monkeypatch.setattr(module.scratch, "check_minibatch", fail)
    for settings in (Experiment(num_hiddens=H), Experiment(num_hiddens=H, num_layers=2)):
        model = module.build(settings, "scratch", first_weights(settings, V))
        warm_up(model, [X.shape])
        model.forward(X, model.begin_state(2))
        model.loss_and_grads(X, Y, model.begin_state(2))


@pytest.mark.parametrize(
    ("prefixes", "said"),
    [
        ("time traveller", "'i', 'v'"),
        (["the", "Zeit"], "'Z', 'i'"),
        (["the", ""], "holds no char"),
        ([], "no prefixes"),
    ],
    ids=str,
)
def test_prefixes_are_checked_before_the_training(backend, prefixes, said):
    scratch, model = network(backend)

    class Untouched(SeqDataLoader):
        def __iter__(self):
            raise AssertionError("trained")

    loader = Untouched(INDICES, 2, 5, "sequential")
    with pytest.raises(ValueError, match=said):
        scratch.train_rnn(model, loader, VOCAB, 1, 1, prefixes=prefixes)


def test_the_texts_own_beginning_is_continued(backend, capsys):
    scratch, model = network(backend)
    loader = SeqDataLoader(INDICES, 2, 5, "sequential", random_offset=False)
    for train_iter, beginning in ((loader, "the clock "), ([(X, Y)] * 2, "the c")):
        scratch.train_rnn(model, train_iter, VOCAB, 1, 10)
        progress, last, text = capsys.readouterr().out.splitlines()
        assert re.match(rf"epoch 10, perplexity [\d.]+: {beginning}", progress)
        assert re.fullmatch(r"perplexity [\d.]+, [\d,]+ tokens/s", last)
        assert text.startswith(beginning)
        assert len(text) == len(beginning) + 50
    assert loader.next_epoch == 10
    with pytest.raises(ValueError, match="only once"):
        scratch.train_rnn(model, iter([(X, Y)]), VOCAB, 1, 1)
    with pytest.raises(ValueError, match=f"{V} tokens, the vocabulary {V + 1}"):
        scratch.train_rnn(model, loader, Vocab(TEXT), 1, 1)


def test_no_prefix_is_no_prediction(backend):
    scratch, model = network(backend)
    for prefix in ("", "Z"):
        with pytest.raises(ValueError, match="prefix"):
            scratch.predict_rnn(prefix, 5, model, VOCAB)


def test_a_frameworks_indices_are_read_by_a_vocabulary(backend):
    own = framework_array(backend, X.astype(np.int32))
    nested = VOCAB.to_tokens(X)
    assert VOCAB.to_tokens(own) == VOCAB[own] == nested
    assert VOCAB.to_tokens(own[1]) == nested[1]
    assert VOCAB.join(own[0]) == "".join(nested[0])
    if "mxnet" not in backend:  # which has no scalars: its elements are arrays of one
        assert VOCAB.to_tokens([*own[1]]) == nested[1]
        assert VOCAB.to_tokens(own[1][2]) == VOCAB[own[1][2]] == nested[1][2]
    with pytest.raises(TypeError, match="whole numbers"):
        VOCAB.to_tokens(framework_array(backend, np.array([0.5, 1.0], np.float32)))
