"""Effects of a study's settings on the last perplexity: ratios of cells that differ in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.intervals import interval
from harness.page.series import in_order
from harness.study.panels import Panel, told

FEWEST = 6
"""Seeds without which a range is told, for so few have no interval."""


@dataclass(frozen=True)
class Spread:
    """A median, and how far what it is of lies apart.

    Attributes:
        median: of the values.
        low, high: the ends; of a single value, that.
        of: what they are the ends of, in words; empty for a single value.
    """

    median: float
    low: float
    high: float
    of: str


@dataclass(frozen=True)
class Effect:
    """Last perplexity with one value of a setting, as a multiple of that with another.

    Attributes:
        setting: its name.
        value, than: the value, and the one that it is compared with.
        times: the multiple.
    """

    setting: str
    value: Any
    than: Any
    times: Spread

    @property
    def title(self) -> str:
        """Its name in a chart."""
        than = f"{self.than:g}" if isinstance(self.than, float) else self.than
        return f"{told(self.setting, self.value)} rather than {than}"


def ends(panels: Sequence[Panel]) -> pd.DataFrame:
    """The last perplexity of every row of every panel.

    Returns:
        panel (its title), the settings that vary, backend, variant, seed, and end: NaN where a
        training did not come to its end.
    """
    tables = []
    for panel in panels:
        rows = panel.group.summary
        end = rows[panel.measure].where(rows.status == "ok")
        varied = {name: [value] * len(rows) for name, value in panel.varied.items()}
        own = rows[["backend", "variant", "seed"]]
        tables.append(own.assign(**varied, panel=panel.title, end=end))
    return pd.concat(tables, ignore_index=True)


def by_row(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a chart: cells, or seeds where nothing else varies, the best first.

    Args:
        table: as `ends` gives it.

    Returns:
        row (its name), backend, framework, variant, title, and of each series the median over seeds
        as end, with its low and high.
    """
    ended = table[table.end.notna()]
    alone = table.panel.nunique() == 1
    row = "seed " + ended.seed.astype(str) if alone else ended.panel
    rank = ended.end.groupby(row).median().sort_values(kind="stable")
    rows = []
    for name in rank.index:
        mine = ended[row == name]
        for series in in_order(mine):
            found = spread(series.rows(mine).set_index("seed").end)
            own = {"end": found.median, "low": found.low, "high": found.high}
            rows.append({"row": name, **series.labels, **own})
    return pd.DataFrame(rows)


def effects(table: pd.DataFrame, names: Sequence[str]) -> list[Effect]:
    """The effect of each value of each setting, over its first value, the best first.

    Args:
        table: as `ends` gives it.
        names: the settings that vary.
    """
    found = []
    for name in names:
        others = [each for each in (*names, "backend", "variant", "seed") if each != name]
        values = list(dict.fromkeys(table[name]))
        first = table[table[name] == values[0]].set_index(others).end
        for value in values[1:]:
            mine = table[table[name] == value].set_index(others).end
            ratios = (mine / first).dropna()
            if len(ratios):
                found.append(Effect(name, value, values[0], spread(ratios)))
    return sorted(found, key=lambda effect: effect.times.median)


def spread(values: pd.Series[float]) -> Spread:
    """The median of values by seed, with its interval over seeds; of few seeds, with the range.

    Args:
        values: one or more, with ``seed`` in the index.
    """
    by_seed = values.groupby("seed").median()
    if len(by_seed) >= FEWEST:
        found = interval(by_seed.tolist())
        return Spread(found.median, found.low, found.high, f"95 % interval, {len(by_seed)} seeds")
    of = f"range over {len(values)}" if len(values) > 1 else ""
    return Spread(float(np.median(values)), float(values.min()), float(values.max()), of)
