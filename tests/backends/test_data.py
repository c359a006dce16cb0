"""Loaders of each framework: its own integer tensors, and a vocabulary that reads them."""

import numpy as np
import pytest

import backends
from common import corpus
from common.vocab import Vocab, as_numpy

INTEGERS = {
    "torch": "torch.int64",
    "jax": "int32",
    "tensorflow": "<dtype: 'int32'>",
    "mxnet-style": "<class 'numpy.int32'>",
    "mxnet": "<class 'numpy.int32'>",
}


@pytest.fixture
def data(backend):
    return backends.section(backend, "data")


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_minibatches_are_the_frameworks_own_integers(data, backend, use_random_iter):
    given = 32, 35, use_random_iter, 5_000, 3
    tensors, vocab = data.load_data_time_machine(*given)
    arrays, expected = corpus.load_data_time_machine(*given)
    assert list(vocab) == list(expected)
    assert len(tensors) == len(arrays)
    np.testing.assert_array_equal(tensors.corpus, arrays.corpus)
    own = type(data.tensor(np.arange(2)))
    for _ in range(2):  # each iteration is the next epoch
        epoch = [*tensors]
        assert len(epoch) > 2
        for found, right in zip(epoch, arrays, strict=True):
            for each, array in zip(found, right, strict=True):
                assert type(each) is own
                assert str(each.dtype) == INTEGERS[backend]
                np.testing.assert_array_equal(as_numpy(each), array)


def test_the_lyrics_indices_are_a_tensor(data, backend):
    indices, char_to_idx, idx_to_char, vocab_size = data.load_data_jay_lyrics()
    right, *rest = corpus.load_data_jay_lyrics()
    assert [char_to_idx, idx_to_char, vocab_size] == rest
    assert str(indices.dtype) == INTEGERS[backend]
    np.testing.assert_array_equal(as_numpy(indices), right)


def test_an_unknown_text_is_told(data):
    with pytest.raises(ValueError, match="did you mean 'time-machine'"):
        data.load_data("time-machin", 2, 5)


def one_hot(backend, X, vocab_size):
    """Student code of the functional chapter, where no tensor is converted first."""
    if backend == "torch":
        from torch.nn import functional as F

        return F.one_hot(X.T, vocab_size).float()
    if backend == "jax":
        import jax

        return jax.nn.one_hot(X.T, vocab_size)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.one_hot(tf.transpose(X), vocab_size)
    from backends.mxnet_style.engine import nd

    return nd.one_hot(X.T, vocab_size)


@pytest.mark.usefixtures("hasty")
def test_a_students_plain_class_trains_on_it(data, backend):
    page, check = (backends.section(backend, part) for part in ("scratch", "blanks"))
    train_iter, vocab = data.load_data("embedded", 32, 5, max_tokens=1_000)
    X, _ = next(iter(train_iter))
    assert tuple(one_hot(backend, X, len(vocab)).shape) == (5, 32, len(vocab))

    class RNNModelScratch:
        def __init__(self, vocab_size, num_hiddens, get_params, init_state, forward):
            self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
            self.params = get_params(vocab_size, num_hiddens)
            self.init_state, self.forward_fn = init_state, forward

        def __call__(self, X, state):
            inputs = one_hot(backend, X, self.vocab_size)
            return self.forward_fn(inputs, state, self.params)

        def begin_state(self, batch_size):
            return self.init_state(batch_size, self.num_hiddens)

        def set_params(self, params):
            self.params = params

    assert check.check.model(RNNModelScratch) is RNNModelScratch
    model = RNNModelScratch(len(vocab), 8, page.get_params, page.init_rnn_state, page.rnn)
    updater = page.sgd_updater(model, 1)
    ppl, _ = page.train_epoch_rnn(model, train_iter, page.cross_entropy, updater, False)
    assert 1 < ppl < 1.01 * len(vocab)
    assert page.predict_rnn("the", 5, model, vocab).startswith("the")


def test_the_vocabulary_reads_tensors_of_any_shape(data):
    vocab = Vocab("banana")
    made = {
        "a": np.array(1),
        "n": np.array(2, np.uint8),
        ("a", "n"): np.array([1, 2]),
        (("a",), ("b",)): np.array([[1], [3]]),
    }
    for tokens, indices in made.items():
        assert nested(vocab.to_tokens(indices)) == tokens
        assert nested(vocab.to_tokens(data.tensor(indices))) == tokens
    scalars = [data.tensor(np.array(1)), 2, np.int64(3), data.tensor(np.array([1, 2]))]
    assert vocab.to_tokens(scalars) == ["a", "n", "b", ["a", "n"]]
    with pytest.raises(TypeError, match="whole numbers"):
        vocab.to_tokens(data.tensor(np.array([0.5])))


def nested(tokens):
    return tokens if isinstance(tokens, str) else tuple(map(nested, tokens))
