"""Program that draws charts: a process of its own, for the chart library may end its process.

Standard input is JSON: ``charts``, by name a pair of Vega-Lite specifications, for the page and for
the picture; ``bundle``, whether Vega's JavaScript is asked for; ``slides``, by name what `slide`
takes. Standard output is JSON too: ``vega`` and
``pictures`` (PNG in base64) by name, ``bundle``, and ``slides`` by name as SVG and, in base64, PDF
and PNG. `harness.page.drawing` starts it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import sys
from io import BytesIO

import vl_convert
from PIL import Image


def die_with(parent: int) -> None:
    """End when the process that started this one ends; where there is no way to, go on."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            raise SystemExit(1)


def picture(spec: dict[str, object]) -> str:
    """The PNG of a specification, twice as fine as its size, in at most 256 colours, in base64."""
    drawn = Image.open(BytesIO(vl_convert.vegalite_to_png(json.dumps(spec), scale=2)))
    small = drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE)  # a sixth in bytes
    png = BytesIO()
    small.save(png, "PNG", optimize=True)
    return base64.b64encode(png.getvalue()).decode()


def slide(spec: dict[str, object], gap: str, around: str) -> dict[str, str]:
    """A chart on its slide, in three formats; the gap is where it stands, as attributes of SVG."""
    chart = vl_convert.vegalite_to_svg(json.dumps(spec))
    placed = re.sub(' width="[^"]*" height="[^"]*"', f" {gap}", chart, count=1)
    svg = around.replace("<svg/>", placed)
    return {
        "svg": svg,
        "pdf": base64.b64encode(vl_convert.svg_to_pdf(svg)).decode(),
        "png": base64.b64encode(vl_convert.svg_to_png(svg, scale=1.5)).decode(),
    }


def main() -> None:
    """Draw what is asked for on standard input."""
    die_with(int(sys.argv[1]))
    asked = json.load(sys.stdin.buffer)
    charts = asked["charts"].items()
    drawn = {
        "vega": {name: vl_convert.vegalite_to_vega(of_page) for name, (of_page, _) in charts},
        "pictures": {name: picture(of_picture) for name, (_, of_picture) in charts},
        "slides": {name: slide(*each) for name, each in asked["slides"].items()},
        "bundle": asked["bundle"] and vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
    }
    sys.stdout.buffer.write(json.dumps(drawn).encode())


if __name__ == "__main__":
    main()
