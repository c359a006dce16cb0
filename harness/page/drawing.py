"""Drawing of a report's charts, by `harness.page.draw`; a report can do without.

Vega's JavaScript, about 900 KB, takes seconds to bundle, and a chart takes half a second: both are
kept, see `harness.page.kept`.
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
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from common.errors import in_one_line
from common.limits import reason_of
from harness.page import kept
from harness.page.figure import Figure
from harness.workers.cpus import usable_cpus

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
    name = f"vega-{version('vl-convert-python')}.js"
    bundle = kept.read(name)
    charts = {each.name: (each.vegalite(), each.picture()) for each in figures}
    drawn = _ask({"charts": charts, "bundle": bundle is None, "slides": {}})
    if bundle is None:
        bundle = str(drawn["bundle"])
        kept.keep(name, bundle)
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
    (drawn,) = _draw_at_once([{"charts": {}, "bundle": False, "slides": slides}])
    return {
        name: {
            form: text.encode() if form == "svg" else base64.b64decode(text)
            for form, text in forms.items()
        }
        for name, forms in drawn["slides"].items()
    }


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of `harness.page.draw`; a chart that was drawn before is not drawn again."""
    charts = request["charts"]
    places = {name: _place(chart) for name, chart in charts.items()}
    found = {name: text for name, place in places.items() if (text := kept.read(place))}
    known = {name: json.loads(text) for name, text in found.items()}
    left = [name for name in charts if name not in known]
    halves = [left[::2], left[1::2]] if len(usable_cpus()) > 1 else [left]
    parts = [{"charts": {n: charts[n] for n in half}, "bundle": False} for half in halves]
    parts[-1]["bundle"] = request["bundle"]  # the smaller half, if they differ
    drawn = _draw_at_once([{**each, "slides": {}} for each in parts if any(each.values())])
    for each in drawn:
        for name, vega in each["vega"].items():
            known[name] = {"vega": vega, "picture": each["pictures"][name]}
            kept.keep(places[name], json.dumps(known[name]))
    return {
        "vega": {name: known[name]["vega"] for name in charts},
        "pictures": {name: known[name]["picture"] for name in charts},
        "bundle": next((each["bundle"] for each in drawn if each["bundle"]), False),
    }


def _place(chart: tuple[dict[str, Any], dict[str, Any]]) -> str:
    """Name by which a drawn chart is kept: what it is drawn from, and by whom."""
    drawn_by = PROGRAM.read_text(encoding="utf-8"), version("vl-convert-python"), version("pillow")
    return f"{hashlib.sha256(json.dumps([drawn_by, chart]).encode()).hexdigest()}.json"


def _draw_at_once(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of `harness.page.draw`, of a process for each request."""
    with ExitStack() as opened:
        try:
            started = [_start(request, opened) for request in requests]
            said = [process.communicate(timeout=SECONDS) for process in started]
        except subprocess.TimeoutExpired:
            raise DrawingError(f"the chart library took more than {SECONDS} s") from None
        except OSError as error:
            raise DrawingError(in_one_line(error)) from error
    for process, (_, errors) in zip(started, said, strict=True):
        if process.returncode:
            raise DrawingError(_reason(process.returncode, errors))
    return [json.loads(answer) for answer, _ in said]


def _start(request: dict[str, Any], opened: ExitStack) -> subprocess.Popen[bytes]:
    """A process that draws, and is ended with the stack."""
    asked = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    asked.write(json.dumps(request).encode())
    asked.seek(0)
    process = opened.enter_context(
        subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), str(os.getpid())],
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, who end it
        )
    )
    opened.callback(process.kill)
    return process


def _reason(status: int, said: bytes) -> str:
    if status < 0:
        return f"the chart library ended with {signal.Signals(-status).name}{_address_space()}"
    last = said.decode(errors="replace").strip().splitlines()[-1:]
    return f"the chart library failed{': ' if last else ''}{''.join(last)[:200]}{_address_space()}"


def _address_space() -> str:
    told = reason_of(OSError(errno.ENOMEM, ""))
    return f"; {told}" if "ulimit" in told else ""
