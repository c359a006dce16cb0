"""Counting tokens: frequencies, Zipf's law, and the language models that need nothing else.

An n-gram is n tokens in a row. Its frequency is the book's first look at a text (chapter 9,
section 9.2), and predicting a token from the n - 1 before it is what a network has to beat.

Two models are made of the same counts. Maximum likelihood, p(w | h) = c(h w) / c(h), knows its own
text best and gives nothing to what it never saw. Interpolated Kneser-Ney (R. Kneser and H. Ney,
"Improved backing-off for m-gram language modeling", 1995; in the interpolated form of S. F. Chen
and J. Goodman, "An empirical study of smoothing techniques for language modeling", 1999, sections
2.7 and 3.1.2) takes a discount D from every count and shares it out by the model one token shorter:

    p(w | h) = max(c(h w) - D, 0) / c(h)  +  D T(h) / c(h) * p'(w | h without its first token)

where T(h) is the number of distinct tokens seen after h, and the shorter model p' counts, for each
of its n-grams, not how often it came but after how many distinct tokens. Below one token stands
the uniform distribution over the vocabulary, so every token has a probability after any context.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.array import Array
from common.metrics import perplexity

Smoothing = Literal["none", "kneser-ney"]

LONGEST = 5
"""The longest n-grams that are counted."""

ZIPF_FROM, ZIPF_SEEN, ZIPF_RANKS = 10, 2, 5
"""Zipf's line is fitted from rank 10, for the first few are the book's exceptions, to the last
n-gram seen twice, for those seen once are a plateau as long as the text; to 5 ranks at least."""


@dataclass(frozen=True)
class Zipf:
    """The line log frequency = log constant - exponent * log rank, and the ranks it is fitted to.

    Where they are too few, exponent and constant are NaN.
    """

    exponent: float
    constant: float
    first: int
    last: int


def zipf(counts: Array) -> Zipf:
    """Zipf's line through the frequencies (K,) of n-grams, in any order, by least squares."""
    seen = np.sort(counts)[::-1]
    last = int(np.sum(seen >= ZIPF_SEEN))
    if last - ZIPF_FROM + 1 < ZIPF_RANKS:
        return Zipf(np.nan, np.nan, ZIPF_FROM, last)
    ranks = np.arange(ZIPF_FROM, last + 1)
    slope, intercept = np.polyfit(np.log(ranks), np.log(seen[ZIPF_FROM - 1 : last]), 1)
    return Zipf(-float(slope), float(np.exp(intercept)), ZIPF_FROM, last)


def out_of_vocabulary(counts: Array, min_freq: int) -> float:
    """The share of a text's tokens that a vocabulary of those seen `min_freq` times leaves out.

    Args:
        counts: frequency of each token (V,).
        min_freq: as of `common.vocab.Vocab`.
    """
    return float(counts[counts < min_freq].sum() / counts.sum())


@dataclass(frozen=True)
class Level:
    """All n-grams of one length in a text.

    The first n - 1 tokens are the n-gram's context: a number among the n-grams one token shorter.
    So each is one integer, however many tokens it has: context * vocab_size + last token.

    Attributes:
        codes: these integers (K,), rising; an n-gram's number is its place here.
        counts: frequency of each (K,).
        contexts: the number of each one's context (K,).
        num_contexts: number of n-grams one token shorter.
    """

    codes: Array
    counts: Array
    contexts: Array
    num_contexts: int

    def find(self, contexts: Array, tokens: Array, vocab_size: int) -> Array:
        """The numbers (...) of n-grams by context and last token; -1 for those never seen."""
        codes = contexts * vocab_size + tokens
        size = self.num_contexts * vocab_size
        if _fits(size, len(self.codes)):
            place_of = np.full(size, -1)
            place_of[self.codes] = np.arange(len(self.codes))
            found = place_of[codes]
        else:
            places = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
            found = np.where(self.codes[places] == codes, places, -1)
        return np.where(contexts < 0, -1, found)

    def shares(self, counts: Array, discount: float) -> tuple[Array, Array]:
        """Share of each n-gram in its context's probability, and the remainder of each context.

        Args:
            counts: of each n-gram (K,): its frequency, or number of distinct tokens before it.
            discount: amount taken from each count.

        Returns:
            The shares (K + 1,) and the remainders (num_contexts + 1,). The last of either, which
            the number -1 finds, is of what was never seen: it has nothing, and leaves everything.
        """
        total = np.bincount(self.contexts, counts, self.num_contexts)
        kept = np.maximum(counts - discount, 0)
        left = np.bincount(self.contexts, counts - kept, self.num_contexts)
        known = total > 0
        left = np.divide(left, total, out=np.ones_like(left), where=known)
        total[~known] = 1
        return np.append(kept / total[self.contexts], 0), np.append(left, 1)


