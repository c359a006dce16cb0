"""``history``: results over time."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from common.errors import RequestError
from harness.console import print_json, screen
from harness.formats import console_for, tell
from harness.options import (
    CHOICE,
    MEASUREMENT,
    OUTPUT,
    Backends,
    Json,
    OutputFormat,
    Variants,
    split,
)
from harness.paths import RUNS

DB = RUNS / "history.sqlite"

File = Annotated[
    Path, Parameter(group=OUTPUT, help="file of the history, one of SQLite", show_default=True)
]
Threshold = Annotated[
    float, Parameter(group=MEASUREMENT, help="smallest relative change that is told as a step")
]
Cases = Annotated[
    list[str] | None,
    Parameter(
        name="--case",
        negative=(),
        group=CHOICE,
        help="only shapes, precisions or settings that hold this text (repeat)",
    ),
]
Measures = Annotated[
    list[str] | None,
    Parameter(
        name="--measure",
        negative=(),
        group=CHOICE,
        help="only this, such as throughput or perplexity (repeat, or separate by commas)",
    ),
]


def history() -> App:
    """The command with its four actions."""
    app = App(
        name="history",
        help="Keep results over time, keyed by commit, versions and machine; find step changes in "
        "them, and make a static site of them.",
        help_format="plaintext",
        version_flags=(),
    )
    for action in (add, show, check, site):
        app.command(action)
    return app


def add(folder: list[Path], /, *, db: File = DB, json: Json = False) -> int:
    """Add every finished run, benchmark and parity in some folders, and in those below them.

    What the history holds already changes nothing. The project's own results
    are a beginning: history add results.

    Parameters
    ----------
    folder
        a folder of results, or of folders of results
    """
    from harness.history import store
    from harness.history.entries import entries_below

    entries = {entry.key: entry for each in folder for entry in entries_below(each)}
    new = store.add(db, entries.values())
    known = len(entries) - new
    if json:
        print_json({"db": str(db), "added": new, "known": known})
    else:
        said = f"{db}: {new} added" + (f", {known} known before" if known else "")
        screen().print(Text(said), soft_wrap=True)
    return 0


def show(
    *,
    db: File = DB,
    measure: Measures = None,
    case: Cases = None,
    backend: Backends = None,
    variant: Variants = None,
    threshold: Threshold = 0.05,
    json: Json = False,
) -> int:
    """Show how figures went, entry by entry, and their last step.

    Parameters
    ----------
    variant
        only this variant (repeat, or separate by commas; default: every one)
    """
    from harness.history import store
    from harness.history.steps import steps_of
    from harness.history.tables import chosen, show_trends

    found = chosen(store.read(db), split(measure), case or (), split(backend), split(variant))
    if json:
        print_json({"db": str(db), "figures": found.to_dict("records")})
    else:
        show_trends(screen(), found, steps_of(found, _fraction(threshold)))
    return 0


def check(
    *,
    db: File = DB,
    measure: Measures = None,
    case: Cases = None,
    backend: Backends = None,
    variant: Variants = None,
    threshold: Threshold = 0.05,
    json: Json = False,
    form: OutputFormat = None,
) -> int:
    """Look for step changes at the newest entries: exit status 1 if one is for the worse.

    A step is told with its third entry, so that one odd result is none, and by
    the checks after that and the next two.

    Parameters
    ----------
    variant
        only this variant (repeat, or separate by commas; default: every one)
    """
    from harness.history import store
    from harness.history.outcomes import outcomes
    from harness.history.steps import steps_of
    from harness.history.tables import chosen, show_steps

    console = console_for(json, form)
    found = chosen(store.read(db), split(measure), case or (), split(backend), split(variant))
    steps = steps_of(found, _fraction(threshold), newest=True)
    if json:
        told = [asdict(step) | {"change": step.change} for step in steps]
        print_json({"db": str(db), "steps": told})
    show_steps(console, found, steps)
    tell(form, "history check", outcomes(found, steps), console)
    return 1 if any(step.worse for step in steps) else 0


def site(
    *,
    db: File = DB,
    out: Annotated[Path, Parameter(group=OUTPUT, show_default=True)] = RUNS / "history",
    threshold: Threshold = 0.05,
) -> int:
    """Make a static site of the whole history: one folder, which asks nothing of the network.

    Parameters
    ----------
    out
        the folder that gets index.html, and a page for each shape and setting
    """
    from harness.history import store
    from harness.history.site import write_site
    from harness.history.steps import steps_of

    found = store.read(db)
    path = write_site(found, steps_of(found, _fraction(threshold)), out)
    screen().print(Text(f"written: {path}"), soft_wrap=True)
    return 0


def _fraction(threshold: float) -> float:
    if not 0 <= threshold < 1:
        raise RequestError(f"--threshold {threshold:g}: a fraction, from 0 to less than 1")
    return threshold
