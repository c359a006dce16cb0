import random
from collections import Counter
from collections.abc import Collection

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


def test_it_is_a_collection_of_its_tokens():
    """All of this never ended, or gave indices, as long as it had lengths and places alone."""
    vocab = Vocab("banana", order="distinct")
    tokens = ["a", "b", "n"]
    assert isinstance(vocab, Collection)
    assert list(vocab) == [token for token in vocab] == tokens  # noqa: C416
    assert np.array(vocab).tolist() == tokens
    assert sorted(vocab, reverse=True) == list(reversed(vocab)) == tokens[::-1]
    assert "a" in vocab
    assert not {"z", UNK, 1, None} & set(vocab)
    assert "z" not in Vocab("banana")
    assert 1 not in vocab
    rng = random.Random(0)
    assert {rng.choice(vocab) for _ in range(50)} == set(tokens)
    assert set(np.random.default_rng(0).choice(vocab, 50)) == set(tokens)
    assert [vocab[place] for place in range(3)] == tokens
    with pytest.raises(IndexError, match="index 3 "):
        vocab[3]


def test_arrays_are_indexed_and_read_like_lists():
    vocab = Vocab("banana", order="distinct")
    text = np.array([["a", "b"], ["n", "a"]])
    assert vocab[text] == vocab[text.astype(object)] == vocab[text.tolist()] == [[0, 1], [2, 0]]
    assert vocab[text[0, 0]] == vocab[np.array("a")] == 0
    assert vocab[("a", "n")] == [0, 2]
    indices = np.arange(8, dtype=np.uint8).reshape(2, 2, 2) % 3
    nested = [[["a", "b"], ["n", "a"]], [["b", "n"], ["a", "b"]]]
    assert vocab.to_tokens(indices) == vocab.to_tokens([*indices]) == nested
    assert vocab.to_tokens([[0], [1, (2, np.int64(0))]]) == [["a"], ["b", ["n", "a"]]]
    assert vocab.to_tokens([]) == vocab.to_tokens(np.array([])) == []
    assert vocab.to_tokens(range(2)) == ["a", "b"]
    assert vocab.join(np.array([1, 0])) == "ba"
    assert Vocab(["of", "the"], token="word").join(1) == "of"


@pytest.mark.parametrize(
    "indices",
    [
        *("a", "a text", b"a", None, True, 1.0, np.float32(1), {0: 1}, {0}, [0, "a"]),
        *(np.array(["a"]), np.array([True]), np.array([0.0, 1.5])),
    ],
    ids=repr,
)
def test_what_is_no_index_is_a_type_error(indices):
    with pytest.raises(TypeError, match=r"^indices are whole numbers, .*, not [^\n]*$"):
        Vocab("ab").to_tokens(indices)


@pytest.mark.parametrize("tokens", [1.5, None, b"a", {"a"}, {"a": 1}, [["a", None]]], ids=repr)
def test_what_is_no_token_is_a_type_error(tokens):
    """Most of them were ``<unk>``."""
    with pytest.raises(TypeError, match="indices are whole numbers"):
        Vocab("ab")[tokens]


@pytest.mark.parametrize("index", [-1, 3, [[0], [3]], np.array([-1])], ids=repr)
def test_an_index_out_of_range_is_named(index):
    with pytest.raises(
        IndexError, match=r"index (-1|3) is not in this vocabulary, which ends at 2"
    ):
        Vocab("ab").to_tokens(index)


def test_reserved_tokens_may_be_one_or_none():
    assert list(Vocab("ab", reserved_tokens=None)) == list(Vocab("ab")) == [UNK, "a", "b"]
    one = [UNK, "<pad>", "a", "b"]
    assert list(Vocab("ab", reserved_tokens="<pad>")) == one
    assert list(Vocab("ab", reserved_tokens=np.array(["<pad>"]))) == one


def test_arrays_of_tokens_are_read_like_lists():
    array = np.array([["a", "b"], ["b", "c"]])
    vocab = Vocab(array)
    assert list(vocab) == list(Vocab([*array])) == list(Vocab(array.tolist()))
    assert {type(token) for token in vocab} == {str}


@pytest.mark.parametrize(
    "tokens",
    [[("of", "the")], [["a", ("of", "the")]], {("of", "the"): 2}, [1, 2], b"ab", [None], [{"a"}]],
    ids=repr,
)
def test_a_token_that_is_no_string_is_a_type_error(tokens):
    """The book's pairs of words were taken apart in silence."""
    with pytest.raises(TypeError, match="a token is a string, not "):
        Vocab(tokens)
    if isinstance(tokens, list):
        with pytest.raises(TypeError, match="a token is a string, not "):
            Vocab("ab", reserved_tokens=tokens)
