"""Text to indices: the editions' preprocessings, tokens, and the two loaders of the book."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Literal

import numpy as np

from common import sources
from common.batches import Sampling, SeqDataLoader
from common.errors import RequestError
from common.preparation import letters, letters_by_line, newlines_to_spaces
from common.text import Text
from common.tokens import Characters, Indices, Piece, Spool, Tokens, Words
from common.vocab import UNK, Order, Token, Vocab

Edition = Literal["functional", "object", "lyrics", "plain"]
Preprocess = Callable[[Iterable[str]], Iterator[str]] | None  # None: the text as it is


@dataclass(frozen=True)
class Preparation:
    """Rules by which an edition of the book turns a text into tokens and a vocabulary."""

    for_chars: Preprocess
    for_words: Preprocess
    order: Order
    vocab_of_whole: bool  # whether tokens beyond max_tokens are in the vocabulary too


PREPARATIONS: dict[Edition, Preparation] = {
    "functional": Preparation(letters_by_line, letters, "frequency", True),  # functional chapter
    "object": Preparation(letters, letters, "sorted", True),  # he_normal weights, chapter 9
    "lyrics": Preparation(newlines_to_spaces, None, "distinct", False),  # original chapter
    "plain": Preparation(None, None, "frequency", True),  # any other text
}
EDITION_OF: dict[str, Edition] = {
    "embedded": "object",
    "time-machine": "functional",
    "lyrics": "lyrics",
}


def load_corpus(
    name_or_path: str | Path,
    token: Token = "char",
    max_tokens: int | None = None,
    *,
    edition: Edition | None = None,
    data_dir: str | Path | None = None,
    min_freq: int = 0,
) -> tuple[Indices, Vocab]:
    """Read a corpus and turn it into indices.

    Args:
        name_or_path: ``embedded``, ``time-machine``, ``lyrics``, or a UTF-8 text file.
        token: ``char`` or ``word``.
        max_tokens: keep only so many tokens from the start; None keeps all.
        edition: of the preprocessing and vocabulary order (`PREPARATIONS`); None is the corpus's
            own, and ``plain`` for a path.
        data_dir: the first folder to look in for a published corpus.
        min_freq: tokens seen less often become ``<unk>``.

    Returns:
        The indices (N,), in the smallest unsigned integer type that holds them, and the `Vocab`.

    Raises:
        RequestError: the corpus cannot be had, is not text, or has fewer than two symbols; or its
            edition has no ``<unk>`` for rare tokens.
    """
    how = Cut(token, max_tokens, edition, min_freq)
    return encode(sources.read(name_or_path, data_dir), how)


@dataclass(frozen=True)
class Cut:
    """Settings that decide what indices a text becomes: those of `load_corpus`."""

    token: Token = "char"
    max_tokens: int | None = None
    edition: Edition | None = None
    min_freq: int = 0

    def preparation(self, name: str) -> Preparation:
        """The rules for a corpus of this name."""
        return PREPARATIONS[self.edition or EDITION_OF.get(name, "plain")]


def encode(text: Text, how: Cut) -> tuple[Indices, Vocab]:
    """Turn a text into indices and a vocabulary, in memory; see `load_corpus`."""
    with BytesIO() as file:
        numbered = number(text, how, file)
        return numbered.indices(), numbered.vocab


@dataclass(frozen=True)
class Numbered:
    """A text that was gone through.

    Attributes:
        counts: frequency of each token of the vocabulary, in the order of first appearance.
        vocab: the vocabulary that comes of them.
        num_tokens: of the whole text.
        spool: numbers of the tokens that are kept.
    """

    counts: dict[str, int]
    vocab: Vocab
    num_tokens: int
    spool: Spool

    @property
    def index_of(self) -> Indices:
        """The index of each token, by its number, in the smallest type that holds every index."""
        return np.array(self.vocab[[*self.counts]], np.min_scalar_type(len(self.vocab) - 1))

    def indices(self) -> Indices:
        """The indices of the tokens that are kept (N,)."""
        index_of = self.index_of
        indices, stop = np.empty(len(self.spool), index_of.dtype), 0
        for piece in self.spool.looked_up(index_of):
            start, stop = stop, stop + len(piece)
            indices[start:stop] = piece
        return indices


def number(text: Text, how: Cut, file: IO[bytes]) -> Numbered:
    """Go through a text once: number its tokens into a file, as many as are kept, and count them.

    Args:
        text: the text.
        how: how it is cut.
        file: empty, to read and to write; or memory that is like one.
    """
    if how.token == "word":
        return _number(text, how, file, Words(), how.preparation(text.name).for_words)
    return _number(text, how, file, Characters(), how.preparation(text.name).for_chars)


def _number(
    text: Text, how: Cut, file: IO[bytes], tokens: Tokens[Piece], preprocess: Preprocess
) -> Numbered:
    counts_all = how.preparation(text.name).vocab_of_whole
    spool, num_tokens = Spool(file), 0
    left = sys.maxsize if how.max_tokens is None else how.max_tokens
    for piece in tokens.split(preprocess(text) if preprocess else text):
        num_tokens += len(piece)
        if counted := piece if counts_all else piece[:left]:
            kept = tokens.numbers(counted)[:left]
            spool.add(kept)
            left -= len(kept)
    counts = tokens.counts()
    return Numbered(counts, vocabulary(text.name, counts, how), num_tokens, spool)


def vocabulary(name: str, counts: dict[str, int], how: Cut) -> Vocab:
    """The vocabulary of a corpus of this name, from the counts of its tokens.

    Raises:
        RequestError: the corpus has fewer than two symbols, or rare ones and no ``<unk>`` for them.
    """
    if len(counts) < 2:
        raise RequestError(
            f"corpus {name}: {len(counts)} distinct {how.token}s after preprocessing, "
            "so there is nothing to learn: give a text with at least two"
        )
    vocab = Vocab(counts, how.min_freq, order=how.preparation(name).order, token=how.token)
    _check_min_freq(how.min_freq, name, counts, vocab)
    return vocab


def _check_min_freq(min_freq: int, name: str, counts: dict[str, int], vocab: Vocab) -> None:
    most = max(counts.values())
    if most < min_freq:
        raise RequestError(
            f"--min-freq {min_freq}: no {vocab.token} of corpus {name} is that frequent: "
            f"the most frequent comes {most} times"
        )
    if vocab.unk is None and min(counts.values()) < min_freq:
        raise RequestError(
            f"--min-freq {min_freq}: the vocabulary of corpus {name} has no {UNK} for rarer "
            f"{vocab.token}s: leave it out"
        )


def load_data(
    name: str,
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10_000,
    seed: int = 0,
) -> tuple[SeqDataLoader, Vocab]:
    """Minibatches and vocabulary of a corpus, prepared as in the functional chapter."""
    indices, vocab = load_corpus(name, max_tokens=max_tokens, edition="functional")
    sampling: Sampling = "random" if use_random_iter else "sequential"
    return SeqDataLoader(indices, batch_size, num_steps, sampling, seed), vocab


def load_data_time_machine(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10_000,
    seed: int = 0,
) -> tuple[SeqDataLoader, Vocab]:
    """The Time Machine's minibatches and vocabulary (functional chapter)."""
    return load_data("time-machine", batch_size, num_steps, use_random_iter, max_tokens, seed)


def load_data_jay_lyrics() -> tuple[Indices, dict[str, int], list[str], int]:
    """The first 10,000 characters of the lyrics (original chapter).

    Returns:
        corpus_indices, char_to_idx, idx_to_char, vocab_size.
    """
    indices, vocab = load_corpus("lyrics", max_tokens=10_000)
    return indices, vocab.token_to_idx, vocab.idx_to_token, len(vocab)
