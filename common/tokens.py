"""The tokens of a text that comes in pieces: numbered and counted as they come, in one pass.

A token's number is its place in the order of first appearance. What its index is shows only once
the whole text is counted, so the numbers are put aside, and looked up in a table at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import IO, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.unsignedinteger]
Piece = TypeVar("Piece", str, list[str])
TOGETHER = 1 << 20  # words that are counted together: a count is as long as the vocabulary


class Tokens(Protocol[Piece]):
    """Tokens of one kind, numbered and counted."""

    def split(self, pieces: Iterable[str]) -> Iterator[Piece]:
        """The tokens of a text that comes in pieces, some at a time."""

    def numbers(self, piece: Piece) -> Indices:
        """The numbers (N,) of some tokens, which are counted."""

    def counts(self) -> dict[str, int]:
        """The frequency of each token, in the order of their numbers."""


class Characters:
    """Characters, numbered and counted."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._frequencies = np.zeros(128, np.int64)  # by code point
        self._number_of: Indices = np.zeros(128, np.uint8)
        self._bytewise = b""  # table for ASCII, while its numbers fit a byte

    def split(self, pieces: Iterable[str]) -> Iterator[str]:
        """The characters of each piece."""
        return iter(pieces)

    def numbers(self, piece: str) -> Indices:
        """The numbers (N,) of a piece's characters, which are counted."""
        codes = _codes(piece)
        found = np.bincount(codes)
        if len(found) > len(self._frequencies):
            more = len(found) - len(self._frequencies)
            self._frequencies = np.append(self._frequencies, np.zeros(more, np.int64))
            self._number_of = np.append(self._number_of, np.zeros(more, self._number_of.dtype))
        known = self._frequencies[: len(found)]
        new = np.flatnonzero((found > 0) & (known == 0))
        known += found
        if len(new):
            self._number(sorted(map(chr, new.tolist()), key=piece.index))
        if self._bytewise and codes.itemsize == 1:
            return np.frombuffer(codes.tobytes().translate(self._bytewise), np.uint8)
        # "clip": every code is in the table; to check it again takes a second buffer
        return self._number_of.take(codes, mode="clip")

    def _number(self, new: list[str]) -> None:
        first = len(self._seen)
        self._seen += new
        self._number_of = self._number_of.astype(np.min_scalar_type(len(self._seen) - 1))
        self._number_of[[*map(ord, new)]] = range(first, len(self._seen))
        fits = self._number_of[:128].max() < 256
        table = np.resize(self._number_of[:128], 256).astype(np.uint8)
        self._bytewise = table.tobytes() if fits else b""

    def counts(self) -> dict[str, int]:
        """The frequency of each character, in the order of their numbers."""
        frequencies = self._frequencies[[*map(ord, self._seen)]] if self._seen else np.zeros(0)
        return dict(zip(self._seen, frequencies.tolist(), strict=True))


class Words:
    """Words, which are what stands between white space, numbered and counted."""

    def __init__(self) -> None:
        self._number: defaultdict[str, int] = defaultdict()
        self._number.default_factory = self._number.__len__  # a new word gets the next number
        self._frequencies = np.zeros(0, np.int64)
        self._uncounted: list[Indices] = []

    def split(self, pieces: Iterable[str]) -> Iterator[list[str]]:
        """The words of each piece, the last put off while it may go on in the next piece."""
        tail = ""
        for piece in pieces:
            words = (tail + piece).split()
            tail = words.pop() if words and not piece[-1:].isspace() else ""
            yield words
        yield [tail] if tail else []

    def numbers(self, piece: list[str]) -> Indices:
        """The numbers (N,) of some words, which are counted."""
        found: Indices = np.fromiter(map(self._number.__getitem__, piece), np.uint32, len(piece))
        self._uncounted.append(found)
        if sum(map(len, self._uncounted)) >= TOGETHER:
            self._count()
        return found

    def _count(self) -> None:
        found = np.bincount(np.concatenate(self._uncounted), minlength=len(self._number))
        found[: len(self._frequencies)] += self._frequencies
        self._frequencies, self._uncounted = found, []

    def counts(self) -> dict[str, int]:
        """The frequency of each word, in the order of their numbers."""
        if self._uncounted:
            self._count()
        return dict(zip(self._number, self._frequencies.tolist(), strict=True))


class Spool:
    """Numbers put aside in a file, or in memory that is like one, as wide as each piece needs."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pieces: list[tuple[np.dtype[np.unsignedinteger], int]] = []

    def __len__(self) -> int:
        return sum(length for _, length in self._pieces)

    def add(self, numbers: Indices) -> None:
        """Put some numbers (N,) behind the others."""
        self._file.write(numbers.data)
        self._pieces.append((numbers.dtype, len(numbers)))

    def looked_up(self, index_of: Indices) -> Iterator[Indices]:
        """The index of every number, piece by piece, out of a table of indices by number."""
        bytewise = index_of[:256].tobytes().ljust(256) if index_of.itemsize == 1 else b""
        self._file.seek(0)
        for dtype, length in self._pieces:
            raw = self._file.read(length * dtype.itemsize)
            if bytewise and dtype.itemsize == 1:
                yield np.frombuffer(raw.translate(bytewise), np.uint8)
            else:
                yield index_of.take(np.frombuffer(raw, dtype), mode="clip")


def _codes(piece: str) -> Indices:
    """The code points (N,) of a piece, in one byte each where it is ASCII."""
    if piece.isascii():
        return np.frombuffer(piece.encode(), np.uint8)
    return np.frombuffer(piece.encode("utf-32-le"), "<u4")
