"""Section on frameworks and seeds: which of them lead further apart?"""

from __future__ import annotations

from harness.console import figure
from harness.page.blocks import Cell, Note, Section, Table, number
from harness.study.equivalence import Equivalence, equivalences
from harness.study.panels import Panel


def seeds(panel: Panel) -> Section | None:
    """The section of a panel; None where fewer than two series ended from every seed."""
    ok = panel.group.summary[panel.group.summary.status == "ok"]
    ends = {}
    for series in panel.group.series:
        mine = series.rows(ok).sort_values("seed")
        if mine.seed.tolist() == panel.group.seeds:
            ends[series.title] = mine[panel.measure].tolist()
    if len(ends) < 2:
        return None
    found = equivalences(ends)
    shown = sum(each.shown for each in found)
    spread = found[0].spread
    answer = (
        "No: every pair is shown equivalent within the spread of the seeds."
        if shown == len(found)
        else f"{shown} of {len(found)} pairs are shown equivalent within the spread of the seeds."
    )
    return Section(
        "equivalence",
        "Do frameworks differ more than seeds?",
        answer,
        [
            Note(
                f"Over {len(panel.group.seeds)} seeds a framework's last perplexity spreads "
                f"by {figure(spread, '.2%')} (a standard deviation). Two are equivalent if the "
                "95 % interval of their median difference, seed by seed, lies within that."
            ),
            Table(
                "Differences of pairs, seed by seed",
                ["pair", "median difference", "interval", "spread of seeds", "verdict"],
                [_pair(each) for each in found],
                (0, 2, 4),
            ),
        ],
    )


def _pair(each: Equivalence) -> list[Cell]:
    between = each.difference
    return [
        Cell(f"{each.one} less {each.other}"),
        number(between.median, "+.1e"),
        Cell(f"{between.low:+.1e} to {between.high:+.1e}"),
        number(each.spread, ".1e"),
        Cell("equivalent", "good") if each.shown else Cell("not shown", "quiet"),
    ]
