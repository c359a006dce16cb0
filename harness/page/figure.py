"""Parts shared by all charts; each is defined once, for the page and for ``report.md``.

A `Figure` is an Altair chart over one named table. The page gets it compiled to Vega, as wide as
its box, and the table beside it; a picture gets both at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt
import pandas as pd
from altair.utils import schemapi

from harness.page.palette import INK, dash, looks

schemapi.disable_debug_mode()  # tests hold charts against Vega-Lite's schema: it takes a second

WIDTH = 640
MOST = 5
"""Lines of a chart: nobody tells more apart."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
DATA = "table"
BETWEEN = 110
"""Space beside and between two columns of panels, in pixels."""

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK["soft"],
        "titleColor": INK["soft"],
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 13,
        "gridColor": INK["rule"],
        "domainColor": INK["rule"],
        "tickColor": INK["rule"],
    },
    "legend": {
        "labelColor": INK["ink"],
        "labelFontSize": 13,
        "labelLimit": 220,
        "orient": "top",
        "title": None,
        "symbolSize": 110,
        "symbolStrokeWidth": 2,
        "columnPadding": 18,
    },
}


@dataclass(frozen=True)
class Figure:
    """A chart and what it says.

    Attributes:
        name: of its files and its place in the page; letters, digits and hyphens.
        title: its subject, in a line.
        words: description for a reader who does not see it.
        chart: of width `WIDTH`, or panels in two columns, over the table named `DATA`.
        table: data that it draws.
        zooms: ranges of its axes, x and y, if they can be moved.
    """

    name: str
    title: str
    words: str
    chart: alt.LayerChart | alt.FacetChart
    table: pd.DataFrame
    zooms: tuple[str, str] | None = None

    @property
    def frameworks(self) -> dict[str, str]:
        """The names of the frameworks it shows, by backend."""
        return dict(zip(self.table.backend, self.table.framework, strict=True))

    @property
    def height(self) -> int:
        """Height in pixels that its place on the page is given before it is drawn, about."""
        if isinstance(self.chart, alt.FacetChart):
            rows = math.ceil(self.table["panel"].nunique() / int(self.chart.columns))
            return rows * (int(self.chart.spec.height) + 80) + 30
        return int(self.chart.height) + 90

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The chart in Vega-Lite, without its table."""
        return dict(self.chart.to_dict(validate=schemapi.DEBUG_MODE))

    def vegalite(self) -> dict[str, Any]:
        """The chart for the page."""
        if isinstance(self.chart, alt.FacetChart):
            return self.spec
        return self.spec | {"width": "container"}

    def filling_its_box(self, compiled: dict[str, Any]) -> dict[str, Any]:
        """The chart as it was compiled to Vega, as wide as the box it stands in."""
        if isinstance(self.chart, alt.FacetChart):
            return _sharing_the_box(compiled, self.chart.columns)
        return compiled

    def columns(self) -> dict[str, list[Any]]:
        """The table by columns, in numbers of six digits, for JSON."""
        return {str(name): _plain(self.table[name]) for name in self.table}

    def picture(self) -> dict[str, Any]:
        """The chart in Vega-Lite with its table, on the paper's ground."""
        columns = self.columns()
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        spec = self.spec
        datasets = spec.get("datasets", {}) | {DATA: rows}  # a layer may bring a few rows along
        return spec | {"datasets": datasets, "background": INK["paper"], "padding": 12}


def _sharing_the_box(compiled: dict[str, Any], columns: int) -> dict[str, Any]:
    """Panels in columns that fill the box, which Vega-Lite does for a lone chart alone."""
    box = f"(isFinite(containerSize()[0]) ? containerSize()[0] : {WIDTH})"
    share = f"max(90, ({box} - {BETWEEN} * {columns / 2}) / {columns})"
    width = {"init": share, "on": [{"events": "window:resize", "update": share}]}
    for signal in compiled["signals"]:
        if signal["name"] == "child_width":
            del signal["value"]
            signal |= width
    return compiled


def _plain(column: pd.Series[Any]) -> list[Any]:
    if column.dtype.kind == "f":
        return [float(f"{x:.6g}") if abs(x) < float("inf") else None for x in column]
    return list(column.tolist())


def scales(table: pd.DataFrame) -> tuple[alt.Scale, alt.Scale, alt.Scale]:
    """Colour and shape by framework, dash by variant, for what a table holds."""
    frameworks = dict.fromkeys(zip(table.backend, table.framework, strict=True))
    names = [title for _, title in frameworks]
    worn = looks([backend for backend, _ in frameworks]).values()
    variants = list(dict.fromkeys(table.variant))
    return (
        alt.Scale(domain=names, range=[look.light for look in worn]),
        alt.Scale(domain=names, range=[look.shape for look in worn]),
        alt.Scale(domain=variants, range=[dash(variant) for variant in variants]),
    )


def finish(layers: Sequence[alt.Chart], height: int) -> alt.LayerChart:
    """The layers as one chart over the named table."""
    data, config = alt.NamedData(DATA), alt.Config(**CONFIG)
    return alt.LayerChart(data=data, layer=[*layers], width=WIDTH, height=height, config=config)


def panels(
    layers: Sequence[alt.Chart], height: int, order: Sequence[str], columns: int = 2
) -> alt.FacetChart:
    """The layers as small multiples in columns, by the table's ``panel``, in this order."""
    width = (WIDTH - BETWEEN * columns // 2) // columns
    data = alt.NamedData(DATA)
    layered = alt.LayerChart(data=data, layer=[*layers], width=width, height=height)
    header = alt.Header(title=None, labelFontSize=13, labelColor=INK["ink"], labelAnchor="start")
    facet = alt.Facet("panel:N", sort=list(order), header=header)
    chart = layered.facet(facet=facet, columns=columns, config=alt.Config(**CONFIG))
    finished: alt.FacetChart = chart
    return finished
