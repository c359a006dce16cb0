"""Throughputs in words and in a small chart: who is best, and who ties."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from harness.console import figure
from harness.page.figure import MOST
from harness.page.series import records
from harness.page.told import Bar, Bars


def best(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The fastest row and those that tie with it.

    Args:
        table: throughputs with title, tokens_per_sec, low and high, the fastest first; low and
            high are NaN where too little was measured for an interval. Where rows were timed in the
            same rounds, ``ties`` says which tie; without, those whose intervals overlap.
    """
    ties = table["ties"] if "ties" in table else table.high >= table.low.iloc[0]
    return [row for i, row in enumerate(records(table)) if i == 0 or ties.iloc[i]]


def leaders(table: pd.DataFrame) -> str:
    """The fastest, or the names of those that tie, with the median of the first."""
    found = best(table)
    names = [str(row["title"]) for row in found]
    speed = f"{figure(found[0]['tokens_per_sec'], ',.0f')} tokens a second"
    if len(names) == 1:
        return f"{names[0]}, {speed}"
    return f"{', '.join(names[:-1])} and {names[-1]} tie, {speed}"


def fastest(table: pd.DataFrame) -> str:
    """Words on the best, its interval, and how far the last is behind; without a full stop."""
    first, last = records(table)[0], records(table)[-1]
    said = leaders(table)
    if not math.isnan(first["low"]):
        low, high = (figure(first[name], ",.0f") for name in ("low", "high"))
        said += f" (95 % interval {low} to {high})"
    if len(table) > 1:
        times = figure(first["tokens_per_sec"] / last["tokens_per_sec"], ".1f")
        said += f"; {times} times {last['title']}"
    return said


def fast(table: pd.DataFrame) -> Bars:
    """The fastest form of each framework, with its interval."""
    top = {row["title"] for row in best(table)}
    rows = [
        Bar(
            str(row["title"]),
            str(row["backend"]),
            row["tokens_per_sec"],
            figure(row["tokens_per_sec"], ",.0f"),
            None if math.isnan(row["low"]) else row["low"],
            None if math.isnan(row["high"]) else row["high"],
            row["title"] in top,
        )
        for row in records(table.groupby("backend", sort=False).head(1).head(MOST))
    ]
    ends = "; ".join(f"{row.title} {row.text}" for row in rows)
    return Bars(f"Tokens a second of the fastest form of each framework: {ends}.", rows)
