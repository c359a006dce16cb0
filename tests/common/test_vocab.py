import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RequestError
from common.vocab import UNK, Vocab

TEXTS = st.text(min_size=1, max_size=80)
ORDERS = st.sampled_from(["frequency", "sorted", "distinct"])


@given(TEXTS, ORDERS)
def test_indices_and_tokens_are_inverse(text, order):
    vocab = Vocab(list(text), order=order)
    assert vocab.join(vocab[vocab.split(text)]) == text
    assert vocab.to_tokens(np.arange(len(vocab))) == vocab.idx_to_token
    assert sorted(vocab.token_to_idx.values()) == list(range(len(vocab)))


@given(TEXTS, st.integers(0, 4), st.lists(st.sampled_from(["<pad>", "<bos>"]), unique=True), ORDERS)
def test_holds_what_it_should_once(text, min_freq, reserved, order):
    vocab = Vocab(list(text), min_freq, reserved, order)
    kept = {t for t, n in Counter(text).items() if n >= min_freq}
    special = set(reserved) | (set() if order == "distinct" else {UNK})
    assert set(vocab.idx_to_token) == kept | special
    assert len(vocab) == len(set(vocab.idx_to_token))


@given(TEXTS)
def test_frequencies_fall_and_ties_stand_as_first_seen(text):
    freqs = Vocab(list(text)).token_freqs
    assert freqs == Counter(text).most_common()


def test_each_editions_order():
    tokens = list("banana<")
    assert Vocab(tokens).idx_to_token == [UNK, "a", "n", "b", "<"]
    assert Vocab(tokens, order="sorted").idx_to_token == ["<", UNK, "a", "b", "n"]
    assert Vocab(tokens, order="distinct").idx_to_token == ["<", "a", "b", "n"]
    assert Vocab(tokens, 2, ["<pad>"]).idx_to_token == [UNK, "<pad>", "a", "n"]


def test_the_books_surface():
    vocab = Vocab([["a", "b"], ["b", "c"]])
    assert len(vocab) == 4
    assert vocab["b"] == 1
    assert vocab[["b", ["a", "nowhere"]]] == [1, [2, vocab.unk]]
    assert vocab.to_tokens(1) == vocab.to_tokens(np.int64(1)) == vocab.to_tokens(np.array(1)) == "b"
    assert vocab.to_tokens([1]) == ["b"]
    assert vocab.to_tokens([[1, 2], [3, 0]]) == [["b", "a"], ["c", UNK]]
    assert vocab.unk == 0
    assert len(Vocab()) == 1


def test_without_unk_an_unseen_token_is_named():
    vocab = Vocab("ab", order="distinct")
    assert vocab.unk is None
    with pytest.raises(KeyError, match="'z'"):
        vocab["z"]
    with pytest.raises(RequestError, match="'z', 'y'"):
        vocab.check_prefix("azyz")
    Vocab("ab").check_prefix("azyz")


@pytest.mark.parametrize("prefix", ["", "  "])
def test_a_prefix_needs_a_token(prefix):
    with pytest.raises(RequestError, match="at least one"):
        Vocab(["a", "b"], token="word").check_prefix(prefix)


def test_an_unknown_order_is_refused():
    with pytest.raises(RequestError, match="unknown order"):
        Vocab("ab", order="alphabetical")


@given(TEXTS, ORDERS)
def test_it_is_a_collection_of_its_tokens(text, order):
    vocab = Vocab(list(text), order=order)
    assert list(vocab) == vocab.idx_to_token
    assert np.array(vocab).shape == (len(vocab),)
    assert all(token in vocab for token in text)
    assert "two characters" not in vocab
    assert [] not in vocab


def test_what_is_indexed_is_a_token():
    vocab = Vocab("banana")
    assert vocab[np.array([["a", "n"]])] == [[1, 2]]
    assert vocab[("a", "n")] == [1, 2]
    for wrong in (3, 1.5, None, {}, np.array([1])):
        with pytest.raises(TypeError, match="is not a token, which is a string"):
            vocab[wrong]
    with pytest.raises(TypeError, match=r"to_tokens\(\d\)"):
        random.choice(vocab)


@pytest.mark.parametrize("wrong", ["a", 1.5, None, ["a"], np.array([0.5])])
def test_an_index_is_an_integer(wrong):
    with pytest.raises(TypeError, match="is not an index, which is an integer"):
        Vocab("banana").to_tokens(wrong)


def test_an_index_is_within_the_vocabulary():
    with pytest.raises(IndexError, match="index 4: the vocabulary has 4 tokens"):
        Vocab("banana").to_tokens([1, 4])


def test_a_token_may_be_a_tuple():
    """As in the chapter's bigrams, ``Vocab(list(zip(words, words[1:])))``."""
    for order in ("frequency", "sorted"):
        vocab = Vocab([("of", "the"), ("in", "the"), ("of", "the")], order=order)
        assert len(vocab) == 3
        assert vocab.to_tokens(vocab[("of", "the")]) == ("of", "the")
        assert vocab[[("in", "the"), ("a", "b")]] == [vocab[("in", "the")], vocab.unk]
        assert vocab.token_freqs[0] == (("of", "the"), 2)


def test_what_is_no_token_or_no_list_is_refused():
    with pytest.raises(TypeError, match="a token is a string or a tuple, not 1"):
        Vocab([1, 2])
    with pytest.raises(TypeError, match=r"give a list, \['<pad>'\]"):
        Vocab("ab", reserved_tokens="<pad>")
    assert list(Vocab("ab", reserved_tokens=None)) == [UNK, "a", "b"]
