"""The static site of a history: an index, and a page for each case that was measured.

It has no script and asks nothing of the network: its charts, of which there are thousands, are
drawn as SVG in the page. All that comes from the history is escaped by Jinja2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from common.errors import RequestError
from common.files import write_aside
from harness.console import printable
from harness.history.charts import Trend, trend
from harness.history.measures import MEASURES
from harness.history.outcomes import told
from harness.history.steps import NEEDED, Step
from harness.history.store import SERIES
from harness.page.html import SHAPES
from harness.page.palette import looks
from harness.page.series import in_order, records
from harness.page.shown import shown
from harness.paths import all_at_once

CASE = ["kind", "title", "place", "machine"]

GENERATOR = 'name="generator" content="rnn-rosetta history"'
"""Mark of a page of ours, which another may replace."""

SEED = re.compile(r", seed \d+$")


@dataclass(frozen=True)
class Page:
    """A page of the site: one case, on one machine and place.

    Attributes:
        file: its name.
        kind, title, place, machine: of the case.
        entries: one a row: time, revision and folder.
        trends: by measure.
        steps: of its series, the newest first.
    """

    file: str
    kind: str
    title: str
    place: str
    machine: str
    entries: pd.DataFrame
    trends: dict[str, list[Trend]]
    steps: list[Step]


def write_site(history: pd.DataFrame, steps: list[Step], out: Path) -> Path:
    """Write the site into a folder, all pages at once; the path of its index.

    Args:
        history: by the columns of `harness.history.store.HistoryTable`.
        steps: all that were found in it.
        out: the folder; pages of ours that it holds are replaced.

    Raises:
        RequestError: the folder holds another index.html, somebody writes there, or it cannot be
            written.
        StorageError: it can no longer be written.
    """
    index = out / "index.html"
    if index.exists() and GENERATOR not in index.read_text(encoding="utf-8", errors="replace"):
        raise RequestError(f"{index}: is not of a history: give another --out")
    pages = sorted(_pages(history, steps), key=lambda page: -len(page.entries))
    environment, sizes = _environment(), history.groupby(SERIES).size()
    style = Markup(_read("harness.page", "page.css") + _read("harness.history", "site.css"))
    worn = looks(sorted(history.backend.unique()))
    common = {"style": style, "looks": worn, "shapes": SHAPES, "generator": Markup(GENERATOR)}
    written = {
        page.file: environment.get_template("case.html.j2").render(
            page=page, sentence=told, **common
        )
        for page in pages
    }
    written["index.html"] = environment.get_template("index.html.j2").render(
        pages=pages,
        pages_of=_page_of(pages),
        steps=steps,
        sentence=told,
        entries=_entries(history),
        long=int((sizes >= NEEDED).sum()),
        series=len(sizes),
        needed=NEEDED,
        machines=_machines(history),
        versions=_versions(history),
        **common,
    )
    with all_at_once(out) as aside:
        for name, content in written.items():
            write_aside(aside / name, content)
    return index


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("harness.history"),
        autoescape=True,
        finalize=lambda value: (
            shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text(encoding="utf-8")


def _pages(history: pd.DataFrame, steps: list[Step]) -> Iterator[Page]:
    told_of = history.assign(title=history.of.str.replace(SEED, "", regex=True))
    worn = looks(sorted(history.backend.unique()))
    for key, of in told_of.groupby(CASE, sort=False):
        kind, title, place, machine = map(str, key)
        entries = of.drop_duplicates("key").reset_index(drop=True)
        places = dict(zip(entries.key, range(len(entries)), strict=True))
        trends: dict[str, list[Trend]] = {}
        mine = []
        for series in in_order(of):
            rows = series.rows(of)
            for name, figures in rows.groupby(SERIES, sort=False):
                found = [step for step in steps if tuple(step.series.values()) == name]
                mine += found
                drawn = trend(figures, places, found, worn[series.backend], series.title)
                trends.setdefault(str(name[0]), []).append(drawn)
        ordered = {name: trends[name] for name in (*MEASURES, *trends) if name in trends}
        yield Page(_file(title, key), kind, title, place, machine, entries, ordered, mine)


def _file(title: str, key: Any) -> str:
    """A name of letters, digits and hyphens; two cases never share one."""
    words = "-".join(re.findall("[a-z0-9.]+", title.lower()))[:60]
    digest = hashlib.sha256("\0".join(map(str, key)).encode()).hexdigest()[:8]
    return f"{words or 'case'}-{digest}.html"


def _page_of(pages: list[Page]) -> dict[str, str]:
    """The page of every series that has a step, by the parts of its name, a line each."""
    return {"\n".join(step.series.values()): page.file for page in pages for step in page.steps}


def _entries(history: pd.DataFrame) -> list[dict[str, Any]]:
    """The entries, the newest first, with the number of their figures."""
    counts = history.groupby("key").size()
    entries = history.drop_duplicates("key").iloc[::-1]
    return [row | {"figures": counts[row["key"]]} for row in records(entries)]


def _machines(history: pd.DataFrame) -> list[dict[str, Any]]:
    """Each machine, with its entries and the systems it ran."""
    return [
        {
            "name": machine,
            "entries": of.key.nunique(),
            "systems": [str(system) for system in of.system.unique()],
            "first": of["at"].min(),
            "last": of["at"].max(),
        }
        for machine, of in history.groupby("machine", sort=False)
    ]


def _versions(history: pd.DataFrame) -> list[dict[str, Any]]:
    """Versions that each backend computed with, and when it first and last did."""
    return [
        {
            "backend": backend,
            "versions": printable(str(versions)),
            "entries": of.key.nunique(),
            "first": of["at"].min(),
            "last": of["at"].max(),
        }
        for (backend, versions), of in history.groupby(["backend", "versions"], sort=True)
    ]
