"""Figures as slides: 16 to 9, in large type, light or dark, as SVG, PDF and PNG."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

from common.errors import RequestError
from common.files import write_aside
from harness.page.blocks import figures
from harness.page.drawing import DrawingError, draw_slides
from harness.page.figure import FONT, Figure
from harness.page.palette import INK, dark_colours
from harness.page.shown import shown
from harness.page.told import Told
from harness.paths import all_at_once

SIZE = 1280, 720
GAP = 'x="40" y="110" width="1200" height="580"'
"""Where the chart stands, as large as fits."""

WIDE = 560
"""Width that a chart is drawn in, so that its letters are large when it fills the slide."""

LINE = 62
"""Characters of a title on one line."""


def write_slides(told: Told, out: Path, dark: bool) -> list[str]:
    """Write a slide of each figure of a report into a folder, made if need be.

    Args:
        told: contents of the report.
        out: the folder.
        dark: True for light ink on dark ground.

    Returns:
        The names of the figures.

    Raises:
        RequestError: there is no figure, the chart library failed, or the folder cannot be written.
    """
    found = {figure.name: _slide(figure, dark) for figure in figures(told.sections)}
    if not found:
        raise RequestError("--slides: this report has no figure")
    try:
        drawn = draw_slides(found)
    except DrawingError as error:
        raise RequestError(f"--slides: {error}") from error
    with all_at_once(out) as aside:
        for name, forms in drawn.items():
            for form, content in forms.items():
                write_aside(aside / f"{name}.{form}", content)
    return [*drawn]


def _slide(figure: Figure, dark: bool) -> tuple[dict[str, Any], str, str]:
    """The specification of the chart, its place, and the slide around it."""
    spec: dict[str, Any] = figure.picture() | {"background": "transparent", "padding": 0}
    if "width" in spec:  # panels share their own
        spec["width"] = WIDE
    worn = dark_colours() if dark else {}

    def in_its_colours(text: str) -> str:
        return re.sub("#[0-9a-f]{6}", lambda found: worn.get(found[0], found[0]), text)

    title = shown(figure.title)
    cut = title.rfind(" ", 0, LINE) if len(title) > LINE else len(title)
    lines = [part for part in (title[:cut], title[cut:].strip()) if part]
    size = 38 if len(lines) == 1 else 30
    words = "".join(
        f'<text x="40" y="{58 + 36 * i}" font-size="{size}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    width, height = SIZE
    around = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><rect width="{width}" height="{height}" '
        f'fill="{INK["paper"]}"/><g font-family="{escape(FONT)}" font-weight="600" '
        f'fill="{INK["ink"]}">{words}</g><svg/></svg>'
    )
    return json.loads(in_its_colours(json.dumps(spec))), GAP, in_its_colours(around)
