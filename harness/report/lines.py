"""Which curves a chart shows: never more than five, and one for those that coincide."""

from __future__ import annotations

import pandas as pd

from harness.page.figure import MOST


def few(drawn: pd.DataFrame) -> pd.DataFrame:
    """The first form of each framework, in the table's order."""
    first = drawn.groupby("backend", sort=False).variant.transform("first")
    return drawn[drawn.variant == first].reset_index(drop=True)


def at_most_five(drawn: pd.DataFrame) -> pd.DataFrame:
    """All curves if they are few, else the first form of each of the first frameworks."""
    if drawn.series.nunique() <= MOST:
        return drawn
    shown = few(drawn)
    return shown[shown.series.isin(shown.series.unique()[:MOST])].reset_index(drop=True)


def apart(drawn: pd.DataFrame, measure: str) -> float:
    """The largest relative distance of a form from the first of its framework, at any epoch."""
    first = few(drawn).set_index(["backend", "epoch"])[measure]
    at = pd.MultiIndex.from_frame(drawn[["backend", "epoch"]])
    ratio = drawn[measure].to_numpy() / first.reindex(at).to_numpy()
    return float(pd.Series(abs(ratio - 1)).max())


def left_out(drawn: pd.DataFrame, measure: str) -> str:
    """Words on the forms that a chart of `few` leaves out; empty if it shows all."""
    shown = few(drawn)
    if drawn.series.nunique() == shown.series.nunique():
        return ""
    forms = ", ".join(dict.fromkeys(shown.variant))
    distance = f"{min(100 * apart(drawn, measure), 1e6):.2g}"
    return f"By epoch, {forms} of each framework; its other forms lie within {distance} %."
