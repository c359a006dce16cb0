"""From folders to the report's files: of runs, and of what other commands wrote."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from common.errors import RequestError
from harness.console import printable
from harness.page.series import framework
from harness.page.told import Told
from harness.page.write import write_told
from harness.records.tables import holds
from harness.report.groups import Report, gather
from harness.report.sections import answers, sections
from harness.report.setup import notices

WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

WITHOUT_RUN = {
    "bench.json": "harness.bench.report",
    "generation.json": "harness.bench.generation.report",
    "scale.json": "harness.scale.report",
    "parity.csv": "harness.parity.report",
    "study.json": "harness.study.report",
    "sequence.json": "harness.sequence.report",
    "corpus.json": "harness.corpus.report",
    "bptt.json": "harness.bptt.report",
}
"""Modules whose ``told_of`` makes the report of folders that hold no run, by the file that they
hold: a command adds its own here. It is imported when it is wanted, for some stand above this."""

SEVERAL = ("run.json", "bench.json", "parity.csv")
"""Results of which one report may show several."""


def write_report(folders: Sequence[Path], out: Path) -> Path:
    """Write ``report.html``, ``report.md`` and its pictures into a folder, made if need be.

    Args:
        folders: of runs, several of which become one report, or each with the same other result.
        out: folder of the report.

    Returns:
        The path of ``report.html``.

    Raises:
        RequestError: something is not a folder of a result that has ended, they are of several
            kinds, or ``out`` cannot be written; nothing was written then.
    """
    return write_told(told_of(folders), out)


def told_of(folders: Sequence[Path]) -> Told:
    """Contents of the report of some folders.

    Raises:
        RequestError: as of `write_report`.
    """
    kinds = [_kind(folder) for folder in folders]
    if len(set(kinds)) > 1:
        first, other = kinds[0], next(kind for kind in kinds if kind != kinds[0])
        where = f"{folders[0]} holds {first}, {folders[kinds.index(other)]} {other}"
        raise RequestError(f"one report is of one kind: {where}: give them one by one")
    (kind,) = set(kinds)
    if len(folders) > 1 and kind not in SEVERAL:
        raise RequestError(printable(f"{folders[1]}: a report is of one {kind}: give one by one"))
    if kind not in WITHOUT_RUN:
        return told_of_runs(folders)
    told: Told = import_module(WITHOUT_RUN[kind]).told_of(folders)
    return told


def _kind(folder: Path) -> str:
    """The file that says what a folder holds: ``run.json``, also where it holds nothing known."""
    own = [] if holds(folder, "run.json") else [n for n in WITHOUT_RUN if holds(folder, n)]
    return own[0] if own else "run.json"


def told_of_runs(folders: Sequence[Path]) -> Told:
    """Contents of the report of runs.

    Raises:
        RequestError: something is not the folder of a run that has ended.
    """
    report = gather(folders)
    title, about = title_of(report)
    told = answers(report), sections(report)
    return Told(title, about, report.backends, *told, notices(report))


def title_of(report: Report) -> tuple[str, str]:
    """Title and subject of the report."""
    count = len(report.backends)
    frameworks = framework(report.backends[0])
    if count > 1:
        frameworks = f"{WORDS[count] if count < len(WORDS) else count} frameworks"
    first, *others = dict.fromkeys(group.title for group in report.groups)
    more = f"; {others[0]}" if len(others) == 1 else f", and {len(others)} more studies"
    return f"One network in {frameworks}", first + more * bool(others)