class NGrams:
    """The n-grams of a text, counted.

    Args:
        corpus: indices (N,), at least one.
        vocab_size: number of tokens in the vocabulary.
        longest: the longest n-grams to count; no longer than the text.

    Attributes:
        levels: one `Level` each for n-grams of 1, 2, ... tokens.
        continuations: for each level but the last, number of distinct tokens before each.
    """

    def __init__(self, corpus: Array, vocab_size: int, longest: int = LONGEST) -> None:
        self.vocab_size = vocab_size
        self.levels: list[Level] = []
        self.continuations: list[Array] = []
        numbers, num_contexts = np.zeros(len(corpus), np.int64), 1
        for n in range(1, min(longest, len(corpus)) + 1):
            shorter = numbers
            codes = shorter[: len(corpus) - n + 1] * vocab_size + corpus[n - 1 :]
            found, numbers, counts = _distinct(codes, num_contexts * vocab_size)
            self.levels.append(Level(found, counts, found // vocab_size, num_contexts))
            if n > 1:
                endings = np.empty(len(found), np.int64)
                endings[numbers] = shorter[1:]  # an n-gram without its first token
                self.continuations.append(np.bincount(endings, minlength=num_contexts))
            num_contexts = len(found)

    def most_frequent(self, n: int, limit: int) -> tuple[Array, Array]:
        """The most frequent n-grams, ties in the order of the vocabulary.

        Returns:
            Their tokens (at most `limit`, n), and how often each comes.
        """
        numbers = np.argsort(-self.levels[n - 1].counts, kind="stable")[:limit]
        counts = self.levels[n - 1].counts[numbers]
        tokens = np.empty((len(numbers), n), np.int64)
        for k in range(n, 0, -1):
            numbers, tokens[:, k - 1] = np.divmod(
                self.levels[k - 1].codes[numbers], self.vocab_size
            )
        return tokens, counts

    def probabilities(self, tokens: Array) -> Iterator[dict[Smoothing, Array]]:
        """Probabilities of every token of a text by the models of n = 1, 2, ...

        A token with fewer than n - 1 before it is predicted from those there are, by the models
        one token shorter; so is one after a context that was never seen, from its longest ending
        that was.

        Args:
            tokens: indices (..., N): one text, or several of one length.

        Yields:
            For each n, the probabilities (..., N) without smoothing and with it.
        """
        plain = below = np.full(tokens.shape, 1 / self.vocab_size)
        numbers = np.zeros(tokens.shape, np.int64)
        for n, level in enumerate(self.levels, 1):
            contexts = numbers[..., : tokens.shape[-1] - n + 1]
            numbers = level.find(contexts, tokens[..., n - 1 :], self.vocab_size)
            at = numbers, contexts
            discount = _discount(level.counts)
            plain = _longer(plain, *level.shares(level.counts, 0), *at)
            yield {
                "none": plain,
                "kneser-ney": _longer(below, *level.shares(level.counts, discount), *at),
            }
            if n < len(self.levels):
                counts = self.continuations[n - 1]
                below = _longer(below, *level.shares(counts, _discount(counts)), *at)

    def perplexities(self, tokens: Array) -> Iterator[dict[Smoothing, float]]:
        """The token-weighted perplexity on a text (N,) of the models of n = 1, 2, ..."""
        with np.errstate(divide="ignore"):  # of what has no probability the loss is infinite
            for given in self.probabilities(tokens):
                yield {
                    smoothing: perplexity(-float(np.log(p).sum()), p.size)
                    for smoothing, p in given.items()
                }


def _longer(shorter: Array, shares: Array, left: Array, numbers: Array, contexts: Array) -> Array:
    """The probabilities (..., N) by the model one token longer than the one that gave `shorter`."""
    longer = shorter.copy()
    tail = longer[..., shorter.shape[-1] - numbers.shape[-1] :]
    tail *= left[contexts]
    tail += shares[numbers]
    return longer


def _discount(counts: Array) -> float:
    """D = n1 / (n1 + 2 n2), of how many were counted once and twice (Ney, Essen, Kneser 1994).

    Where none was counted once that would be nothing; a half leaves something to what is unseen.
    """
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    return once / (once + 2 * twice) if once else 0.5


def _distinct(codes: Array, size: int) -> tuple[Array, Array, Array]:
    """The distinct codes (K,), rising, the place of each code (N,) there, and their counts (K,).

    Where all codes below `size` fit a table, it is counted in one pass, else by sorting.
    """
    if not _fits(size, len(codes)):
        found, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
        return found, places, counts
    table = np.bincount(codes, minlength=size)
    found = np.flatnonzero(table)
    place_of = np.zeros(size, np.int64)
    place_of[found] = np.arange(len(found))
    return found, place_of[codes], table[found]


def _fits(size: int, count: int) -> bool:
    """True if a table of all codes below `size` is worth it for so many of them."""
    return size <= max(1 << 24, 4 * count)
