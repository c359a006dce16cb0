"""Dimensions of a network's cost, and the sizes that ``--vary`` asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import RequestError, unknown


@dataclass(frozen=True)
class Dimension:
    """Dimension of size.

    Attributes:
        unit: what its sizes count, in the plural.
        least, most: sizes that it may have.
    """

    unit: str
    least: int
    most: int


WIDE = 65_535
DIMENSIONS = {
    "num_hiddens": Dimension("hidden units", 1, WIDE),
    "batch_size": Dimension("sequences", 1, WIDE),
    "num_steps": Dimension("steps", 1, WIDE),
    "vocab_size": Dimension("tokens of vocabulary", 2, WIDE),
    "threads": Dimension("threads", 1, 1024),
    "corpus_size": Dimension("characters", 2, 2**40),
    "num_epochs": Dimension("epochs", 2, 10**6),
}
"""Dimensions by the name of the setting. Epochs are those of long runs."""

OF_SHAPE = ("batch_size", "num_steps", "num_hiddens", "vocab_size")
"""Dimensions of a shape, in its order."""

UNITS = "KMG"
HOW = "give a range of powers of two, as in 32..1024, or a list, as in 1,8,64"


@dataclass(frozen=True)
class Vary:
    """Sizes of one dimension, rising."""

    dimension: str
    values: tuple[int, ...]

    @property
    def unit(self) -> str:
        """Unit of the sizes, in the plural."""
        return DIMENSIONS[self.dimension].unit


def sweeps(given: Sequence[str]) -> tuple[Vary, ...]:
    """The sizes of each ``--vary``.

    Raises:
        RequestError: one is wrong, or a dimension is there twice.
    """
    found = tuple(map(vary, given))
    names = [each.dimension for each in found]
    for name in names:
        if names.count(name) > 1:
            raise RequestError(f"--vary {name}: given twice: put its sizes into one list")
    return found


def vary(text: str) -> Vary:
    """The sizes of ``NAME=FROM..TO``, all powers of two between, or of ``NAME=1,8,64``.

    Raises:
        RequestError: it is neither, or holds fewer than two sizes, or one that cannot be.
    """
    name, equals, sizes = text.partition("=")
    if not equals:
        raise RequestError(f"--vary {text}: give NAME=32..1024, or NAME=1,8,64")
    if name not in DIMENSIONS:
        raise unknown("dimension", name, DIMENSIONS)
    first, between, last = sizes.partition("..")
    if between:
        low, high = _number(text, first), _number(text, last)
        values = [2**power for power in range(high.bit_length() + 1) if low <= 2**power <= high]
        if len(values) < 2:
            raise RequestError(f"--vary {text}: it holds fewer than two powers of two: {HOW}")
    else:
        values = sorted({_number(text, each) for each in sizes.split(",")})
        if len(values) < 2:
            raise RequestError(f"--vary {text}: a single size shows nothing: {HOW}")
    known = DIMENSIONS[name]
    if values[0] < known.least or values[-1] > known.most:
        raise RequestError(f"--vary {text}: {known.unit} are from {known.least} to {known.most:,}")
    return Vary(name, tuple(values))


def _number(whole: str, text: str) -> int:
    """A size; K, M and G stand for powers of 1024."""
    found = re.fullmatch(rf"([0-9]{{1,15}})([{UNITS}]?)", text.strip())
    if not found:
        raise RequestError(f"--vary {whole}: {text!r} is no size: {HOW}")
    return int(found[1]) << 10 * (UNITS.find(found[2]) + 1 if found[2] else 0)


def size(dimension: str, value: int) -> str:
    """A size as it is shown: ``1,024``; of a text in powers of 1024, as in ``4 G``."""
    if dimension == "corpus_size":
        for power in range(len(UNITS), 0, -1):
            if value >= 1024**power:
                return f"{value / 1024**power:.3g} {UNITS[power - 1]}"
    return f"{value:,}"
