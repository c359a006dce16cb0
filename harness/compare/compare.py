"""``compare``: an experiment or a benchmark, done again: which rows got faster, slower or worse.

What is said of a row, and the exit status, by what became of it:

    old      new      said                                               exit status
    ok       ok       its changes; a regression beyond the threshold     0; 1 if it regressed
    ok       not ok   "regression: ...: was ok, is ...", with the reason 1
    not ok   ok       "ok now: ..."                                      0
    not ok   not ok   "not ok in both: ...: was ..., is ..."             0; 1 if all are so
    there    missing  "only in old: ..."                                 0
    missing  there    "only in new: ..."                                 0

The exit status of several rows is the largest of theirs. Where no row is ok on either side nothing
was compared, and that is a failure. What cannot be told is no regression: fewer than
`harness.intervals.FEWEST` samples a side, or a machine that was busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.errors import RequestError, unknown
from harness.compare.changes import Change, changes, drifts, times
from harness.compare.sides import Name, Side, check_same, side
from harness.console import printable
from harness.intervals import Interval


@dataclass(frozen=True)
class Comparison:
    """Result of comparing two folders.

    Attributes:
        old, new: the folders.
        threshold: beyond which a change is a regression.
        changes: every measure of every row that is ok on both sides.
        machine: speed of the same matrix products, new over old, by shape: what the machine itself
            has gained or lost meanwhile, as far as two benchmarks tell.
        differences: the conditions that differ, old and new, by name.
        lost: reasons why rows have no figures any more, by their names.
        gained: rows that have figures and had none.
        never: reasons why rows have no figures on either side, old and new, by their names.
        only_old, only_new: rows that one side alone knows.
    """

    old: Path
    new: Path
    threshold: float
    changes: list[Change]
    machine: dict[str, Interval]
    differences: dict[str, tuple[Any, Any]]
    lost: dict[str, str]
    gained: list[str]
    never: dict[str, tuple[str, str]]
    only_old: list[str]
    only_new: list[str]

    @property
    def regressions(self) -> list[str]:
        """Changes for the worse beyond the threshold, a line each."""
        lost = [f"{name}: was ok, is {reason}" for name, reason in self.lost.items()]
        return lost + [
            f"{c.backend} {c.variant}: {c.measure} is {times(c.ratio)} times what it was"
            for c in self.changes
            if c.regressed
        ]

    @property
    def exit_status(self) -> int:
        """1 if something regressed, or nothing could be compared."""
        return 1 if self.regressions or not (self.changes or self.gained) else 0

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        folders = {"old": str(self.old), "new": str(self.new)}
        return asdict(self) | folders | {"regressions": self.regressions}


def compare(
    old: Path, new: Path, names: Sequence[str], variants: Sequence[str], threshold: float
) -> Comparison:
    """Hold a folder against an older one, row by row.

    Args:
        old, new: two run folders, or two that `bench` wrote.
        names, variants: the backends and variants to compare; none means every one.
        threshold: the fraction of the throughput that may be lost, and by which a perplexity may
            rise; at least 0, less than 1.

    Raises:
        RequestError: a folder cannot be read, or they are not of one experiment.
    """
    sides = side(old), side(new)
    check_same(*sides)
    for kind, asked, part in (("backend", names, 0), ("variant", variants, 1)):
        known = dict.fromkeys(printable(row[part]) for each in sides for row in each.rows)
        for name in asked:
            if name not in known:
                raise unknown(kind, name, known)
    before, after = (each.chosen(names, variants) for each in sides)
    common = [row for row in before.rows if row in after.rows]
    if not common:
        message = f"no row in common: {old} has {_listed(before)}; {new} has {_listed(after)}"
        raise RequestError(printable(message))
    return Comparison(
        old,
        new,
        threshold,
        changes(before, after, threshold),
        drifts(before, after),
        {
            name: (value, after.conditions[name])
            for name, value in before.conditions.items()
            if after.conditions.get(name, value) != value
        },
        {_named(r): after.rows[r] for r in common if after.rows[r] and not before.rows[r]},
        [_named(row) for row in common if before.rows[row] and not after.rows[row]],
        {
            _named(row): (before.rows[row], after.rows[row])
            for row in common
            if before.rows[row] and after.rows[row]
        },
        [_named(row) for row in before.rows if row not in after.rows],
        [_named(row) for row in after.rows if row not in before.rows],
    )


def _named(row: Name) -> str:
    return " ".join(row)


def _listed(of: Side) -> str:
    return ", ".join(map(_named, of.rows)) or "none"
