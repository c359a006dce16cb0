"""Results for other programs: GitHub's Markdown, JUnit's XML, and annotations of GitHub Actions.

The Markdown is what a command prints for people, kept on a `Sheet`; the others tell what passed and
what failed, a line each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.errors import RequestError
from common.files import append
from harness.console import in_brief, printable, screen

Format = Literal["markdown", "junit", "github"]
Ending = Literal["passed", "failed", "skipped"]

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Variable with the path of the file that GitHub shows below a step."""

MOST = 10
"""Annotations of one kind that GitHub shows of a step."""


@dataclass(frozen=True)
class Outcome:
    """One thing that a command found: a row, a comparison, a figure.

    Attributes:
        group, name: of what; together they name it alone.
        status: what came of it.
        reason: why it failed or was left out; of what passed, its figure.
        seconds: that it took, where they were measured.
        file: of the source that it is about, from the project's folder; empty if of none alone.
    """

    group: str
    name: str
    status: Ending
    reason: str = ""
    seconds: float | None = None
    file: str = ""


class Sheet(Console):
    """A console that keeps what is printed as Markdown, and shows nothing."""

    def __init__(self) -> None:
        super().__init__(quiet=True, width=200, force_terminal=False)
        self.blocks: list[str] = []

    def print(self, *objects: Any, **_: Any) -> None:
        """Keep a table as a table, anything else as a paragraph."""
        for each in objects:
            block = self._table(each) if isinstance(each, Table) else in_markdown(self._plain(each))
            self.blocks.append(block)

    def _plain(self, text: Any) -> str:
        return text.plain if isinstance(text, Text) else self.render_str(str(text)).plain

    def _table(self, table: Table) -> str:
        columns = [
            [column.header, "--:" if column.justify == "right" else ":--", *column.cells]
            for column in table.columns
        ]
        lines = [
            [str(cell) if number == 1 else in_markdown(self._plain(cell)) for cell in row]
            for number, row in enumerate(zip(*columns, strict=True))
        ]
        title = [f"**{in_markdown(self._plain(table.title))}**", ""] if table.title else []
        return "\n".join(title + [f"| {' | '.join(line)} |" for line in lines])


def console_for(json: bool, form: Format | None) -> Console:
    """The console that a result is printed on: silent beside JSON.

    Raises:
        RequestError: both were asked for.
    """
    if json and form:
        raise RequestError(f"--json and --format {form}: give one of them")
    if form:
        return Sheet()
    return Console(quiet=True) if json else screen()


def tell(form: Format | None, title: str, outcomes: Sequence[Outcome], console: Console) -> None:
    """Print a result in the form that was asked for; nothing if it was none.

    Args:
        form: of ``--format``.
        title: the command.
        outcomes: all that it found.
        console: that of `console_for`, on which it was printed.
    """
    if not isinstance(console, Sheet):
        return
    page = f"### {title}\n\n" + "\n\n".join(console.blocks) + "\n"
    match form:
        case "markdown":
            print(page)
        case "junit":
            print(junit(title, outcomes))
        case _:
            for line in workflow_commands(title, outcomes):
                print(line)
            if path := os.environ.get(SUMMARY):
                append(Path(path), f"{page}\n")
            else:
                print(page)


SPECIAL = re.compile(
    r"[\\`*\[\]|~$]"  # code, emphasis, links, cells, mathematics
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis; within a word an underscore is itself
    r"|^[#+=-]"  # headings, lists and rules, which only begin a line
)
NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "://": "&#58;//"}


def in_markdown(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    safe = SPECIAL.sub(r"\\\g<0>", printable(" ".join(text.splitlines())))
    safe = NUMBERED.sub(r"\1\\\2", safe)
    return re.sub("[&<>@]|://", lambda found: ENTITIES[found[0]], safe)


def junit(title: str, outcomes: Sequence[Outcome]) -> str:
    """JUnit's XML, a suite a group; what XML 1.0 cannot hold is shown as a dot."""
    root = ET.Element("testsuites", {"name": f"rnn-rosetta {title}"} | _counts(outcomes))
    for group in dict.fromkeys(each.group for each in outcomes):
        mine = [each for each in outcomes if each.group == group]
        suite = ET.SubElement(root, "testsuite", {"name": printable(group)} | _counts(mine))
        for each in mine:
            told = {"classname": f"{title}.{printable(group)}", "name": printable(each.name)}
            told |= {"time": f"{each.seconds or 0:.3f}"}
            told |= {"file": printable(each.file)} if each.file else {}
            case, said = ET.SubElement(suite, "testcase", told), in_brief(each.reason)
            if each.status != "passed":
                kind = "failure" if each.status == "failed" else "skipped"
                ET.SubElement(case, kind, message=said).text = said
            elif said:
                ET.SubElement(case, "system-out").text = said
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return written.decode()


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    failed, skipped = (
        sum(each.status == status for each in outcomes) for status in ("failed", "skipped")
    )
    seconds = sum(each.seconds or 0 for each in outcomes)
    counts = {"tests": len(outcomes), "failures": failed, "errors": 0, "skipped": skipped}
    return {name: str(count) for name, count in counts.items()} | {"time": f"{seconds:.3f}"}


def workflow_commands(title: str, outcomes: Sequence[Outcome]) -> list[str]:
    """Workflow commands of GitHub Actions: an error for each that failed, or the first of them."""
    failed = [each for each in outcomes if each.status == "failed"]
    shown = failed if len(failed) <= MOST else failed[: MOST - 1]
    lines = []
    for each in shown:
        where = f"file={_property(each.file)}," if each.file else ""
        heading = _property(f"{title}: {each.group}, {each.name}")
        lines.append(f"::error {where}title={heading}::{_data(each.reason)}")
    if len(shown) < len(failed):
        rest = f"{len(failed) - len(shown)} more failed, see the summary"
        lines.append(f"::error title={_property(title)}::{_data(rest)}")
    return lines


def _data(text: str) -> str:
    safe = in_brief(text)
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
