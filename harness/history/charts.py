"""The trend of a figure as SVG: a point an entry, its interval, and the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.history.measures import measure
from harness.history.outcomes import told
from harness.history.steps import Step
from harness.page.palette import Look

WIDTH, HEIGHT, EDGE = 320, 72, 8
"""Size of a trend in units of its picture, and the margin in it."""

ROOM = 0.05
"""Least range that a trend shows, up and down from its middle: noise is not blown up."""


@dataclass(frozen=True)
class Point:
    """An entry of a trend, in units of its picture; `low` and `high` are those of its interval."""

    x: float
    y: float
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True)
class Mark:
    """A step of a trend: the place between two entries, and what it is."""

    x: float
    worse: bool
    words: str


@dataclass(frozen=True)
class Trend:
    """A series as it is drawn.

    Attributes:
        title: backend, variant, and the seed where there are several.
        look: of its framework.
        backend: its name.
        points, marks: see there; a point an entry.
        newest: the newest figure, with its unit.
        change: what became of the first, in words.
        words: description for a reader who does not see it.
    """

    title: str
    look: Look
    backend: str
    points: list[Point]
    marks: list[Mark]
    newest: str
    change: str
    words: str

    @property
    def is_lone(self) -> bool:
        """True if there is one entry, and so no trend yet."""
        return len(self.points) == 1

    @property
    def line(self) -> str:
        """The points of the line."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


def trend(
    series: pd.DataFrame, places: dict[str, int], steps: list[Step], look: Look, title: str
) -> Trend:
    """Draw a series; entries stand at the same place in all trends of a page.

    Args:
        series: its figures, in order of time.
        places: number of each entry of the page, by its key.
        steps: of the series.
        look, title: of its framework, and its name.
    """
    name, of = str(series.measure.iloc[0]), str(series["of"].iloc[0])
    kind, values = measure(name), series.value.to_numpy()
    middle = (values.max() + values.min()) / 2
    half = max((values.max() - values.min()) / 2 * 1.15, ROOM * middle)

    def across(number: float) -> float:
        share = number / (len(places) - 1) if len(places) > 1 else 0.5
        return EDGE + share * (WIDTH - 2 * EDGE)

    def up(value: float) -> float:
        share = np.clip((value - (middle - half)) / (2 * half), 0, 1)
        return float(HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE))

    points = [_point(row, across(places[row["key"]]), up) for row in series.to_dict("records")]
    at = {step.at: step for step in steps}
    marks = [
        Mark((before.x + after.x) / 2, at[when].worse, told(at[when]))
        for before, after, when in zip(points, points[1:], series["at"][1:], strict=False)
        if when in at
    ]
    seed = of.rpartition(", seed ")[2] if ", seed " in of else ""
    many = len(values) > 1
    change = f"{values[-1] / values[0] - 1:+.1%} since the first" if many else "one entry"
    newest = kind.shown(float(values[-1]))
    return Trend(
        f"{title}{', seed ' if seed else ''}{seed}",
        look,
        str(series.backend.iloc[0]),
        points,
        marks,
        newest,
        change,
        f"{name} of {title}: {len(values)} entries, the newest {newest}, {change}",
    )


def _point(row: dict[Any, Any], x: float, up: Callable[[float], float]) -> Point:
    kind = measure(row["measure"])
    known = not np.isnan(row["low"])
    between = f" ({kind.shown(row['low'])} to {kind.shown(row['high'])})" if known else ""
    revision = f"{row['revision'][:8] or 'unknown revision'}{', edited' if row['modified'] else ''}"
    words = f"{row['at'][:16]}, {revision}: {kind.shown(row['value'])}{between}; {row['versions']}"
    low, high = (up(row["low"]), up(row["high"])) if known else (None, None)
    return Point(x, up(row["value"]), low, high, words)
