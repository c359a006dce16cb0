"""One look for each framework and variant, the same in every chart, table and listing.

The colours are apart in lightness as well as in hue, after Okabe and Ito's "Color universal
design" (2008); shapes tell the frameworks apart without any colour, and dashes the variants.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from backends import registry


@dataclass(frozen=True)
class Look:
    """Look of a framework in charts, tables and listings.

    Attributes:
        title: the name that people use.
        light, dark: its colour on light and on dark ground, 4.5 to 1 or better on either.
        shape: its mark, by Vega's name.
    """

    title: str
    light: str
    dark: str
    shape: str


LOOKS = {
    "mxnet-style": Look("MXNet style", "#1b67ad", "#74b6f5", "circle"),
    "mxnet": Look("Apache MXNet", "#0b7a6b", "#4fcbb6", "diamond"),
    "torch": Look("PyTorch", "#b93d10", "#ff9166", "square"),
    "jax": Look("JAX", "#a23c86", "#ee97d2", "triangle-up"),
    "tensorflow": Look("TensorFlow", "#8a6100", "#f2bd45", "cross"),
}
OTHERS = (
    Look("", "#4d5561", "#b4bcc8", "triangle-down"),
    Look("", "#2f6b1f", "#93d37f", "triangle-right"),
    Look("", "#5a4fc0", "#aea6ff", "triangle-left"),
)
"""For backends that are not of this project; a plug-in may have colours of its own."""

DASHES = {
    "scratch": [1, 0],
    "fused": [7, 3],
    "concise": [2, 3],
    "object": [5, 2, 5, 6],
    "book": [9, 3, 2, 3],
    "compiled": [2, 6],
    "compiled-concise": [9, 6],
}

INK = {"ink": "#1c2126", "soft": "#586069", "rule": "#dcd8cf", "paper": "#ffffff"}
DARK = {"ink": "#e9eaec", "soft": "#a7aeb7", "rule": "#3a4048", "paper": "#1d2126"}
BAND = "#e8e2d2"
"""The ground of a published figure."""
DARK_BAND = "#3b3a34"


def looks(names: list[str]) -> dict[str, Look]:
    """The looks of some backends, in their order; those of others repeat after three."""
    strangers = [name for name in names if name not in LOOKS]
    worn = {name: OTHERS[number % len(OTHERS)] for number, name in enumerate(strangers)}
    for name, (light, dark) in _colours_of_plugins().items():
        if name in worn:
            worn[name] = replace(worn[name], light=light, dark=dark)
    return {name: LOOKS.get(name) or worn[name] for name in names}


def _colours_of_plugins() -> dict[str, tuple[str, str]]:
    return {name: entry.colours for name, entry in registry().items() if entry.colours}


def dash(variant: str) -> list[int]:
    """The dash of a variant's line."""
    return DASHES.get(variant, [4, 2, 1, 2])


def dark_colours() -> dict[str, str]:
    """Colours on dark ground, by those on light ground."""
    pairs = {look.light: look.dark for look in (*LOOKS.values(), *OTHERS)}
    pairs |= dict(_colours_of_plugins().values())
    return pairs | {INK[name]: DARK[name] for name in INK} | {BAND: DARK_BAND}
