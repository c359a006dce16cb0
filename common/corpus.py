"""Text to indices: the editions' preprocessings, tokens, and the two loaders of the book."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from common import sources
from common.batches import Sampling, SeqDataLoader
from common.errors import RequestError
from common.vocab import Order, Token, Vocab

Indices = NDArray[np.unsignedinteger]
Edition = Literal["functional", "object", "lyrics", "plain"]


def letters(text: str) -> str:
    """A text in lower-case letters, every run of anything else one space (seed 003)."""
    return re.sub("[^A-Za-z]+", " ", text).lower()


def letters_by_line(text: str) -> list[str]:
    """`letters` of every line on its own, stripped (functional chapter)."""
    return [letters(line).strip() for line in text.splitlines()]


def newlines_to_spaces(text: str) -> list[str]:
    """The text with every line break a space (seed 001)."""
    return [text.replace("\n", " ").replace("\r", " ")]


@dataclass(frozen=True)
class Preparation:
    """How an edition of the book turns a text into tokens and a vocabulary."""

    preprocess: Callable[[str], list[str]]  # to lines, which are joined with nothing between
    order: Order
    vocab_of_whole: bool  # whether tokens beyond max_tokens are in the vocabulary too


PREPARATIONS: dict[Edition, Preparation] = {
    "functional": Preparation(letters_by_line, "frequency", True),  # seed 000
    "object": Preparation(lambda text: [letters(text)], "sorted", True),  # seeds 002 and 003
    "lyrics": Preparation(newlines_to_spaces, "distinct", False),  # seed 001
    "plain": Preparation(lambda text: [text], "frequency", True),  # any other text, as it is
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
) -> tuple[Indices, Vocab]:
    """Read a corpus and turn it into indices.

    Args:
        name_or_path: ``embedded``, ``time-machine``, ``lyrics``, or a UTF-8 text file.
        token: ``char`` or ``word``.
        max_tokens: keep only so many tokens from the start; None keeps all.
        edition: whose preprocessing and vocabulary order (`PREPARATIONS`); None is the corpus's
            own, and ``plain`` for a path.
        data_dir: where to look first for a published corpus.

    Returns:
        The indices (N,), in the smallest unsigned integer type that holds them, and the `Vocab`.

    Raises:
        RequestError: the corpus cannot be had, is not text, or has fewer than two symbols.
    """
    return encode(sources.read(name_or_path, data_dir), token, max_tokens, edition)


def encode(
    text: sources.Text,
    token: Token = "char",
    max_tokens: int | None = None,
    edition: Edition | None = None,
) -> tuple[Indices, Vocab]:
    """Turn a text that was read into indices and a vocabulary; see `load_corpus`."""
    how = PREPARATIONS[edition or EDITION_OF.get(text.name, "plain")]
    lines = how.preprocess(text.text)
    tokens: Sequence[str] = (
        [word for line in lines for word in line.split()] if token == "word" else "".join(lines)
    )
    if not how.vocab_of_whole:
        tokens = tokens[:max_tokens]
    counts = _count_chars(tokens) if isinstance(tokens, str) else Counter(tokens)
    if len(counts) < 2:
        raise RequestError(
            f"corpus {text.name}: {len(counts)} distinct {token}s after preprocessing, "
            "so there is nothing to learn: give a text with at least two"
        )
    vocab = Vocab(counts, order=how.order, token=token)
    return _indices(tokens[:max_tokens], vocab), vocab


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def _count_chars(text: str) -> Mapping[str, int]:
    """Count characters, in the order of their first appearance, as `Counter` would."""
    counts = np.bincount(_codes(text))
    seen = {chr(code): int(counts[code]) for code in np.flatnonzero(counts)}
    return dict(sorted(seen.items(), key=lambda pair: text.index(pair[0])))


def _indices(tokens: Sequence[str], vocab: Vocab) -> Indices:
    dtype = np.min_scalar_type(len(vocab) - 1)
    if not isinstance(tokens, str):
        return np.fromiter((vocab[word] for word in tokens), dtype, len(tokens))
    table = np.zeros(0x110000, dtype)
    for char, index in vocab.token_to_idx.items():
        if len(char) == 1:
            table[ord(char)] = index
    return table[_codes(tokens)]


def load_data_time_machine(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10_000,
    seed: int = 0,
) -> tuple[SeqDataLoader, Vocab]:
    """The Time Machine's minibatches and vocabulary (functional chapter, seed 000)."""
    indices, vocab = load_corpus("time-machine", max_tokens=max_tokens)
    sampling: Sampling = "random" if use_random_iter else "sequential"
    return SeqDataLoader(indices, batch_size, num_steps, sampling, seed), vocab


def load_data_jay_lyrics() -> tuple[Indices, dict[str, int], list[str], int]:
    """The first 10,000 characters of the lyrics (seed 001).

    Returns:
        corpus_indices, char_to_idx, idx_to_char, vocab_size.
    """
    indices, vocab = load_corpus("lyrics", max_tokens=10_000)
    return indices, vocab.token_to_idx, vocab.idx_to_token, len(vocab)
