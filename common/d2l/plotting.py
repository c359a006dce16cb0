"""Curves of numbers, tensors or arrays: drawn inline in a notebook; nothing is drawn without one.

A picture is a PNG, which every reader of notebooks shows.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from time import monotonic
from typing import Any, Literal

import numpy as np

from common.array import Array
from common.vocab import as_numpy

Scale = Literal["linear", "log"]
Limits = Sequence[float] | None
COLOURS = ["#1b67ad", "#b93d10", "#0b7a6b", "#a23c86", "#8a6100"]
DASHES = [[1, 0], [6, 3], [2, 3], [8, 3, 2, 3], [4, 4]]
POINTS = 1_000  # drawn of a curve: more than a picture has columns
INCH = 80  # pixels
PAUSE = 0.5  # seconds between two pictures of a board


@dataclass
class Axes:
    """Axes of a picture; figsize is in inches."""

    xlabel: str | None = None
    ylabel: str | None = None
    xlim: Limits = None
    ylim: Limits = None
    xscale: Scale = "linear"
    yscale: Scale = "linear"
    figsize: tuple[float, float] = (3.5, 2.5)


@dataclass(frozen=True)
class Curve:
    """One curve: x and y are (n,)."""

    x: Array
    y: Array
    label: str = ""


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] = (),
    **axes: Any,
) -> None:
    """Draw one curve, or a list of them.

    Args:
        X: the x of each curve, or of all; the y where Y is None, over 0, 1, 2 and so on.
        Y: the y of each curve.
        xlabel, ylabel: titles of the axes.
        legend: a name for each curve.
        axes: the other fields of `Axes`.
    """
    found = curves(X, Y, legend)
    shown = Axes(xlabel, ylabel, **axes)
    if in_notebook():
        _display(picture(found, shown))


def curves(X: Any, Y: Any = None, legend: Sequence[str] = ()) -> list[Curve]:
    """The curves that `plot` draws.

    Raises:
        ValueError: a curve has not as many x as y.
    """
    xs, ys = ([], _each(X)) if Y is None else (_each(X), _each(Y))
    if not xs:
        xs = [np.arange(len(y)) for y in ys]
    if len(xs) == 1:
        xs *= len(ys)
    if len(xs) != len(ys):
        raise ValueError(f"plot: {len(xs)} curves by their x, but {len(ys)} by their y")
    for number, (x, y) in enumerate(zip(xs, ys, strict=True), 1):
        if len(x) != len(y):
            raise ValueError(f"plot: curve {number} has {len(x)} x, but {len(y)} y")
    labels = [*legend, *[""] * len(ys)]
    return [Curve(x, y, label) for x, y, label in zip(xs, ys, labels, strict=False)]


def _each(values: Any) -> list[Array]:
    """The numbers of every curve, (n,) each."""
    several = isinstance(values, (list, tuple)) and len(values) and as_numpy(values[0]).ndim
    return [as_numpy(one).ravel() for one in (values if several else [values])]


def in_notebook() -> bool:
    """True in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def picture(drawn: Iterable[Curve], axes: Axes) -> bytes:
    """The PNG of some curves."""
    import altair as alt  # only where something is drawn
    from PIL import Image

    drawn = list(drawn)
    names = [curve.label or f"curve {number}" for number, curve in enumerate(drawn, 1)]
    rows = [
        {"x": x, "y": y, "curve": name}
        for curve, name in zip(drawn, names, strict=True)
        for x, y in _points(curve, axes)
    ]
    sides = alt.Axis(tickCount=5, gridColor="#eeeeee", labelOverlap="greedy")
    legend = alt.Legend(title=None, orient="top") if any(c.label for c in drawn) else None
    chart = alt.Chart(alt.InlineData(rows)).mark_line(clip=True, strokeWidth=1.5)
    chart = chart.encode(
        x=alt.X("x:Q", title=axes.xlabel, axis=sides, scale=_scale(alt, axes.xscale, axes.xlim)),
        y=alt.Y("y:Q", title=axes.ylabel, axis=sides, scale=_scale(alt, axes.yscale, axes.ylim)),
        color=alt.Color("curve:N", scale=alt.Scale(domain=names, range=COLOURS), legend=legend),
        strokeDash=alt.StrokeDash(
            "curve:N", scale=alt.Scale(domain=names, range=DASHES), legend=legend
        ),
    )
    width, height = (inches * INCH for inches in axes.figsize)
    drawing, png = BytesIO(), BytesIO()
    chart.properties(width=width, height=height).save(drawing, format="png", scale_factor=2)
    Image.open(drawing).quantize(32).save(png, format="png", optimize=True)  # a third of the bytes
    return png.getvalue()


def _scale(alt: Any, kind: Scale, limits: Limits) -> Any:
    given = {} if limits is None else {"domain": [float(limit) for limit in limits], "nice": False}
    return alt.Scale(type=kind, zero=False, **given)


def _points(curve: Curve, axes: Axes) -> list[tuple[float, float]]:
    """The points that can be drawn, few enough: evenly spaced along the x axis."""
    x, y = curve.x.astype(np.float64), curve.y.astype(np.float64)
    kept = np.isfinite(x) & np.isfinite(y)
    kept &= (axes.xscale == "linear") | (x > 0)
    kept &= (axes.yscale == "linear") | (y > 0)
    x, y = x[kept], y[kept]
    if len(x) > POINTS:
        space = np.geomspace if axes.xscale == "log" else np.linspace
        spread = np.unique(space(1, len(x), POINTS).round().astype(int)) - 1
        x, y = x[spread], y[spread]
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _display(png: bytes, handle: Any = None) -> Any:
    """Show a picture in the notebook, or put it where an earlier one stands; its handle."""
    from IPython import display

    image = display.Image(png, retina=True)  # half as wide as it has pixels: see `picture`
    if handle is None:
        return display.display(image, display_id=True)
    handle.update(image)
    return handle


@dataclass(eq=False)
class ProgressBoard(Axes):
    """Curves that grow while a model trains.

    Attributes:
        display: False draws nothing.
        curves: the points (x, y) of each curve by its label.
    """

    display: bool = True
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._waiting: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        self._drawn: tuple[Any, float] = None, 0.0

    def draw(self, x: float, y: Any, label: str, every_n: int = 1, weight: float = 1) -> None:
        """Add a number to a curve: a point for the `mean` of every n of them.

        Args:
            x, y: of the number.
            label: of the curve.
            every_n: how many numbers make a point.
            weight: of this number in the mean.
        """
        waiting = self._waiting[label]
        waiting.append((x, float(y), weight))
        if len(waiting) < every_n:
            return
        xs, ys, weights = zip(*waiting, strict=True)
        waiting.clear()
        self.curves.setdefault(label, []).append((float(np.mean(xs)), mean(label, ys, weights)))
        if monotonic() - self._drawn[1] > PAUSE:
            self.show()

    def show(self) -> None:
        """Draw the curves as they stand."""
        if not self.display or not in_notebook():
            return
        drawn = []
        for label, points in self.curves.items():
            x, y = np.array(points).T
            drawn.append(Curve(x, y, label))
        self._drawn = _display(picture(drawn, self), self._drawn[0]), monotonic()


def mean(name: str, values: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted mean of numbers; of perplexities, whose name ends in ppl, the geometric one.

    With numbers of tokens for weights that is exp(sum of loss x tokens / tokens), as everywhere in
    this project. The book draws the plain mean over batches, which lies above: 7.398 for 7.371.
    """
    if not name.endswith("ppl"):
        return float(np.average(values, weights=weights))
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.exp(np.average(np.log(values), weights=weights)))
