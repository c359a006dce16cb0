"""Agreement between the files of one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
    if summary.duplicated(ROW).any() or epochs.duplicated([*ROW, "epoch"]).any():
        raise damaged(folder, "a row stands there twice")
    told = epochs.groupby(ROW).agg(
        perplexity=("perplexity", "last"), tokens=("tokens", "sum"), seconds=("seconds", "sum")
    )
    ok = summary.status == "ok"
    timed = ok & ~summary.device.str.contains(SIMULATED)
    both = summary[ok].merge(told, "left", left_on=ROW, right_index=True, suffixes=("", "_told"))
    speed = (both.tokens / both.seconds).to_numpy()
    agree = (
        told.index.isin(pd.MultiIndex.from_frame(summary[ROW])).all()
        and summary.tokens_per_sec[~timed].isna().all()
        and np.isfinite(both.perplexity).all()
        and (both.perplexity == both.perplexity_told).all()
        and np.isclose(speed, both.tokens_per_sec.to_numpy(), rtol=1e-6)[timed[ok].to_numpy()].all()
    )
    if not agree:
        raise damaged(folder, "epochs.csv and summary.csv do not tell the same")


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
    timed = [row for row in figures[TIMED].itertuples(index=False) if row.backend != "floor"]
    turns = {row: len(of) for row, of in rounds.groupby(TIMED)}
    twice = figures.duplicated(TIMED).any() or rounds.duplicated([*TIMED, "round"]).any()
    fewest = min((n for row, n in done.items() if row[0] != "null"), default=facts["rounds"])
    wrong = any(turns.get(row) != n for row, n in done.items()) or fewest < facts["rounds"]
    if twice or wrong or {*done} != {*timed}:
        raise damaged(folder, "bench.json, bench.csv and rounds.csv do not tell the same")
