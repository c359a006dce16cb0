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
