"""Sections as the files of a report."""

from __future__ import annotations

from pathlib import Path

from common.files import storing, write_aside
from harness.console import note
from harness.page.blocks import Section, figures, without_figures
from harness.page.drawing import NOTHING, DrawingError, draw
from harness.page.html import page
from harness.page.markdown import PICTURES, markdown
from harness.paths import all_at_once


def write_sections(
    told: list[Section], titles: tuple[str, str], backends: list[str], out: Path
) -> Path:
    """Write sections as ``report.html``, ``report.md`` and pictures into a folder, made if need be.

    Args:
        told: the sections, in order.
        titles: title and subject of the report.
        backends: names of those it speaks of.
        out: folder of the report.

    Returns:
        The path of ``report.html``.

    Raises:
        RequestError: somebody else is writing into ``out``, or it cannot be written.
        StorageError: it can no longer be written.
    """
    try:
        drawn = draw(figures(told))
    except DrawingError as error:
        note(f"the report has no pictures: {error}")
        told, drawn = without_figures(told, str(error)), NOTHING
    html, text = page(backends, told, drawn, *titles), markdown(told, *titles)
    with all_at_once(out) as aside:
        if drawn.pictures:
            with storing(aside):
                (aside / PICTURES).mkdir()
        for name, picture in drawn.pictures.items():
            write_aside(aside / PICTURES / f"{name}.png", picture)
        write_aside(aside / "report.md", text)
        write_aside(aside / "report.html", html)
    return out / "report.html"
