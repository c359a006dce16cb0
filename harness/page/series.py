"""A line of a chart, a row of a table: a backend and a variant, by the names that people know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from backends import registry
from harness.console import printable
from harness.page.palette import LOOKS

VARIANTS = ("scratch", "fused", "concise", "object", "book", "compiled", "compiled-concise")


@dataclass(frozen=True)
class Series:
    """A line of a chart, a row of a table: a backend and a variant, over all seeds."""

    backend: str
    variant: str

    @property
    def title(self) -> str:
        """The name that people read."""
        return f"{framework(self.backend)} {printable(self.variant)}"

    @property
    def labels(self) -> dict[str, str]:
        """Columns of a chart's table: backend, framework, variant and title."""
        name = framework(self.backend)
        return {
            "backend": self.backend,
            "framework": name,
            "variant": printable(self.variant),
            "title": self.title,
        }

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table that are its own."""
        return table[(table.backend == self.backend) & (table.variant == self.variant)]


def framework(backend: str) -> str:
    """The name by which people know a backend."""
    if backend in LOOKS:
        return LOOKS[backend].title
    known = registry()
    return printable(known[backend].title if backend in known else "") or printable(backend)


def in_order(table: pd.DataFrame) -> list[Series]:
    """The series of a table, in the order of the registry; those of strangers last."""
    backends, variants = list(registry()), list(VARIANTS)

    def rank(pair: tuple[str, str]) -> tuple[int, str, int, str]:
        known = backends.index(pair[0]) if pair[0] in backends else len(backends)
        place = variants.index(pair[1]) if pair[1] in variants else len(variants)
        return known, pair[0], place, pair[1]

    pairs = set(zip(table.backend, table.variant, strict=True))
    return [Series(*pair) for pair in sorted(pairs, key=rank)]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
