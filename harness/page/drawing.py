"""Drawing of a report's charts, by `harness.page.draw`; a report can do without.

Vega's JavaScript, about 900 KB, takes seconds to bundle, so it is kept in the user's cache, with
its SHA-256 as its first line: what is damaged there is made anew.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs

from common.errors import in_one_line
from common.files import STALE, sweep, write_aside
from common.limits import reason_of
from harness.page.figure import Figure

PROGRAM = Path(__file__).with_name("draw.py")

SECONDS = 300
"""Longest that the charts of a report may take; they take a few seconds."""


class DrawingError(RuntimeError):
    """The charts cannot be drawn; the message is one line."""


@dataclass(frozen=True)
class Drawn:
    """Drawn charts.

    Attributes:
        vega: the specifications in Vega by name of the figure, without their tables.
        pictures: the PNGs, by name of the figure.
        bundle: Vega's JavaScript.
    """

    vega: dict[str, dict[str, Any]]
    pictures: dict[str, bytes]
    bundle: str


NOTHING = Drawn({}, {}, "")


def draw(figures: list[Figure]) -> Drawn:
    """Draw the charts of a report, all at once.

    Raises:
        DrawingError: the chart library failed, or ended its process.
    """
    if not figures:
        return NOTHING
    kept = platformdirs.user_cache_path("rnn-rosetta") / f"vega-{version('vl-convert-python')}.js"
    bundle = _read(kept)
    charts = {each.name: (each.vegalite(), each.picture()) for each in figures}
    drawn = _ask({"charts": charts, "bundle": bundle is None, "slides": {}})
    if bundle is None:
        bundle = str(drawn["bundle"])
        with suppress(OSError):  # the report needs no cache
            kept.parent.mkdir(parents=True, exist_ok=True)
            sweep(kept.parent, STALE)
            write_aside(kept, f"{_digest(bundle)}\n{bundle}")
    return Drawn(
        {each.name: each.filling_its_box(drawn["vega"][each.name]) for each in figures},
        {name: base64.b64decode(png) for name, png in drawn["pictures"].items()},
        bundle,
    )


def draw_slides(slides: dict[str, tuple[dict[str, Any], str, str]]) -> dict[str, dict[str, bytes]]:
    """Slides by name and format (svg, pdf, png), of what `harness.page.draw.slide` takes.

    Raises:
        DrawingError: as of `draw`.
    """
    drawn = _ask({"charts": {}, "bundle": False, "slides": slides})["slides"]
    return {
        name: {
            form: text.encode() if form == "svg" else base64.b64decode(text)
            for form, text in forms.items()
        }
        for name, forms in drawn.items()
    }


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    try:
        found = subprocess.run(
            [sys.executable, "-P", str(PROGRAM), str(os.getpid())],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=SECONDS,
            start_new_session=True,  # Ctrl-C is for us, who end it
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(f"the chart library took more than {SECONDS} s") from None
    except OSError as error:
        raise DrawingError(in_one_line(error)) from error
    if found.returncode == 0:
        drawn: dict[str, Any] = json.loads(found.stdout)
        return drawn
    raise DrawingError(_reason(found.returncode, found.stderr))


def _reason(status: int, said: bytes) -> str:
    if status < 0:
        return f"the chart library ended with {signal.Signals(-status).name}{_address_space()}"
    last = said.decode(errors="replace").strip().splitlines()[-1:]
    return f"the chart library failed{': ' if last else ''}{''.join(last)[:200]}{_address_space()}"


def _address_space() -> str:
    told = reason_of(OSError(errno.ENOMEM, ""))
    return f"; {told}" if "ulimit" in told else ""


def _read(kept: Path) -> str | None:
    """The bundle as it was kept; None if there is none, or it is damaged."""
    try:
        digest, _, content = kept.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content.decode() if digest.decode(errors="replace") == _digest(content) else None


def _digest(content: str | bytes) -> str:
    whole = content.encode() if isinstance(content, str) else content
    return f"// SHA-256 of the rest: {hashlib.sha256(whole).hexdigest()}"
