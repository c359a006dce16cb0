"""Trends and steps on a terminal."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from common.errors import RequestError, unknown
from harness.console import printable, titled
from harness.history.measures import measure
from harness.history.outcomes import told
from harness.history.steps import NEEDED, Step
from harness.history.store import SERIES
from harness.page.series import in_order

BLOCKS = "▁▂▃▄▅▆▇█"

LATEST = 16
"""Entries whose trend a terminal has room for."""

CASE = ["measure", "of", "place", "machine"]


def chosen(
    history: pd.DataFrame,
    measures: Collection[str],
    cases: Collection[str],
    backends: Collection[str],
    variants: Collection[str],
) -> pd.DataFrame:
    """The figures that were asked for; of what is not named, all.

    Raises:
        RequestError: there are none, or a name is in no entry.
    """
    asked = {"measure": measures, "backend": backends, "variant": variants}
    for column, names in asked.items():
        known = [printable(str(name)) for name in history[column].unique()]
        for name in names:
            if name not in known:
                raise unknown(column, name, known)
        if names:
            history = history[history[column].isin(list(names))]
    for case in cases:
        history = history[history.of.str.contains(case, regex=False)]
    if history.empty:
        raise RequestError("no figure of the history is of all that was asked for")
    return history


def show_trends(console: Console, history: pd.DataFrame, steps: list[Step]) -> None:
    """Print a table for each case, a series a line: its trend, its newest figure, its last step."""
    last = {tuple(step.series.values()): step for step in reversed(steps)}
    for case, of in history.groupby(CASE, sort=False):
        name, what, place, machine = map(str, case)
        unit = measure(name).unit
        heading = f"{name}{', ' if unit else ''}{unit}: {what}, {place or 'any place'}, {machine}"
        table = titled(escape(printable(heading)))
        for head in ("backend", "variant", "trend"):
            table.add_column(head, no_wrap=True)
        for head in ("newest", "since the first", "last step"):
            table.add_column(head, justify="right", no_wrap=True)
        for whose in in_order(of):
            values = whose.rows(of).value.to_numpy()
            step = last.get((name, whose.backend, whose.variant, what, place, machine))
            table.add_row(
                Text(printable(whose.backend)),
                Text(printable(whose.variant)),
                trend(values),
                measure(name).shown(values[-1]).removesuffix(f" {unit}"),
                f"{values[-1] / values[0] - 1:+.1%}" if len(values) > 1 else "-",
                Text(_brief(step), _style(step)),
            )
        console.print(table)


def trend(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    """The newest values as blocks of their height, from the least to the largest."""
    shown = values[-LATEST:]
    low, high = shown.min(), shown.max()
    if high <= low:
        return BLOCKS[3] * len(shown)
    heights = np.round((shown - low) / (high - low) * (len(BLOCKS) - 1)).astype(int)
    return "".join(BLOCKS[height] for height in heights)


def _brief(step: Step | None) -> str:
    return f"{step.change:+.1%} at {step.revision[:8] or step.at[:10]}" if step else "-"


def _style(step: Step | None) -> str:
    return "" if step is None else "red" if step.worse else "green"


def show_steps(console: Console, history: pd.DataFrame, steps: list[Step]) -> None:
    """Print the steps at the newest entries, those for the worse first."""
    for step in sorted(steps, key=lambda each: not each.worse):
        name, backend, variant, what, place, _ = step.series.values()
        line = f"{name} of {backend} {variant}, {what}, {place}: {told(step)}"
        word = "worse" if step.worse else "better"
        console.print(Text(printable(f"{word}: {line}"), _style(step)), soft_wrap=True)
    sizes = history.groupby(SERIES).size()
    long = int((sizes >= NEEDED).sum())
    worse = sum(step.worse for step in steps)
    found = f"{worse} for the worse" if worse else "no step for the worse"
    console.print(
        f"{found} at the newest entries of {long:,} series; {len(sizes) - long:,} more have fewer "
        f"than {NEEDED} entries, too few to tell"
    )
