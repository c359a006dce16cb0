"""Forms against each other: the best of each framework, whatever is asked for, and a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from common.errors import unknown
from harness.bench.contenders import Contender
from harness.bench.ratios import (
    ShapeResult,
    best_forms,
    by_machine,
    common_forms,
    mean_speed,
    ratio_over,
    said_of,
)
from harness.intervals import Interval, SpeedVerdict
from harness.records.schemas import ComparisonTable, RankingTable

ALL = "all"
"""Stands for the geometric mean over all shapes."""


@dataclass(frozen=True)
class Match:
    """One form held against another, the base: how many times as fast, and the verdict."""

    form: str
    base: str
    ratio: Interval
    verdict: SpeedVerdict | None


def match(results: Sequence[ShapeResult], form: str, base: str) -> Match:
    """Hold two forms against each other over shapes."""
    ratio = ratio_over(results, [base], form)
    return Match(form, base, ratio, said_of(results, ratio))


def best_against_best(results: Sequence[ShapeResult]) -> list[Match]:
    """The best form of each backend against that of each other that is slower."""
    best = best_forms(results).values()
    return [match(results, one, other) for one, other in combinations(best, 2)]


def reference(results: Sequence[ShapeResult], against: str) -> str | None:
    """Name of the form that ``--against`` means: it, or a backend's best; None without figures."""
    if against in common_forms(results):
        return against
    return best_forms(results).get(against)


def check_against(against: str, found: Sequence[Contender]) -> None:
    """See that a contest has the form, or the backend, that ``--against`` names.

    Raises:
        RequestError: it has not.
    """
    names = dict.fromkeys(n for e in found if e.is_network for n in (e.name, e.backend))
    if against and against not in names:
        raise unknown("contender", against, names)


def against_reference(results: Sequence[ShapeResult], against: str) -> list[Match]:
    """Every other form against the one that is asked for."""
    if not against or (base := reference(results, against)) is None:
        return []
    return [match(results, name, base) for name in common_forms(results) if name != base]


def comparisons_table(results: Sequence[ShapeResult], against: str) -> pd.DataFrame:
    """Every such comparison, on each shape and over all of a machine."""
    rows: list[dict[str, Any]] = []
    groups = [(each.shape, [each]) for each in results]
    groups += [(ALL, mine) for mine in by_machine(results).values() if len(mine) > 1]
    for shape, mine in groups:
        forms = mine[0].forms
        asked = {"best": best_against_best(mine), "against": against_reference(mine, against)}
        for question, matches in asked.items():
            for each in matches:
                form, base = forms[each.form], forms[each.base]
                rows.append(
                    {
                        "shape": shape,
                        "question": question,
                        "backend": form.backend,
                        "variant": form.label,
                        "base_backend": base.backend,
                        "base_variant": base.label,
                        "ratio": each.ratio.median,
                        "low": each.ratio.low,
                        "high": each.ratio.high,
                        "verdict": each.verdict,
                        "machine": mine[0].machine,
                    }
                )
    return pd.DataFrame(rows, columns=list(ComparisonTable.model_fields))


def ranking_table(results: Sequence[ShapeResult], against: str) -> pd.DataFrame:
    """Forms that have figures on every shape of a machine, the fastest first, over the fastest.

    With ``--against``, ratios are over that form instead. A form wins a shape if no other is found
    to be as fast, it ties if others are, and loses if one is found to be faster.
    """
    machines = by_machine(results).values()
    rows = [row for mine in machines for row in _ranked(mine, against)]
    return pd.DataFrame(rows, columns=list(RankingTable.model_fields))


def _ranked(results: Sequence[ShapeResult], against: str) -> list[dict[str, Any]]:
    names = common_forms(results)
    rows: list[dict[str, Any]] = []
    if names:
        base = reference(results, against) or names[0]
        of_shapes = [_standing(each, names) for each in results]
        for name in names:
            form = results[0].forms[name]
            own = match(results, name, base)
            top = match(results, name, names[0])
            itself = name == base
            rows.append(
                {
                    "backend": form.backend,
                    "variant": form.label,
                    "base": base,
                    "ratio": 1.0 if itself else own.ratio.median,
                    "low": None if itself else own.ratio.low,
                    "high": None if itself else own.ratio.high,
                    "verdict": None if itself else own.verdict,
                    "best": name == names[0] or top.verdict == "tie",
                    **{
                        word: sum(standing[name] == word for standing in of_shapes)
                        for word in ("wins", "ties", "losses")
                    },
                    "machine": results[0].machine,
                }
            )
    return sorted(rows, key=lambda row: -row["ratio"])


def _standing(result: ShapeResult, names: Sequence[str]) -> dict[str, str]:
    """Standing of each form on a shape: wins, ties, losses; or none where nothing can be said."""
    top = max(names, key=lambda name: mean_speed([result], name))
    verdicts = {n: match([result], n, top).verdict for n in names if n != top}
    if None in verdicts.values():
        return dict.fromkeys(names, "")
    tied = [name for name, said in verdicts.items() if said == "tie"]
    found = {name: "ties" if name in tied else "losses" for name in verdicts}
    return found | {top: "ties" if tied else "wins"}
