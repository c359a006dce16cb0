"""From epochs to what is drawn: medians over seeds, few enough points, throughput's interval."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.intervals import Interval, interval, verdict
from harness.page.series import Series
from harness.report.groups import LATELY, RunGroup

POINTS = 80
"""Epochs that are drawn of a curve: enough for its shape; a browser works for each."""

MARKS = 7
"""Shapes on each curve, staggered, so that curves which coincide are all seen."""

HIGHEST = 1e9
"""Perplexity above which nothing is drawn: beside it, every curve that learns lies on the axis."""


def shown_epochs(last: int) -> NDArray[np.int64]:
    """The epochs that are drawn: the first ten, for curves begin steeply, and then evenly."""
    even = np.linspace(1, last, min(last, POINTS)).round().astype(np.int64)
    return np.union1d(np.arange(1, min(last, 10) + 1), even)


@lru_cache(LATELY)
def curves(group: RunGroup) -> pd.DataFrame:
    """The curves of every series: the median over seeds, and the range in which all seeds lie.

    Returns:
        series, backend, framework, variant, title; epoch, elapsed (seconds), and for perplexity and
        val_perplexity the median with its low and high; marked says where a shape stands.
    """
    within = group.epochs[group.epochs.perplexity <= HIGHEST]
    if within.empty:
        return pd.DataFrame()
    drawn = within[within.epoch.isin(shown_epochs(int(within.epoch.max())))]
    drawn = drawn.assign(val_perplexity=drawn.val_perplexity.where(drawn.val_perplexity <= HIGHEST))
    tables = []
    for number, series in enumerate(group.series):
        mine = series.rows(drawn).groupby("epoch")
        table = pd.DataFrame({"elapsed": mine.elapsed.median()})
        for name in ("perplexity", "val_perplexity"):
            table[name] = mine[name].median()
            table[f"{name}_low"], table[f"{name}_high"] = mine[name].min(), mine[name].max()
        table = table.reset_index()
        stride = max(len(group.series), len(table) // MARKS)
        offset = number * stride // len(group.series)
        table["marked"] = np.arange(len(table)) % stride == offset
        tables.append(table.assign(series=f"s{number}", **series.labels))
    return pd.concat(tables, ignore_index=True)


@lru_cache(LATELY)
def epoch_throughput(group: RunGroup) -> pd.DataFrame:
    """Throughput of the series that have earned one, over all of their epochs and seeds.

    Returns:
        backend, framework, variant, title, device, tokens_per_sec (the median epoch's), low, high,
        and the same over the framework's concise variant as ratio, ratio_low, ratio_high and
        verdict. The variants were not timed in turns here, so a ratio's interval is the widest that
        the two allow. Where the runs are of several machines, each is a device of its own; a run
        that shared what it was timed on is left out.
    """
    engines = [run.facts.get("engine") or {} for run in group.runs]
    shared = [number for number, told in enumerate(engines) if told.get("shared")]
    ok = group.summary[group.summary.tokens_per_sec.notna() & ~group.summary.run.isin(shared)]
    several = ok.machine.nunique() > 1
    timed = group.epochs.merge(ok[["run", "backend", "variant", "seed", "machine"]])
    speeds: dict[tuple[Series, str], Interval] = {}
    devices: dict[tuple[Series, str], str] = {}
    for machine in ok.machine.unique():
        for series in group.series:
            mine = series.rows(timed[timed.machine == machine])
            if len(mine):
                speeds[series, machine] = interval((mine.tokens / mine.seconds).tolist())
                device = series.rows(ok[ok.machine == machine]).device.iloc[0]
                devices[series, machine] = f"{device} of {machine}" if several else str(device)
    rows = []
    for (series, machine), speed in speeds.items():
        row: dict[str, Any] = {**series.labels, "device": devices[series, machine]}
        row["tokens_per_sec"] = speed.median
        row |= {"low": speed.low, "high": speed.high}
        if concise := speeds.get((Series(series.backend, "concise"), machine)):
            ratio = Interval(
                speed.median / concise.median, speed.low / concise.high, speed.high / concise.low
            )
            row |= {"ratio": ratio.median, "ratio_low": ratio.low, "ratio_high": ratio.high}
            row["verdict"] = verdict(ratio)
        rows.append(row)
    names = "backend framework variant title device tokens_per_sec low high ratio ratio_low "
    names += "ratio_high verdict"
    table = pd.DataFrame(rows, columns=names.split())
    return table.sort_values("tokens_per_sec", ascending=False, ignore_index=True)
