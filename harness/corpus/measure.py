"""``corpus``: a text before any network: its tokens, Zipf's law, and what counting predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import sources
from common.array import Array
from common.corpus import Cut, encode
from common.errors import RequestError
from common.experiment import Experiment
from common.files import storing, write_aside
from common.inputs import read_inputs
from common.ngrams import NGrams, out_of_vocabulary, zipf
from common.text import Text
from common.vocab import Token, Vocab
from harness.console import printable
from harness.lock import locked
from harness.records.cells import csv_of
from harness.records.facts import replacing, write_facts
from harness.records.reading import read_run
from harness.run.baselines import LIMITS, baselines, write_baselines

KINDS: dict[Token, str] = {"char": "characters", "word": "words"}
MIN_FREQS = (1, 2, 3, 5, 10, 20, 50, 100)
TOKENS, PER_LENGTH = 10_000, 1_000
"""Lines of ``tokens.csv``, and of ``ngrams.csv`` for each length, at most."""

LENGTHS = (1, 2, 3)
"""The n-grams whose frequencies are told."""

FEWEST = 10
"""Tokens a text has at least, or there is no tenth to hold out."""


@dataclass(frozen=True)
class Counted:
    """A text in one kind of token, counted.

    Attributes:
        token: kind of token.
        num_tokens: number of them.
        vocab: theirs.
        ngrams: of the first tokens, as many as `LIMITS` says.
        tokens, grams, zipf, oov, baselines: contents of the files of these names.
    """

    token: Token
    num_tokens: int
    vocab: Vocab
    ngrams: NGrams
    tokens: pd.DataFrame
    grams: pd.DataFrame
    zipf: pd.DataFrame
    oov: pd.DataFrame
    baselines: pd.DataFrame


@dataclass(frozen=True)
class Studied:
    """A corpus, counted in characters, in words, or in both.

    Attributes:
        text: the corpus.
        asked: options of the request, max_tokens and min_freq.
        counted: one for each kind of token.
    """

    text: Text
    asked: dict[str, int]
    counted: list[Counted]

    @property
    def name(self) -> str:
        """The corpus's name, or that of its file without suffix; fit to name a folder."""
        stem = Path(self.text.name).stem.lstrip(".") or "corpus"  # of ...txt, the stem is ..
        return self.text.name if self.text.name in sources.NAMES else stem

    def as_json(self) -> dict[str, Any]:
        """Contents of ``corpus.json``."""
        return {
            "corpus": self.text.name,
            "sha256": self.text.sha256,
            "characters": self.text.num_chars,
            **self.asked,
            "tokens": {each.token: _facts(each) for each in self.counted},
        }


def study(
    name: str | Path, tokens: Sequence[Token], max_tokens: int, min_freq: int, data_dir: Path | None
) -> Studied:
    """Count a corpus.

    Args:
        name: of a corpus, or the path of a UTF-8 text file.
        tokens: the kinds to count; each is cut as the corpus's edition does it.
        max_tokens: count only so many from the start; 0 counts all.
        min_freq: tokens seen less often become ``<unk>``.
        data_dir: the first folder to look in for a published corpus.

    Raises:
        RequestError: the corpus cannot be had, is not text, or leaves too little to count.
    """
    text = sources.read(name, data_dir)
    counted = [_count(text, token, max_tokens, min_freq) for token in tokens]
    return Studied(text, {"max_tokens": max_tokens, "min_freq": min_freq}, counted)


def write(studied: Studied, out: Path) -> None:
    """Write the tables into a folder, which is made if need be, then ``corpus.json``."""
    with storing(out):
        out.mkdir(parents=True, exist_ok=True)
    names = {"tokens": "tokens", "ngrams": "grams"}
    names |= {name: name for name in ("zipf", "oov", "baselines")}
    for name, attribute in names.items():
        tables = [getattr(each, attribute).assign(token=each.token) for each in studied.counted]
        table = pd.concat(tables, ignore_index=True)
        columns = ["token", *table.columns.drop("token")]
        write_aside(out / f"{name}.csv", csv_of(table[columns]))
    write_facts(out / "corpus.json", studied.as_json(), [f"{name}.csv" for name in names])


