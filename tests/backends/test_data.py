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


def test_one_hot_of_what_the_iterator_yields(data, backend):
    """Student code of the functional chapter: ``F.one_hot(X.T, len(vocab))`` and the like."""
    train_iter, vocab = data.load_data("embedded", 32, 35)
    X, _ = next(iter(train_iter))
    if backend == "torch":
        from torch.nn import functional as F

        inputs = F.one_hot(X.T, len(vocab))
    elif backend == "jax":
        import jax

        inputs = jax.nn.one_hot(X.T, len(vocab))
    elif backend == "tensorflow":
        import tensorflow as tf

        inputs = tf.one_hot(tf.transpose(X), len(vocab))
    else:
        from backends.mxnet_style.engine import nd

        inputs = nd.one_hot(X.T, len(vocab))
    assert tuple(inputs.shape) == (35, 32, len(vocab))
    np.testing.assert_array_equal(as_numpy(inputs).argmax(axis=-1), as_numpy(X).T)


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
