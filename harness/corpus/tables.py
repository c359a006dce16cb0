"""Printed table of ``corpus``: a column for each kind of token."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from harness.console import printable, titled
from harness.corpus.measure import KINDS, Counted, Studied, shown

FREQUENT = 8
"""Tokens that are named."""

TOLD = (1, 2, 5, 10)
"""The least frequencies whose cost is told."""


def table(studied: Studied) -> Table:
    """The table of a corpus."""
    characters = f"{studied.text.num_chars:,} characters"
    made = titled(printable(f"Corpus {studied.text.name}: {characters}"))
    made.caption = (
        "perplexity: of maximum likelihood on the text itself, then of Kneser-Ney on the last tenth"
    )
    made.caption_justify = "left"
    made.add_column("")
    for each in studied.counted:
        made.add_column(KINDS[each.token], justify="right", max_width=30)
    for name, told in ROWS.items():
        made.add_row(name, *(Text(told(each)) for each in studied.counted))
    return made


def _exponent(n: int) -> Callable[[Counted], str]:
    return lambda each: _figure(float(each.zipf.set_index("n").exponent[n]), ".2f")


def _share(min_freq: int) -> Callable[[Counted], str]:
    return lambda each: f"{each.oov.set_index('min_freq').share[min_freq]:.2%}"


def _perplexity(n: int) -> Callable[[Counted], str]:
    def told(each: Counted) -> str:
        rows = each.baselines[each.baselines.n == n].set_index("smoothing")
        if rows.empty:
            return "-"
        figures = rows.perplexity["none"], rows.val_perplexity["kneser-ney"]
        return ", ".join(_figure(float(figure), ".2f") for figure in figures)

    return told


def _figure(value: float, form: str) -> str:
    return "-" if value != value else format(value, form)


ROWS: dict[str, Callable[[Counted], str]] = {
    "tokens": lambda each: f"{each.num_tokens:,}",
    "vocabulary": lambda each: f"{len(each.vocab):,}",
    "most frequent": lambda each: " ".join(
        shown(text, each.token) for text in each.tokens.text[:FREQUENT]
    ),
    "Zipf exponent, unigrams": _exponent(1),
    "bigrams": _exponent(2),
    "trigrams": _exponent(3),
    **{f"out of vocabulary, min_freq {k}": _share(k) for k in TOLD},
    "perplexity (below), n=1": _perplexity(1),
    **{f"n={n}": _perplexity(n) for n in (2, 3, 4, 5)},
}
