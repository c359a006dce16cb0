"""Vocab: tokens to indices and back, with the surface the book gave it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from reprlib import repr as brief
from typing import Any, Literal, get_args

import numpy as np

from common.array import Array
from common.errors import RequestError

UNK = "<unk>"
Token = Literal["char", "word"]
Order = Literal["frequency", "sorted", "distinct"]


def as_numpy(x: Any) -> Array:
    """A number, list, array or tensor of any framework as a NumPy array."""
    if hasattr(x, "detach") and hasattr(x, "cpu"):  # PyTorch
        x = x.detach().cpu()
    if hasattr(x, "asnumpy"):  # MXNet
        x = x.asnumpy()
        if x.dtype.kind == "f" and (x == np.floor(x)).all():  # its whole numbers are floats too
            x = x.astype(np.int64)
    return np.asarray(x)


def whole_numbers(x: Any) -> Array:
    """Indices, however given, as a NumPy array of integers.

    Raises:
        TypeError: they are something else.
    """
    found = as_numpy(x)
    if found.size and found.dtype.kind not in "iu":
        given = f"an array of {found.dtype}" if found.ndim else brief(found.item())
        raise TypeError(f"indices are whole numbers, alone or in lists and arrays, not {given}")
    return found


class Vocab:
    """A vocabulary (section 9.2; the functional chapter; the original chapter).

    It is a collection of its tokens, which are strings: ``in``, ``len`` and ``for`` are of tokens.

    Args:
        tokens: a list or array of tokens, of any depth, or a mapping of token to count.
        min_freq: tokens seen less often are left out.
        reserved_tokens: tokens that are always in, such as ``<pad>``; one, several, or None.
        order: order of the indices, which differs by edition; None is `default_order`:
            ``frequency``: ``<unk>``, the reserved tokens, then by falling frequency, ties by
            first appearance (functional chapter);
            ``sorted``: all of them in code-point order, ``<unk>`` among them (chapter 9);
            ``distinct``: in code-point order and without ``<unk>`` (original chapter, where the
            order was that of a set and so of no meaning).
        token: kind of token; decides how `split` and `join` treat a text.

    Attributes:
        token_freqs: (token, count) pairs by falling count.
        idx_to_token: the token at every index.
        token_to_idx: the index of every token.

    Raises:
        TypeError: a token is no string.
    """

    default_order: Order = "frequency"

    def __init__(
        self,
        tokens: Iterable[Any] | Mapping[str, int] = (),
        min_freq: int = 0,
        reserved_tokens: Iterable[str] | str | None = None,
        order: Order | None = None,
        token: Token = "char",
    ) -> None:
        order = self.default_order if order is None else order
        if order not in get_args(Order):
            raise RequestError(f"unknown order {order!r}: one of {', '.join(get_args(Order))}")
        if reserved_tokens is None or isinstance(reserved_tokens, str):
            reserved_tokens = [reserved_tokens] if reserved_tokens else []
        reserved_tokens = [*_strings(reserved_tokens)]
        counts = tokens if isinstance(tokens, Mapping) else Counter(_strings(tokens))
        self.token = token
        self.token_freqs = sorted(counts.items(), key=lambda pair: pair[1], reverse=True)
        kept = [*_strings(token for token, freq in self.token_freqs if freq >= min_freq)]
        special = reserved_tokens if order == "distinct" else [UNK, *reserved_tokens]
        unique = list(dict.fromkeys(special + kept))
        self.idx_to_token = unique if order == "frequency" else sorted(unique)
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

    def __iter__(self) -> Iterator[str]:
        return iter(self.idx_to_token)

    def __contains__(self, token: object) -> bool:
        return token in self.token_to_idx

    def __getitem__(self, tokens: Any) -> Any:
        """The index of a token, or a list of indices for a list or array (nested ones too).

        A whole number is taken for a place, as in any sequence: it gives the token there.

        Raises:
            KeyError: the token is unknown and this vocabulary has no ``<unk>``.
            IndexError: there is no such place.
            TypeError: the argument is neither a token nor a place.
        """
        if isinstance(tokens, str):
            index = self.token_to_idx.get(tokens, self.unk)
            if index is None:
                raise KeyError(f"{tokens!r} is not in the vocabulary, which has no {UNK}")
            return index
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        found = as_numpy(tokens)
        if found.dtype.kind in "UOT" and isinstance(given := found.tolist(), (str, list)):
            return self[given]
        return self.to_tokens(found)

    def to_tokens(self, indices: Any) -> Any:
        """The token at an index, or a list of tokens for a list or array (nested ones too).

        Raises:
            IndexError: an index is not in the vocabulary.
            TypeError: an index is no whole number.
        """
        if isinstance(indices, (list, tuple)):
            return [self.to_tokens(index) for index in indices]
        if type(indices) is not int:
            return self.to_tokens(whole_numbers(indices).tolist())
        if not 0 <= indices < len(self):
            raise IndexError(
                f"index {indices} is not in this vocabulary, which ends at {len(self) - 1}"
            )
        return self.idx_to_token[indices]

    @property
    def unk(self) -> int | None:
        """The index of ``<unk>``; None in the edition that has none."""
        return self.token_to_idx.get(UNK)

    def split(self, text: str) -> list[str]:
        """The tokens of a text: its characters, or its words."""
        return text.split() if self.token == "word" else list(text)

    def join(self, indices: Any) -> str:
        """The text of an index, or of a list or array of indices (N,): `split`, undone."""
        tokens = self.to_tokens(indices)
        separator = " " if self.token == "word" else ""
        return tokens if isinstance(tokens, str) else separator.join(tokens)

    def unseen(self, text: str) -> list[str]:
        """The tokens of a text that are not in the vocabulary, each once."""
        return [t for t in dict.fromkeys(self.split(text)) if t not in self.token_to_idx]

    def check_prefix(self, prefix: str) -> None:
        """See that a prefix can start a prediction.

        Raises:
            RequestError: the prefix is empty, or has unseen tokens and there is no ``<unk>``.
        """
        tokens = self.split(prefix)
        if not tokens:
            raise RequestError(f"prefix {prefix!r} holds no {self.token}: give at least one")
        unseen = self.unseen(prefix)
        if unseen and self.unk is None:
            named = ", ".join(map(repr, unseen))
            raise RequestError(
                f"prefix {prefix!r} holds what this corpus never shows: {named}; "
                f"its vocabulary has no {UNK}, so leave them out"
            )


def _strings(tokens: Iterable[Any]) -> Iterator[str]:
    """The tokens of a list or array of any depth, each seen to be a string."""
    for token in tokens:
        if isinstance(token, (list, np.ndarray)):
            yield from _strings(token)
        elif isinstance(token, str):
            yield str(token)  # one of NumPy's own becomes Python's
        else:
            raise TypeError(
                f"a token is a string, not {brief(token)}: of its parts, join makes one"
            )
