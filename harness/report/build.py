"""From run folders to the report's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.files import write_aside, writing
from harness.report.blocks import Section, figures
from harness.report.markdown import PICTURES, markdown
from harness.report.page import page
from harness.report.sections import sections
from harness.report.studies import Report, framework, gather

WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def write_report(folders: Sequence[Path], out: Path) -> Path:
    """Write ``report.html``, ``report.md`` and its pictures into a folder, made if need be.

    Args:
        folders: run folders; several become one report.
        out: where it goes.

    Returns:
        The path of ``report.html``.

    Raises:
        RequestError: something is not the folder of a run that has ended, or ``out`` cannot be
            written; nothing was written then.
    """
    report = gather(folders)
    return write_sections(sections(report), title_of(report), report.backends, out)


def write_sections(
    told: list[Section], titles: tuple[str, str], backends: list[str], out: Path
) -> Path:
    """Write sections as ``report.html``, ``report.md`` and pictures into a folder, made if need be.

    Args:
        told: the sections, in order.
        titles: what the report is called, and what it is about.
        backends: those it speaks of.
        out: where it goes.

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


def title_of(report: Report) -> tuple[str, str]:
    """What the report is called, and what it is about."""
    count = len(report.backends)
    frameworks = framework(report.backends[0])
    if count > 1:
        frameworks = f"{WORDS[count] if count < len(WORDS) else count} frameworks"
    about = dict.fromkeys(study.title for study in report.studies)
    return f"One network in {frameworks}", "; ".join(about)
