"""Two sides of a comparison as tables on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.bench.answers import times as with_interval
from harness.compare.changes import times
from harness.compare.compare import Comparison
from harness.console import printable, titled
from harness.intervals import bounds

STYLES = {"faster": "green", "better": "green", "slower": "yellow", "worse": "yellow", "tie": ""}


def show(console: Console, found: Comparison) -> None:
    """Print a table for each measure, what differs, what is missing, and what regressed."""
    for which, folder in (("old", found.old), ("new", found.new)):
        console.print(Text(printable(f"{which}: {folder}")))
    for measure in dict.fromkeys(each.measure for each in found.changes):
        unit = "" if "perplexity" in measure else ", tokens/s"
        table = titled(printable(measure + unit))
        for name in ("backend", "variant"):
            table.add_column(name, no_wrap=True)
        for name in ("old", "new", "new / old", "95 % interval", "verdict"):
            table.add_column(name, justify="right", no_wrap=True)
        form = ",.0f" if unit else ".6g"
        for each in found.changes:
            if each.measure == measure:
                table.add_row(
                    Text(printable(each.backend)),
                    Text(printable(each.variant)),
                    format(each.old, form),
                    format(each.new, form),
                    times(each.ratio),
                    bounds(each.low, each.high, places=3),
                    Text(
                        each.verdict or "-",
                        "bold red" if each.regressed else STYLES[each.verdict or "tie"],
                    ),
                )
        console.print(table)
    drifts = [
        f"the machine itself: {shape}: the same products run at {with_interval(drift)} times "
        f"the speed they had; what a row lost beyond that counts"
        for shape, drift in found.machine.items()
        if drift.known
    ]
    for line in drifts:
        console.print(Text(printable(line)))
    lines = [
        *(f"no verdict: {why}" for why in dict.fromkeys(c.why for c in found.changes if c.why)),
        *(f"differs: {name}: {old}, now {new}" for name, (old, new) in found.differences.items()),
        *(f"only in old: {row}" for row in found.only_old),
        *(f"only in new: {row}" for row in found.only_new),
        *(f"ok now: {row}" for row in found.gained),
        *(f"not ok in both: {row}: was {old}, is {new}" for row, (old, new) in found.never.items()),
    ]
    for line in lines:
        console.print(Text(printable(line), "yellow"))
    for line in found.regressions:
        console.print(Text(printable(f"regression: {line}"), "red"))
    judged = [each for each in found.changes if each.verdict]
    if not found.exit_status and found.changes and not judged:
        console.print(Text("nothing can be said: no row has a verdict", "yellow"))
    elif not found.exit_status:
        console.print(f"no regression beyond {found.threshold:.3g}")
    elif not found.regressions:
        console.print(Text("nothing was compared: no row is ok on either side", "red"))
