"""``report``: results of runs and of a benchmark, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from harness.console import screen
from harness.options import OUTPUT


def report(
    folder: list[Path],
    /,
    *,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
) -> int:
    """Write report.html and report.md of a run into its folder, or one report of several.

    Parameters
    ----------
    folder
        a run folder; of several, one report is made
    out
        the folder that gets the report (default: the run folder; a new one in runs for several, or
        for one of the project's own results)
    """
    from harness.paths import RESULTS, new_folder
    from harness.report.build import write_report

    alone = len(folder) == 1 and RESULTS not in folder[0].resolve().parents
    path = write_report(folder, out or (folder[0] if alone else new_folder("report")))
    screen().print(Text(f"written: {path}"), soft_wrap=True)
    return 0
