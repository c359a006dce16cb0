"""Text to indices: the editions' preprocessings, tokens, and the two loaders of the book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common import sources
from common.batches import Sampling, SeqDataLoader
from common.errors import RequestError
from common.preparation import letters, letters_by_line, newlines_to_spaces
from common.tokens import Characters, Indices, Words, first
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
    return encode(sources.read(name_or_path, data_dir), token, max_tokens, edition, min_freq)


def encode(
    text: sources.Text,
    token: Token = "char",
    max_tokens: int | None = None,
    edition: Edition | None = None,
    min_freq: int = 0,
) -> tuple[Indices, Vocab]:
    """Turn a text that was read into indices and a vocabulary; see `load_corpus`."""
    how = PREPARATIONS[edition or EDITION_OF.get(text.name, "plain")]
    counted = None if how.vocab_of_whole else max_tokens
    tokens: Characters | Words
    if token == "word":
        tokens = Words(how.for_words(text) if how.for_words else text, counted)
    else:
        tokens = Characters([*first(how.for_chars(text), counted)] if how.for_chars else text)
    counts = tokens.counts
    if len(counts) < 2:
        raise RequestError(
            f"corpus {text.name}: {len(counts)} distinct {token}s after preprocessing, "
            "so there is nothing to learn: give a text with at least two"
        )
    vocab = Vocab(counts, min_freq, order=how.order, token=token)
    _check_min_freq(min_freq, text.name, counts, vocab)
    return tokens.indices(vocab, max_tokens), vocab


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
