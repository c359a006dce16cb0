"""The tokens of a text that comes in pieces: counted first, then turned into indices."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from common.vocab import Vocab

Indices = NDArray[np.unsignedinteger]
Piece = TypeVar("Piece", str, list[str])


class Characters:
    """The characters of a text.

    Args:
        pieces: the text; gone through once to count, and again for the indices.

    Attributes:
        counts: frequency of each character, in the order of their first appearance.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces = pieces
        counts = np.zeros(128, np.int64)
        seen: list[str] = []
        for piece in pieces:
            found = np.bincount(_codes(piece))
            if len(found) > len(counts):
                counts = np.append(counts, np.zeros(len(found) - len(counts), np.int64))
            new = np.flatnonzero((found > 0) & (counts[: len(found)] == 0))
            seen += sorted(map(chr, new.tolist()), key=piece.index)
            counts[: len(found)] += found
        self.counts = dict(zip(seen, counts[[*map(ord, seen)]].tolist(), strict=True))

    def indices(self, vocab: Vocab, max_tokens: int | None) -> Indices:
        """The indices (N,) of the first `max_tokens` characters, or of all."""
        chars = [*self.counts]
        codes = [ord(char) for char in chars]
        index_of: Indices = np.zeros(max(256, *codes) + 1, _smallest_type(vocab))
        index_of[codes] = vocab[chars]
        bytewise = index_of[:256].tobytes() if index_of.itemsize == 1 else b""
        num_tokens = len(range(sum(self.counts.values()))[:max_tokens])
        indices: Indices = np.empty(num_tokens, index_of.dtype)
        start = 0
        for piece in first(self.pieces, num_tokens):
            stop = start + len(piece)
            if bytewise and piece.isascii():
                indices[start:stop] = np.frombuffer(piece.encode().translate(bytewise), np.uint8)
            else:
                # "clip": every code is in the table; to check it again takes a second buffer
                index_of.take(_codes(piece), out=indices[start:stop], mode="clip")
            start = stop
        return indices


class Words:
    """The words of a text: what stands between white space.

    Args:
        pieces: the text; a word may go on in the next piece.
        max_tokens: read only so many words; None reads all.

    Attributes:
        counts: frequency of each word, in the order of their first appearance.
    """

    def __init__(self, pieces: Iterable[str], max_tokens: int | None) -> None:
        number: defaultdict[str, int] = defaultdict()
        number.default_factory = number.__len__  # a new word gets the next number
        numbers = [
            np.fromiter(map(number.__getitem__, words), np.uint32, len(words))
            for words in first(_split(pieces), max_tokens)
        ]
        self.numbers = np.concatenate([np.zeros(0, np.uint32), *numbers])
        self.counts = dict(zip(number, np.bincount(self.numbers).tolist(), strict=True))

    def indices(self, vocab: Vocab, max_tokens: int | None) -> Indices:
        """The indices (N,) of the first `max_tokens` words, or of all."""
        index_of = np.array(vocab[[*self.counts]], _smallest_type(vocab))
        indices: Indices = index_of[self.numbers[:max_tokens]]
        return indices


def first(pieces: Iterable[Piece], max_tokens: int | None) -> Iterator[Piece]:
    """The pieces as far as the first `max_tokens` tokens; no piece beyond is asked for."""
    left = sys.maxsize if max_tokens is None else max_tokens
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _smallest_type(vocab: Vocab) -> np.dtype[np.unsignedinteger]:
    """The smallest unsigned integer type that holds every index."""
    return np.min_scalar_type(len(vocab) - 1)


def _codes(piece: str) -> NDArray[np.unsignedinteger]:
    """The code points (N,) of a piece, in one byte each where it is ASCII."""
    if piece.isascii():
        return np.frombuffer(piece.encode(), np.uint8)
    return np.frombuffer(piece.encode("utf-32-le"), "<u4")


def _split(pieces: Iterable[str]) -> Iterator[list[str]]:
    """The words of each piece, the last one put off while it may go on in the next piece."""
    tail = ""
    for piece in pieces:
        words = (tail + piece).split()
        tail = words.pop() if words and not piece[-1:].isspace() else ""
        yield words
    yield [tail] if tail else []
