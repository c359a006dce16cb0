"""``report``: results of any command, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.errors import RequestError
from harness.console import screen
from harness.options import OUTPUT


def report(
    folder: list[Path],
    /,
    *,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    slides: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    dark: Annotated[bool, Parameter(negative=(), group=OUTPUT)] = False,
) -> int:
    """Write report.html and report.md of a result into its folder, or one report of several runs.

    Parameters
    ----------
    folder
        a run folder, of several of which one report is made; or that of a bench, scale, parity,
        study, sequence, corpus or bptt
    out
        the folder that gets the report (default: the run folder; a new one in runs for several, or
        for one of the project's own results)
    slides
        a folder that gets each figure as a slide too: 16:9, in large type, as SVG, PDF and PNG
    dark
        slides in light ink on dark ground
    """
    from harness.page.slides import write_slides
    from harness.page.write import write_told
    from harness.paths import RESULTS, new_folder
    from harness.report.build import told_of

    if dark and not slides:
        raise RequestError("--dark: it is for slides: give --slides FOLDER too")
    told = told_of(folder)
    alone = len(folder) == 1 and RESULTS not in folder[0].resolve().parents
    path = write_told(told, out or (folder[0] if alone else new_folder("report")))
    screen().print(Text(f"written: {path}"), soft_wrap=True)
    if slides:
        names = write_slides(told, slides, dark)
        said = f"written: {len(names)} slides as SVG, PDF and PNG in {slides}"
        screen().print(Text(said), soft_wrap=True)
    return 0
