"""From contests to rows of ``scale.csv``: a size, a form and a quantity each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from harness.bench.contenders import Contender
from harness.bench.ratios import ShapeResult
from harness.bench.tables import bench_table
from harness.intervals import Interval, interval
from harness.page.series import Series, records
from harness.records.scaling import ScaleTable
from harness.workers.requests import TimeText

COLUMNS = list(ScaleTable.model_fields)

TEXT = TimeText(prefix_tokens=15, num_preds=50)
"""The text whose writing is timed: of the length of the chapter's."""

FLOOR = "floor"
"""Backend of what no step can avoid: the matrix products, and all operations."""

ALONE = (
    "floor_fraction",
    "operations_fraction",
    "compile_seconds",
    "peak_memory_mb",
    "device_memory_mb",
)
"""Quantities of `bench_table` that have no interval."""

Row = dict[str, Any]


def rows_of(dimension: str, value: int, result: ShapeResult) -> Iterator[Row]:
    """Rows of a contest at a size; who has no figures has none."""
    at = {"dimension": dimension, "value": value}
    for row in records(bench_table(result.shape, result.found, result.quiet)):
        of = at | {"backend": row["backend"], "variant": row["variant"]}
        speed = Interval(row["tokens_per_sec"], row["low"], row["high"])
        yield quantity(of, "tokens_per_sec", speed)
        for name in ALONE:
            if pd.notna(row[name]) and row["backend"] != FLOOR:
                yield quantity(of, name, Interval(row[name]))
    for form in result.forms.values():
        yield from _texts(at | {"backend": form.backend, "variant": form.label}, form)


def _texts(of: Row, form: Contender) -> Iterator[Row]:
    if form.texts:
        speeds = [TEXT.num_preds / text.seconds for text in form.texts]
        yield quantity(of, "generated_per_sec", interval(speeds))
        firsts = [1000 * text.first_token for text in form.texts]
        yield quantity(of, "first_token_ms", interval(firsts))


def quantity(of: Row, name: str, found: Interval) -> Row:
    """A row of a quantity."""
    return of | {
        "quantity": name,
        "median": found.median,
        "low": found.low,
        "high": found.high,
    }


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as a table."""
    return pd.DataFrame(rows, columns=COLUMNS)


def wide(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The medians of a quantity: a row a size, a column a form by its name."""
    mine = table[table["quantity"] == name]
    mine = mine.assign(form=mine.backend + " " + mine.variant)
    return mine.pivot_table(index="value", columns="form", values="median", sort=False).sort_index()


def series_of(name: object) -> Series:
    """A form by its name."""
    backend, _, variant = str(name).partition(" ")
    return Series(backend, variant)
