"""N-grams against slow counting in dictionaries, and against figures that are known."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import ngrams
from common.corpus import load_corpus
from common.ngrams import NGrams, out_of_vocabulary, zipf

V = 5
TEXTS = st.lists(st.integers(0, V - 2), min_size=1, max_size=60)  # token V - 1 is never seen


class Slow:
    """The definition, word for word: dictionaries, one token at a time."""

    def __init__(self, text, longest):
        grams = [
            [tuple(text[i : i + n]) for i in range(len(text) - n + 1)] for n in range(longest + 1)
        ]
        self.counts = [Counter(each) for each in grams]
        self.preceded = [Counter(gram[1:] for gram in each) for each in self.counts[1:]]

    def plain(self, gram):
        """By maximum likelihood after the longest ending of the context that was seen."""
        for start in range(len(gram)):
            counts = self.counts[len(gram) - start]
            if total := sum(c for g, c in counts.items() if g[:-1] == gram[start:-1]):
                return counts[gram[start:]] / total
        return None

    def smooth(self, gram, n):
        """By interpolated Kneser-Ney: the model of n tokens, or what stands below it."""
        if not gram:
            return 1 / V
        counts = self.counts[n] if len(gram) == n else self.preceded[len(gram)]
        shorter = self.smooth(gram[1:], n)
        after = [c for g, c in counts.items() if g[:-1] == gram[:-1]]
        if not after:
            return shorter
        once, twice = (sum(c == k for c in counts.values()) for k in (1, 2))
        D = once / (once + 2 * twice) if once else 0.5
        kept = max(counts[gram] - D, 0)
        left = sum(c - max(c - D, 0) for c in after)
        return (kept + left * shorter) / sum(after)


@given(TEXTS, st.lists(st.integers(0, V - 1), min_size=1, max_size=12), st.integers(1, 5))
def test_the_models_are_those_of_the_dictionaries(text, other, longest):
    longest = min(longest, len(text))
    slow = Slow(text, longest)
    models = NGrams(np.array(text, np.uint8), V, longest).probabilities(np.array(other))
    for n, given_ in enumerate(models, 1):
        grams = [tuple(other[max(0, i - n + 1) : i + 1]) for i in range(len(other))]
        np.testing.assert_allclose(given_["none"], [slow.plain(g) for g in grams], rtol=1e-12)
        np.testing.assert_allclose(
            given_["kneser-ney"], [slow.smooth(g, n) for g in grams], rtol=1e-12
        )


@given(TEXTS, st.lists(st.integers(0, V - 1), max_size=6))
def test_probabilities_sum_to_one_after_any_context(text, context):
    after = np.array([[*context, token] for token in range(V)])
    for each in NGrams(np.array(text), V).probabilities(after):
        for smoothing, given_ in each.items():
            assert given_[:, -1].sum() == pytest.approx(1, abs=1e-12), smoothing
        assert (each["kneser-ney"] > 0).all()


@given(TEXTS)
def test_what_is_counted_in_a_table_and_by_sorting_is_the_same(text):
    found = []
    for fits in (lambda *_: True, lambda *_: False):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(ngrams, "_fits", fits)
            counted = NGrams(np.array(text), V)
            found.append([*counted.perplexities(np.array([*text[::-1], V - 1]))])
    assert found[0] == found[1]


@given(TEXTS)
def test_unigrams_by_maximum_likelihood_have_the_perplexity_of_their_entropy(text):
    p = np.array([*Counter(text).values()]) / len(text)
    first, *_ = NGrams(np.array(text), V).perplexities(np.array(text))
    assert first["none"] == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-12)


@given(TEXTS, st.integers(1, 3))
def test_the_most_frequent_are_those_of_a_counter(text, n):
    n = min(n, len(text))
    counts = Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))
    expected = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:4]
    tokens, counted = NGrams(np.array(text), V).most_frequent(n, 4)
    assert [*zip(map(tuple, tokens.tolist()), counted.tolist(), strict=True)] == expected


def figures(name, **how):
    indices, vocab = load_corpus(name, **how)
    return [*NGrams(indices, len(vocab)).perplexities(indices)]


def test_the_known_figures():
    time_machine = figures("time-machine", max_tokens=10_000)
    assert time_machine[0]["none"] == pytest.approx(17.41, abs=0.005)
    assert time_machine[1]["none"] == pytest.approx(9.87, abs=0.005)
    assert figures("lyrics", max_tokens=10_000)[0]["none"] == pytest.approx(270.3, abs=0.05)


def test_words_of_the_book():
    """The lists of section 9.2, and lines with its slopes."""
    indices, vocab = load_corpus("time-machine", token="word")
    counted = NGrams(indices, len(vocab), 3)
    for n, first in ((1, "the"), (2, "of the"), (3, "the time traveller")):
        tokens, _ = counted.most_frequent(n, 1)
        assert vocab.join(tokens[0]) == first
    exponents = [zipf(level.counts).exponent for level in counted.levels]
    assert exponents == pytest.approx([1.04, 0.65, 0.38], abs=0.01)


def test_zipf_finds_the_line_it_was_given_and_says_where_there_is_none():
    found = zipf(np.round(1e9 * np.arange(1.0, 400) ** -1.3))
    assert found.exponent == pytest.approx(1.3, rel=1e-4)
    assert found.constant == pytest.approx(1e9, rel=1e-3)
    assert (found.first, found.last) == (10, 399)
    assert math.isnan(zipf(np.ones(1000)).exponent)


def test_the_share_out_of_vocabulary_is_of_tokens():
    counts = np.array([6, 3, 1])
    assert [out_of_vocabulary(counts, k) for k in (1, 2, 4, 7)] == [0, 0.1, 0.4, 1]


def test_many_tokens_do_not_overflow():
    """5-grams of a large vocabulary have more codes than an integer holds."""
    text = np.random.default_rng(0).integers(0, 2**20, 3000).astype(np.uint32)
    assert (2**20) ** 5 > 2**63
    counted = NGrams(text, 2**20)
    assert [len(level.codes) for level in counted.levels[1:]] == [2999, 2998, 2997, 2996]
    tokens, _ = counted.most_frequent(5, 3000)
    assert {*map(tuple, tokens.tolist())} == {tuple(text[i : i + 5].tolist()) for i in range(2996)}
