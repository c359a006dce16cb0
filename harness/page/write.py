"""Sections as the files of a report."""

from __future__ import annotations

from pathlib import Path

from common.files import write_aside, writing
from harness.page.blocks import Section, figures
from harness.page.html import page
from harness.page.markdown import PICTURES, markdown


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
        RequestError: ``out`` cannot be written.
    """
    html, text = page(backends, told, *titles), markdown(told, *titles)
    pictures = {figure.name: figure.png() for figure in figures(told)}
    with writing(out):
        (out / PICTURES).mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            write_aside(out / PICTURES / f"{name}.png", picture)
        write_aside(out / "report.md", text)
        write_aside(out / "report.html", html)
    return out / "report.html"
