"""Errors of a comparison with the reference, as ``parity.csv`` and on a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from common.files import write_aside
from harness.console import titled
from harness.parity.measure import ParityResult
from harness.paths import all_at_once
from harness.records.cells import csv_of
from harness.records.facts import write_facts
from harness.records.provenance import provenance


def write(comparison: ParityResult, folder: Path) -> None:
    """Write ``parity.csv`` and ``parity.json``, which says of what it is, into a folder at once."""
    facts = {
        **provenance(),
        "backends": comparison.versions,
        "failures": comparison.failures,
        "absent": comparison.absent,
        "status": "finished" if comparison.passed else "failed",
    }
    with all_at_once(folder) as aside:
        write_aside(aside / "parity.csv", csv_of(comparison.table))
        write_facts(aside / "parity.json", facts, ["parity.csv"])


def show(console: Console, comparison: ParityResult) -> None:
    """Print the worst error of every quantity over the grid, by backend, and what failed."""
    for dtype, found in comparison.table.groupby("dtype", sort=False):
        several = found.case[found.case.str.match(r"\d+ devices, ")].nunique()
        on_several = f" ({several} on several devices)" if several else ""
        table = titled(f"{dtype}: the worst error over {found.case.nunique()} cases{on_several}")
        pairs = list(dict.fromkeys(zip(found.backend, found.variant, strict=True)))
        table.add_column("quantity")
        for pair in pairs:
            table.add_column("\n".join(pair), justify="right")
        table.add_column("tolerance", justify="right")
        for quantity, rows in found.groupby("quantity", sort=False):
            cells = []
            for backend, variant in pairs:
                mine = rows[(rows.backend == backend) & (rows.variant == variant)]
                style = "" if mine.ok.all() else "bold red"
                cells.append(Text(f"{mine.error.max():.1e}", style))
            table.add_row(str(quantity), *cells, f"{rows.tolerance.iloc[0]:.0e}")
        console.print(table)
    for row in comparison.table[~comparison.table.ok].itertuples():
        what = f"{row.backend} {row.variant} {row.dtype}, {row.case}: {row.quantity}"
        console.print(Text(f"over tolerance: {what}: {row.error:.2e}", "red"))
    for uncompared, reason in {**comparison.absent, **comparison.failures}.items():
        console.print(Text(f"{uncompared}: not compared: {reason}", "yellow"))
    console.print("all equal to the reference" if comparison.passed else "NOT all shown equal")
