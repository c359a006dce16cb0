"""Vocab: tokens to indices and back, with the surface the book gave it."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from common.errors import RequestError

UNK = "<unk>"
Token = Literal["char", "word"]
Order = Literal["frequency", "sorted", "distinct"]


class Vocab:
    """A vocabulary, a collection of its tokens (chapter 9, section 9.2; the functional chapter).

    Args:
        tokens: a list of tokens, a list of lists of tokens, or a mapping of token to count. A token
            is a string, or a tuple, such as a pair of words.
        min_freq: tokens seen less often are left out.
        reserved_tokens: a list of tokens that are always in, such as ``<pad>``.
        order: how indices are given out, which differs by edition:
            ``frequency``: ``<unk>``, the reserved tokens, then by falling frequency, ties by
            first appearance (functional chapter);
            ``sorted``: all of them in code-point order, ``<unk>`` among them (chapter 9);
            ``distinct``: in code-point order and without ``<unk>`` (the original chapter, where the
            order was that of a set and so of no meaning).
        token: what a token is; decides how `split` and `join` treat a text.

    Attributes:
        token_freqs: (token, count) pairs by falling count.
        idx_to_token: the token at every index.
        token_to_idx: the index of every token.

    Raises:
        RequestError: there is no such order.
        TypeError: a token is neither a string nor a tuple, or `reserved_tokens` is no list.
    """

    def __init__(
        self,
        tokens: Iterable[Any] | Mapping[Any, int] = (),
        min_freq: int = 0,
        reserved_tokens: Iterable[str] | None = (),
        order: Order = "frequency",
        token: Token = "char",
    ) -> None:
        if order not in get_args(Order):
            raise RequestError(f"unknown order {order!r}: one of {', '.join(get_args(Order))}")
        if isinstance(reserved_tokens, str):
            raise TypeError(
                f"reserved_tokens={reserved_tokens!r}: give a list, [{reserved_tokens!r}]"
            )
        counts = tokens if isinstance(tokens, Mapping) else Counter(_flatten(tokens))
        self.token = token
        self.token_freqs = sorted(counts.items(), key=lambda pair: pair[1], reverse=True)
        kept = [token for token, freq in self.token_freqs if freq >= min_freq]
        reserved = [*(reserved_tokens or ())]
        special = reserved if order == "distinct" else [UNK, *reserved]
        unique = list(dict.fromkeys(special + kept))
        for each in unique:
            if not isinstance(each, (str, tuple)):
                raise TypeError(f"a token is a string or a tuple, not {each!r}")
        # a tuple cannot be compared with <unk>: it comes after all strings
        by_code_point = sorted(unique, key=lambda each: (isinstance(each, tuple), each))
        self.idx_to_token = unique if order == "frequency" else by_code_point
        self.token_to_idx = {token: idx for idx, token in enumerate(self.idx_to_token)}

    @classmethod
    def from_idx_to_token(cls, idx_to_token: list[str], token: Token) -> Vocab:
        """The vocabulary with exactly these indices, such as one that was saved.

        Raises:
            ValueError: they are not distinct strings.
        """
        if len(set(idx_to_token)) != len(idx_to_token) or not all(
            isinstance(token, str) for token in idx_to_token
        ):
            raise ValueError("the tokens of a vocabulary are distinct strings")
        vocab = cls(token=token)
        vocab.idx_to_token = idx_to_token
        vocab.token_to_idx = {token: idx for idx, token in enumerate(idx_to_token)}
        return vocab

    def __len__(self) -> int:
        """The number of distinct tokens, ``<unk>`` included where there is one."""
        return len(self.idx_to_token)

    def __iter__(self) -> Iterator[Any]:
        """The tokens by their index."""
        return iter(self.idx_to_token)

    def __contains__(self, token: object) -> bool:
        """Whether a token has an index of its own."""
        return isinstance(token, Hashable) and token in self.token_to_idx

    def __getitem__(self, tokens: Any) -> Any:
        """The index of a token, or a list of indices for a list or array (nested ones too).

        A tuple is a token where it is one of the vocabulary or only tuples are, else a list.

        Raises:
            KeyError: the token is unknown and this vocabulary has no ``<unk>``.
            TypeError: something is no token.
        """
        if isinstance(tokens, tuple) and (tokens in self or self._holds_tuples):
            return self._index(tokens)
        if isinstance(tokens, str):
            return self._index(tokens)
        tokens = _listed(tokens)
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        raise TypeError(
            f"{tokens!r} is not a token, which is a string: "
            f"to_tokens({tokens!r}) gives the token at an index"
        )

    def _index(self, token: Any) -> int:
        index = self.token_to_idx.get(token, self.unk)
        if index is None:
            raise KeyError(f"{token!r} is not in the vocabulary, which has no {UNK}")
        return index

    @property
    def _holds_tuples(self) -> bool:
        return bool(self.token_freqs) and isinstance(self.token_freqs[0][0], tuple)

    def to_tokens(self, indices: Any) -> Any:
        """The token at an index, or a list of tokens for a list or array of indices.

        Args:
            indices: an integer, or a list or array of integers of any shape, of any framework.

        Raises:
            TypeError: something is no integer.
            IndexError: an index is beyond the vocabulary.
        """
        indices = _listed(indices)
        if isinstance(indices, (list, tuple)):
            return [self.to_tokens(index) for index in indices]
        try:
            index = operator.index(indices)
        except TypeError:
            raise TypeError(f"{indices!r} is not an index, which is an integer") from None
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index}: the vocabulary has {len(self)} tokens")
        return self.idx_to_token[index]

    @property
    def unk(self) -> int | None:
        """The index of ``<unk>``; None in the edition that has none."""
        return self.token_to_idx.get(UNK)

    def split(self, text: str) -> list[str]:
        """The tokens of a text: its characters, or its words."""
        return text.split() if self.token == "word" else list(text)

    def join(self, indices: Iterable[int]) -> str:
        """The text of some indices: `split`, undone."""
        separator = " " if self.token == "word" else ""
        return separator.join(self.idx_to_token[int(index)] for index in indices)

    def beginning(self, corpus: NDArray[Any]) -> str:
        """The first 15 characters, or three words, of a corpus of indices (N,)."""
        return self.join(corpus[: 3 if self.token == "word" else 15])

    def check_prefix(self, prefix: str) -> None:
        """See that a prefix can start a prediction.

        Raises:
            RequestError: it is empty, or it holds unseen tokens and there is no ``<unk>``.
        """
        tokens = self.split(prefix)
        if not tokens:
            raise RequestError(f"--prefix {prefix!r} holds no {self.token}: give at least one")
        unseen = [t for t in dict.fromkeys(tokens) if t not in self.token_to_idx]
        if unseen and self.unk is None:
            named = ", ".join(map(repr, unseen))
            raise RequestError(
                f"--prefix {prefix!r} holds what this corpus never shows: {named}; "
                f"its vocabulary has no {UNK}, so leave them out"
            )


def _flatten(tokens: Iterable[Any]) -> Iterable[Any]:
    for token in tokens:
        if isinstance(token, list):
            yield from _flatten(token)
        else:
            yield token


def _listed(values: Any) -> Any:
    """An array of any framework as lists, a scalar of one as a number; others as they are."""
    for name in ("asnumpy", "numpy", "tolist"):  # of MXNet, TensorFlow, and all the others
        if hasattr(values, name) and not (name == "numpy" and hasattr(values, "tolist")):
            return _listed(getattr(values, name)())
    return values
