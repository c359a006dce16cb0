"""``report.html``: one file that needs nothing else, and lets nothing in or out.

Its content-security policy allows the scripts that are written here, by their hashes, and no
connection at all; Vega interprets the charts' expressions, so not even ``eval`` is needed. All text
is escaped by Jinja2. Vega and the figures lie in it gzipped, in base64, a third of their size.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.page.blocks import Rosetta, figures, flat
from harness.page.drawing import Drawn
from harness.page.palette import Look, dark_colours, looks
from harness.page.shown import shown
from harness.page.told import Told

SHAPES = {
    "circle": "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13Z",
    "square": "M2.5 2.5h11v11h-11Z",
    "diamond": "M8 .5 15 8 8 15.5 1 8Z",
    "triangle-up": "M8 1.5 15 14H1Z",
    "triangle-down": "M8 14.5 15 2H1Z",
    "triangle-right": "M14.5 8 2 15V1Z",
    "triangle-left": "M1.5 8 14 15V1Z",
    "cross": "M5.5 1h5v4.5H15v5h-4.5V15h-5v-4.5H1v-5h4.5Z",
}
"""The shapes of `palette.Look` as paths in a box of 16."""


SCRIPTS = ("page.js", "tables.js", "charts.js")
"""Our own scripts, in the order in which they run."""


def page(told: Told, drawn: Drawn) -> str:
    """The whole page; the backends stand in its key, by the looks they bear throughout."""
    environment = Environment(
        loader=PackageLoader("harness.page"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    vega, scripts = drawn.bundle, [_own(name) for name in SCRIPTS]
    charts = json.dumps(_figures(told, drawn), separators=(",", ":"), allow_nan=False)
    return environment.get_template("page.html.j2").render(
        told=told,
        policy=_policy([vega, *scripts]),
        style=Markup(_own("page.css")),
        vega=_packed(vega),
        figures=_packed(charts),
        scripts=[Markup(script) for script in scripts],
        looks=_worn(told),
        shapes=SHAPES,
    )


def _shown(value: Any) -> Any:
    """A value as it is shown, but for what is HTML already."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _worn(told: Told) -> dict[str, Look]:
    """The looks of every backend on the page, those of the Rosetta view included."""
    blocks = [block for section in told.sections for block in flat(section.blocks)]
    views = [block for block in blocks if isinstance(block, Rosetta)]
    shown = [backend for view in views for backend in view.frameworks]
    return looks(list(dict.fromkeys([*told.backends, *shown])))


def _figures(told: Told, drawn: Drawn) -> dict[str, Any]:
    """The charts, and the tables they draw, each table once."""
    tables: list[str] = []
    charts = {}
    for figure in figures(told.sections):
        table = json.dumps(figure.columns())
        if table not in tables:
            tables.append(table)
        charts[figure.name] = {
            "spec": drawn.vega[figure.name],
            "table": tables.index(table),
            "words": figure.words,
            "zooms": figure.zooms,
        }
    return {"charts": charts, "tables": [json.loads(t) for t in tables], "dark": dark_colours()}


def _packed(text: str) -> Markup:
    """Gzip of a text in base64, for ``page.js``; one text always gives the same bytes."""
    return Markup(base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())


def _own(name: str) -> str:
    return (files("harness.page") / "templates" / name).read_text(encoding="utf-8")


def _policy(scripts: list[str]) -> str:
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
