"""Accuracy: every backend against the float64 reference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.page.blocks import Block, Cell, Chart, Note, Section, Table, named, number
from harness.page.charts import errors
from harness.page.series import Series, in_order, records
from harness.report.groups import Report

QUESTION = "Who is right?"
VERDICTS = {
    "equal": Cell("equal", "good"),
    "different": Cell("not equal", "bad"),
    "ill-conditioned": Cell("unjudged"),
    "overflow": Cell("overflow", "bad"),
    "diverged": Cell("diverged", "bad"),
}
TINY = 1e-18
"""Position of an error of zero on a logarithmic axis."""


def accuracy(report: Report) -> Section:
    """The parity grid where a folder holds one, else the preflight of every row."""
    if report.parity is None:
        table = preflight(report)
    else:
        table = report.parity.assign(verdict=np.where(report.parity.ok, "equal", "different"))
    if table.empty:
        return Section("accuracy", QUESTION, "Nothing was compared: no backend got that far.")
    blocks: list[Block] = [_chart(table)]
    if report.parity is None:
        what = "what a few steps on the run's own first batches compute"
        blocks.append(
            Note(
                "Each row is the worst error of any quantity before the run began, of two training "
                "steps (logits, loss, gradients, clipped norm, weights, carried state) and a short "
                "epoch, and at its end, of a step and the text. Where rounding alone moves a "
                "quantity, its tolerance is larger. "
                "The command parity, with this folder as --out, proves far more, to be shown here."
            )
        )
    else:
        what = f"{table.quantity.nunique()} quantities in {table.case.nunique()} settings"
        blocks += [_quantities(found, str(t)) for t, found in table.groupby("dtype", sort=False)]
    return Section("accuracy", QUESTION, _answer(table, what), blocks)


def preflight(report: Report) -> pd.DataFrame:
    """The worst error of each row's first step, in the columns of ``parity.csv``."""
    every = pd.concat([group.summary for group in report.groups], ignore_index=True)
    table = every[every.parity.notna()].rename(
        columns={"parity": "error", "parity_tolerance": "tolerance", "parity_verdict": "verdict"}
    )
    table = table[["backend", "variant", "dtype", "error", "tolerance", "verdict"]]
    table = table.assign(quantity="one step", case="the run", ok=table.verdict != "different")
    return table.reset_index(drop=True)


def _answer(table: pd.DataFrame, what: str) -> str:
    wrong = in_order(table[~table.ok])
    worst = records(table.loc[[_slack(table).idxmax()]])[0]
    if wrong:
        names = ", ".join(series.title for series in wrong)
        return f"Not all: {names} cannot be the same network. Checked: {what}."
    unjudged = table.verdict == "ill-conditioned"
    if unjudged.any():
        names = ", ".join(series.title for series in in_order(table[unjudged]))
        return (
            f"Not to be told at these weights of {names}: rounding alone moves their numbers too "
            f"far; from small fresh weights they are the reference network. Checked: {what}."
        )
    count = len(in_order(table))
    who = "It is" if count == 1 else f"All {count} are"
    return (
        f"{who} the reference network: the worst relative error is {worst['error']:.2g} where "
        f"{worst['tolerance']:.0e} is allowed, over {what}."
    )


def _slack(table: pd.DataFrame) -> pd.Series[float]:
    """Errors in units of their tolerance; what allows no error at all, such as a text, is left out.

    A wrong text is in the table, and in the answer.
    """
    measured = table[table.tolerance > 0]
    return measured.error / measured.tolerance


def _chart(table: pd.DataFrame) -> Chart:
    of_row = [table.backend, table.variant, table["dtype"]]
    worst = table.assign(ok=table.ok.groupby(of_row).transform("all"))
    worst = worst.loc[_slack(table).groupby(of_row).idxmax()]
    rows = [
        row | each.labels | {"drawn": min(max(row["error"], TINY), 1e3)}
        for each in in_order(worst)
        for row in records(each.rows(worst))
    ]
    drawn = pd.DataFrame(rows).rename(columns={"error": "exact", "drawn": "error"})
    names = ["backend", "framework", "variant", "title", "dtype", "error", "tolerance"]
    figure = errors("errors", "Worst error, and the tolerance it must stay under", drawn[names])
    grid = Table(
        "The worst error of each, beside its tolerance",
        ["backend", "precision", "quantity", "worst error", "tolerance", "verdict"],
        [
            [
                named(Series(row["backend"], row["variant"])),
                Cell(row["dtype"]),
                Cell(row["quantity"]),
                number(row["exact"], ".1e"),
                number(row["tolerance"], ".0e"),
                VERDICTS[row["verdict"] if row["ok"] else "different"],
            ]
            for row in records(drawn)
        ],
        (0, 1, 2, 5),
    )
    return Chart(figure, grid)


def _quantities(table: pd.DataFrame, dtype: str) -> Table:
    series = in_order(table)
    rows = []
    for quantity, found in table.groupby("quantity", sort=False):
        cells = [Cell(str(quantity))]
        for each in series:
            mine = each.rows(found)
            cells.append(number(mine.error.max(), ".1e", "" if mine.ok.all() else "bad"))
        rows.append([*cells, number(found.tolerance.iloc[0], ".0e")])
    caption = f"{dtype}: the worst error of each quantity over {table.case.nunique()} settings"
    return Table(caption, ["quantity", *(s.title for s in series), "tolerance"], rows)
