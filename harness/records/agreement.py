"""Agreement between the files of one folder."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from common.errors import RequestError
from common.shards import SIMULATED
from harness.console import printable

ROW = ["backend", "variant", "seed"]
"""Columns that name a row of a run."""

TIMED = ["backend", "variant", "shape"]
"""Columns that name a row of a benchmark."""


def damaged(path: Path, what: str) -> RequestError:
    """The error for a file that is not as it was written."""
    return RequestError(printable(f"{path}: {what} (was it edited, or copied in part?)"))


def check_run(folder: Path, epochs: pd.DataFrame, summary: pd.DataFrame) -> None:
    """See that every row stands once, that its epochs and its summary tell the same of it.

    Raises:
        RequestError: they do not.
    """
    rows, told = _rows(summary, ROW), _told(folder, epochs)
    if len(set(rows)) < len(rows):
        raise damaged(folder, "a row stands there twice")
    agree = told.keys() <= {*rows}
    columns = ("status", "device", "perplexity", "tokens_per_sec")
    cells = zip(*(summary[name].tolist() for name in columns), strict=True)
    for row, (status, device, perplexity, speed) in zip(rows, cells, strict=True):
        if status == "ok":
            last, tokens, seconds = told.get(row, (math.nan, 0, 0.0))
            agree &= math.isfinite(perplexity) and perplexity == last
        if status == "ok" and SIMULATED not in device:
            agree &= math.isclose(tokens, speed * seconds, rel_tol=1e-6)
        else:
            agree &= math.isnan(speed)
    if not agree:
        raise damaged(folder, "epochs.csv and summary.csv do not tell the same")


def _rows(table: pd.DataFrame, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def _told(folder: Path, epochs: pd.DataFrame) -> dict[tuple[Any, ...], tuple[float, int, float]]:
    """By row: its last perplexity, and the sums of its tokens and seconds.

    By hand: Pandas takes 10 ms for it, however few the rows are.
    """
    told: dict[tuple[Any, ...], tuple[float, int, float]] = {}
    seen = set()
    columns = (epochs[name].tolist() for name in ("epoch", "perplexity", "tokens", "seconds"))
    for row, epoch, perplexity, tokens, seconds in zip(_rows(epochs, ROW), *columns, strict=True):
        if (row, epoch) in seen:
            raise damaged(folder, "a row stands there twice")
        seen.add((row, epoch))
        _, all_tokens, all_seconds = told.get(row, (math.nan, 0, 0.0))
        told[row] = perplexity, all_tokens + tokens, all_seconds + seconds
    return told


def check_bench(
    folder: Path, facts: dict[str, Any], figures: pd.DataFrame, rounds: pd.DataFrame
) -> None:
    """See that whoever did not fail has figures, and as many turns as it is said to have taken.

    Raises:
        RequestError: figures or turns are missing.
    """
    done = {
        (worker["backend"], worker["variant"], each["shape"]): worker["rounds"] or facts["rounds"]
        for each in facts["shapes"]
        for worker in each["workers"]
        if worker["variant"] != "products" and not worker["reason"]
    }
    timed = [row for row in _rows(figures, TIMED) if row[0] != "floor"]
    turns = Counter(_rows(rounds, TIMED))
    once = _rows(figures, TIMED), _rows(rounds, [*TIMED, "round"])
    twice = any(len({*rows}) < len(rows) for rows in once)
    fewest = min((n for row, n in done.items() if row[0] != "null"), default=facts["rounds"])
    wrong = any(turns.get(row) != n for row, n in done.items()) or fewest < facts["rounds"]
    if twice or wrong or {*done} != {*timed}:
        raise damaged(folder, "bench.json, bench.csv and rounds.csv do not tell the same")
