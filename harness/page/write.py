"""Contents of a report as its files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from common.errors import in_one_line
from common.files import storing, write_aside
from harness.console import in_brief, note
from harness.page.blocks import Note, figures, without_figures
from harness.page.drawing import NOTHING, DrawingError, draw
from harness.page.html import page
from harness.page.markdown import PICTURES, markdown
from harness.page.told import Told
from harness.paths import all_at_once


def write_told(told: Told, out: Path) -> Path:
    """Write ``report.html``, ``report.md`` and pictures into a folder, made if need be.

    Args:
        told: contents of the report.
        out: folder of the report.

    Returns:
        The path of ``report.html``.

    Raises:
        RequestError: somebody else is writing into ``out``, or it cannot be written.
        StorageError: it can no longer be written.
    """
    try:
        drawn = draw(figures(told.sections))
    except DrawingError as error:
        note(f"the report has no pictures: {error}")
        why = Note(f"Without pictures: {error}", "bad")
        notices = [why, *told.notices]
        told = replace(told, sections=without_figures(told.sections), notices=notices)
        drawn = NOTHING
    html, text = page(told, drawn), markdown(told)
    with all_at_once(out) as aside:
        if drawn.pictures:
            with storing(aside):
                (aside / PICTURES).mkdir()
        for name, picture in drawn.pictures.items():
            write_aside(aside / PICTURES / f"{name}.png", picture)
        write_aside(aside / "report.md", text)
        write_aside(aside / "report.html", html)
    return out / "report.html"


def add_report(told: Callable[[], Told], out: Path, folder: Path) -> str:
    """Write the report of a result, which stands as it is whatever becomes of its report.

    Args:
        told: gives the contents of the report.
        out: where to write it.
        folder: where the result will lie.

    Returns:
        A line that says where the report will be; empty if there is none, and standard error says
        why.
    """
    try:
        path = write_told(told(), out)
    except Exception as error:
        again = f"to try again: python -m harness report {folder}"
        print(in_brief(f"no report: {in_one_line(error)}; {again}"), file=sys.stderr)
        return ""
    return f"report: {folder / path.name}"