def add_baselines(folder: Path, data_dir: Path | None) -> pd.DataFrame:
    """Write ``baselines.csv`` into the folder of a run that has ended.

    Raises:
        RequestError: no run is there, its corpus is missing or not the same any more, or the
            folder cannot be written.
    """
    facts = read_run(folder).facts
    experiment = Experiment.of(facts["experiment"])
    inputs = read_inputs(experiment, data_dir)
    found, expected = inputs.prepared.sha256, facts["corpus"]["sha256"]
    if found != expected:
        raise RequestError(
            printable(
                f"--run {folder}: corpus {experiment.corpus} is not what it was trained on: its "
                f"SHA-256 is {found}, not {expected}; bring that file back"
            )
        )
    with locked(folder), replacing(folder / "run.json", "baselines.csv"):
        return write_baselines(folder, inputs)


def shown(text: str, token: Token) -> str:
    """A token or an n-gram for people: of characters, spaces and line breaks are seen."""
    return printable(text.replace(" ", "␣").replace("\n", "↵") if token == "char" else text)


def _count(text: Text, token: Token, max_tokens: int, min_freq: int) -> Counted:
    indices, vocab = encode(text, Cut(token, max_tokens or None))
    if len(indices) < FEWEST:
        raise RequestError(
            printable(
                f"corpus {text.name}: {len(indices)} {KINDS[token]}, too few to count: "
                f"give at least {FEWEST}, or another --token or --max-tokens"
            )
        )
    if min_freq > 1:
        indices, vocab = _without_rare(indices, vocab, min_freq)
    counts = np.bincount(indices, minlength=len(vocab))
    ngrams = NGrams(indices[: LIMITS[token]], len(vocab))
    return Counted(
        token,
        len(indices),
        vocab,
        ngrams,
        _most_frequent(NGrams(indices, len(vocab), 1), vocab, 1, TOKENS),
        pd.concat(
            [_most_frequent(ngrams, vocab, n, PER_LENGTH) for n in LENGTHS], ignore_index=True
        ),
        _zipf(ngrams),
        pd.DataFrame(
            [
                [k, out_of_vocabulary(counts, k), int(np.sum(counts[counts > 0] >= k))]
                for k in MIN_FREQS
            ],
            columns="min_freq share kept".split(),
        ),
        _baselines(indices[: LIMITS[token]], len(vocab)),
    )


def _without_rare(indices: Array, vocab: Vocab, min_freq: int) -> tuple[Array, Vocab]:
    """The text with its rare tokens as one, ``<unk>``."""
    counts = np.bincount(indices, minlength=len(vocab)).tolist()
    smaller = Vocab(dict(zip(vocab.idx_to_token, counts, strict=True)), min_freq, token=vocab.token)
    index_of = np.array([smaller[token] for token in vocab.idx_to_token], indices.dtype)
    return index_of[indices], smaller


def _most_frequent(ngrams: NGrams, vocab: Vocab, n: int, limit: int) -> pd.DataFrame:
    tokens, counts = ngrams.most_frequent(n, limit)
    table = {"n": n, "rank": np.arange(1, len(counts) + 1), "text": [*map(vocab.join, tokens)]}
    return pd.DataFrame(
        table | {"count": counts, "share": counts / ngrams.levels[n - 1].counts.sum()}
    )


def _zipf(ngrams: NGrams) -> pd.DataFrame:
    rows = []
    for n in LENGTHS:
        counts = ngrams.levels[n - 1].counts
        line = zipf(counts)
        rows.append([n, len(counts), line.exponent, line.constant, line.first, line.last])
    columns = "n distinct exponent constant first_rank last_rank".split()
    return pd.DataFrame(rows, columns=columns)


def _baselines(used: Array, vocab_size: int) -> pd.DataFrame:
    """`baselines` of the whole text on itself, and of its first nine tenths on the last.

    Returns:
        Also train_perplexity: of those nine tenths on themselves.
    """
    split = len(used) * 9 // 10
    whole = baselines(used, None, vocab_size).drop(columns="val_perplexity")
    held = baselines(used[:split], used[split:], vocab_size)
    held = held.rename(columns={"perplexity": "train_perplexity"})
    return whole.merge(held, on=["model", "n", "smoothing"])


def _facts(each: Counted) -> dict[str, Any]:
    """Facts on one kind of token, for ``corpus.json``."""
    return {
        "tokens": each.num_tokens,
        "counted": min(each.num_tokens, LIMITS[each.token]),
        "vocab_size": len(each.vocab),
        "most_frequent": each.tokens.head(10)[["text", "count"]].to_dict("records"),
        "zipf": each.zipf.to_dict("records"),
        "oov": each.oov.to_dict("records"),
        "baselines": each.baselines.to_dict("records"),
    }
