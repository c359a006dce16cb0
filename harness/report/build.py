"""From run folders to the report's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.page.series import framework
from harness.page.write import write_sections
from harness.report.groups import Report, gather
from harness.report.sections import sections

WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def write_report(folders: Sequence[Path], out: Path) -> Path:
    """Write ``report.html``, ``report.md`` and its pictures into a folder, made if need be.

    Args:
        folders: run folders; several become one report.
        out: folder of the report.

    Returns:
        The path of ``report.html``.

    Raises:
        RequestError: something is not the folder of a run that has ended, or ``out`` cannot be
            written; nothing was written then.
    """
    report = gather(folders)
    return write_sections(sections(report), title_of(report), report.backends, out)


def title_of(report: Report) -> tuple[str, str]:
    """Title and subject of the report."""
    count = len(report.backends)
    frameworks = framework(report.backends[0])
    if count > 1:
        frameworks = f"{WORDS[count] if count < len(WORDS) else count} frameworks"
    about = dict.fromkeys(group.title for group in report.groups)
    return f"One network in {frameworks}", "; ".join(about)
