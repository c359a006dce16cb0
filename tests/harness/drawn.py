"""Figures as they are drawn: how many lines each panel has."""

import json
from xml.etree import ElementTree

import vl_convert

SVG = "{http://www.w3.org/2000/svg}"


def most_lines(figures):
    """The most lines of any panel of each figure, by its name."""
    drawn = {each.name: vl_convert.vegalite_to_svg(json.dumps(each.picture())) for each in figures}
    return {name: _most(ElementTree.fromstring(svg)) for name, svg in drawn.items()}


def _most(svg):
    cells = [each for each in svg.iter(f"{SVG}g") if "role-scope cell" in each.get("class", "")]
    panels = [panel for cell in cells for panel in cell]
    return max(len(list(_lines(panel))) for panel in panels or [svg])


def _lines(panel):
    for group in panel.iter(f"{SVG}g"):
        if "mark-line" in group.get("class", ""):
            yield from (path for path in group.iter(f"{SVG}path") if path.get("d"))
