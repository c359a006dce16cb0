"""Answers of a grid in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from harness.console import figure
from harness.study.effects import Effect, Spread, spread

TOLD = 3
"""Effects or cells that a sentence names."""


def in_words(table: pd.DataFrame, names: Sequence[str], sizes: Sequence[Effect]) -> str:
    """The answer to a grid's question.

    Args:
        table: as `harness.study.effects.ends` gives it.
        names: the settings that vary; none if the seeds alone do.
        sizes: the effects of the settings.
    """
    ended = table[table.end.notna()]
    if ended.empty:
        return "Nothing learned."
    said = _of_settings(ended, names, sizes) if names else _of_seeds(ended)
    lost = len(table) - len(ended)
    return said + (f" {lost} of {len(table)} trainings did not come to their end." if lost else "")


def _of_seeds(ended: pd.DataFrame) -> str:
    found, count = spread(ended.set_index("seed").end), ended.seed.nunique()
    if count < 2:
        return f"One seed ends at {figure(found.median, '.3f')}."
    by_seed = ended.groupby("seed").end.median()
    low, high = float(by_seed.min()), float(by_seed.max())
    apart, *told = figure(high / low - 1, ".1%"), *(figure(x, ".3f") for x in (low, high))
    return (
        f"By {apart}: {count} seeds end between {' and '.join(told)}; "
        f"their median is {figure(found.median, '.3f')}{_ends(found, '.3f')}."
    )


def _of_settings(ended: pd.DataFrame, names: Sequence[str], sizes: Sequence[Effect]) -> str:
    """One sentence: the best, then what each setting does, with the interval over seeds."""
    medians = ended.groupby("panel", sort=False).end.median().sort_values(kind="stable")
    said = [(str(title), figure(float(end), ".3f")) for title, end in medians.items()]
    ties = [title for title, end in said if end == said[0][1]]
    best = f"Best {', and '.join(ties)}: {said[0][1]}"
    if len(names) == 1:
        best = ", then ".join([best, *(f"{t}: {end}" for t, end in said[len(ties) :][:TOLD])])
    strongest = sorted(sizes, key=lambda each: -abs(math.log(each.times.median)))[:TOLD]
    told = "; ".join(_does(each) for each in strongest)
    return f"{best}; perplexity is {told}." if told else f"{best}."


def _does(effect: Effect) -> str:
    times = effect.times
    if abs(times.median - 1) < 5e-4:
        return f"the same with {effect.title}{_ends(times, '.2f', ' times')}"
    more = "higher" if times.median > 1 else "lower"
    share = figure(abs(times.median - 1), ".0%")
    return f"{share} {more} with {effect.title}{_ends(times, '.2f', ' times')}"


def _ends(found: Spread, form: str, unit: str = "") -> str:
    if not found.of:
        return ""
    return f" ({figure(found.low, form)} to {figure(found.high, form)}{unit}, {found.of})"
