"""Section of a comparison with the reference in a report, and its answer: who is right?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from harness.page import provenance
from harness.page.blocks import (
    Block,
    Cell,
    Chart,
    Details,
    Facts,
    Note,
    Section,
    Table,
    named,
    number,
)
from harness.page.charts import errors
from harness.page.series import Series, framework, in_order, records
from harness.page.told import Answer, Bar, Bars, Told
from harness.paths import make_up
from harness.records.json_schemas import ParityFacts
from harness.records.reading import record
from harness.records.schemas import ParityTable
from harness.records.tables import holds
from harness.records.tables import table as read_table

VERDICTS = {
    "equal": Cell("equal", "good"),
    "different": Cell("not equal", "bad"),
    "ill-conditioned": Cell("unjudged"),
    "overflow": Cell("overflow", "bad"),
    "diverged": Cell("diverged", "bad"),
}
TINY = 1e-18
"""Position of an error of zero on a logarithmic axis."""


def told_of(folders: Sequence[Path]) -> Told:
    """The report of what `parity` wrote into folders that hold no run.

    Raises:
        RequestError: a table is damaged.
    """
    for folder in folders:
        make_up(folder)
    tables = [read_table(folder / "parity.csv", ParityTable) for folder in folders]
    table = pd.concat(tables, ignore_index=True)
    backends = list(dict.fromkeys(series.backend for series in in_order(table)))
    title, about = "Equal to the reference?", ", ".join(map(framework, backends))
    sections = [grid(table), *(_reproduce(folder) for folder in folders[:1] if _knows(folder))]
    return Told(title, about, backends, [answer(judged(table))], sections)


def _knows(folder: Path) -> bool:
    """True if a record says of what its table is; older ones have none."""
    return holds(folder, "parity.json")


def _reproduce(folder: Path) -> Section:
    facts = record(folder, "parity.json", ParityFacts)
    described = {name: {"versions": versions} for name, versions in facts["backends"].items()}
    pairs = [
        *provenance.source(facts),
        provenance.versions({"versions": facts["versions"], "backends": described}),
        ("Machine", provenance.machine_of("", facts["machine"])),
    ]
    return Section(
        "reproduce",
        "How do I run it again?",
        "With the same command.",
        [provenance.command(facts["command"]), Details("Source and versions", [Facts(pairs)])],
    )


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """The table of ``parity.csv`` with a verdict on each row."""
    return table.assign(verdict=np.where(table.ok, "equal", "different"))


def grid(table: pd.DataFrame) -> Section:
    """The whole grid of ``parity.csv``: the worst error of each, and of each quantity."""
    blocks = [_quantities(found, str(dtype)) for dtype, found in table.groupby("dtype", sort=False)]
    wrong = [
        Note(
            f"{Series(row['backend'], row['variant']).title}, {row['case']}: {row['quantity']}",
            "bad",
        )
        for row in records(table[~table.ok].head(FIRST))
    ]
    return accuracy(judged(table), _settings(table), [*wrong, Details("By quantity", [*blocks])])


FIRST = 8
"""Errors over their tolerance that are named one by one."""


def accuracy(table: pd.DataFrame, what: str, blocks: Sequence[Block]) -> Section:
    """Accuracy of every backend and variant.

    Args:
        table: errors, in the columns of ``parity.csv`` with a verdict on each.
        what: the subject of the comparison.
        blocks: what stands below the chart.
    """
    section = Section("accuracy", "Who is right?", f"{answer(table).text} Compared: {what}.")
    section.blocks = [_chart(table), *blocks]
    return section


def answer(table: pd.DataFrame) -> Answer:
    """The answer of the first screen, from errors with verdicts."""
    return Answer("Right?", *_verdict(table), chart=_bars(table), good=bool(table.ok.all()))


def _verdict(table: pd.DataFrame) -> tuple[str, str]:
    """A sentence, and the section that it leads to."""
    count, number_ = len(in_order(table)), len(table)
    worst = records(table.loc[[slack(table).idxmax()]])[0]
    comparisons = f"{number_:,} comparison{'s' * (number_ > 1)}"
    said = (
        f"the worst relative error is {worst['error']:.2g} where {worst['tolerance']:.0e} is "
        f"allowed, in {comparisons}"
    )
    if wrong := in_order(table[~table.ok]):
        names = ", ".join(series.title for series in wrong)
        told = f"Not all: {names} cannot be the same network; {said}."
    elif (unjudged := table.verdict == "ill-conditioned").any():
        names = ", ".join(series.title for series in in_order(table[unjudged]))
        told = (
            f"Not to be told at these weights of {names}: rounding alone moves their numbers too "
            f"far; from small fresh weights they are the reference network, in {comparisons}."
        )
    else:
        who = "it is" if count == 1 else f"all {count} are"
        told = f"Yes: {who} the reference network; {said}."
    return told, "accuracy"


def slack(table: pd.DataFrame) -> pd.Series[float]:
    """Errors in units of their tolerance; what allows no error at all, such as a text, is left out.

    A wrong text is in the table, and in the answer.
    """
    measured = table[table.tolerance > 0]
    return measured.error / measured.tolerance


def _bars(table: pd.DataFrame) -> Bars:
    """The worst error of each framework, in units of its tolerance."""
    shares = slack(table)
    rows = []
    for backend in dict.fromkeys(series.backend for series in in_order(table)):
        mine = shares[table.loc[shares.index].backend == backend]
        worst = records(table.loc[[mine.idxmax()]])[0]
        share = min(max(float(mine.max()), 1e-9), 1e9)
        rows.append(Bar(framework(backend), backend, share, f"{worst['error']:.1e}"))
    ends = "; ".join(f"{row.title} {row.text}" for row in rows)
    words = f"The worst error of each framework, beside its tolerance: {ends}."
    return Bars(words, rows, log=True, rule=(1.0, "what is allowed"))


def _chart(table: pd.DataFrame) -> Chart:
    of_row = [table.backend, table.variant, table["dtype"]]
    worst = table.assign(ok=table.ok.groupby(of_row).transform("all"))
    worst = worst.loc[slack(table).groupby(of_row).idxmax()]
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
        ["backend", "verdict", "worst error", "tolerance", "precision", "quantity"],
        [
            [
                named(Series(row["backend"], row["variant"])),
                VERDICTS[row["verdict"] if row["ok"] else "different"],
                number(row["exact"], ".1e"),
                number(row["tolerance"], ".0e"),
                Cell(row["dtype"]),
                Cell(row["quantity"]),
            ]
            for row in records(drawn)
        ],
        (0, 1, 4, 5),
    )
    return Chart(figure, grid)


def _settings(table: pd.DataFrame) -> str:
    return f"{table.quantity.nunique()} quantities in {table.case.nunique()} settings"


def _quantities(table: pd.DataFrame, dtype: str) -> Table:
    """A row a quantity, a column a backend and variant; those of one tolerance are one table."""
    series = in_order(table)
    rows = []
    for quantity, found in table.groupby("quantity", sort=False):
        cells = [Cell(str(quantity)), number(found.tolerance.iloc[0], ".0e")]
        for each in series:
            mine = each.rows(found)
            cells.append(number(mine.error.max(), ".1e", "" if mine.ok.all() else "bad"))
        rows.append(cells)
    caption = f"{dtype}: the worst error of each quantity over {table.case.nunique()} settings"
    return Table(caption, ["quantity", "tolerance", *(s.title for s in series)], rows)
