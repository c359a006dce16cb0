"""Results of ``scale``: their schemas, and how they are read back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, Field

from harness.paths import make_up
from harness.records.agreement import damaged
from harness.records.columns import Counts, Names, Quantities, Shape, Whole, numbers
from harness.records.json_schemas import (
    BenchSettings,
    Circumstances,
    Open,
    PlacementFacts,
    ResultFacts,
)
from harness.records.reading import as_written, ended
from harness.records.tables import table

SCALE_TABLES = ("scale.csv",)
"""Tables that ``scale.json`` vouches for."""


class ScaleTable(BaseModel):
    """``scale.csv``: a quantity of a form at a size of one dimension, with its interval if known.

    The floor is the backend ``floor``. Units are in the names; memory is in MB.
    """

    dimension: Names
    value: Counts
    backend: Names
    variant: Names
    quantity: Names
    median: Annotated[list[Annotated[float, Field(ge=0, le=1e15)]], numbers]
    low: Quantities
    high: Quantities


class SlopeFacts(Open):
    """Slope of log cost over log size, see `harness.scale.slopes`.

    Before sizes shared their rounds it was of a whole sweep, and had no verdict.
    """

    dimension: str
    backend: str
    variant: str
    first: Whole | None = None
    last: Whole | None = None
    slope: float
    low: float | None
    high: float | None
    expected: float
    verdict: str | None = None


class OvertakingFacts(Open):
    """Overtaking of a form by another, see `harness.scale.overtaking`."""

    dimension: str
    form: str
    other: str
    value: Whole
    crossing: float
    at: Whole
    ratio: float
    low: float | None
    high: float | None


class ScaleFacts(ResultFacts):
    """``scale.json``; ``answers`` are sentences by dimension.

    Attributes:
        shape: the base, around which one dimension after the other is varied.
        sweeps: sizes, by dimension.
        shapes: contests in the order in which they were timed.
    """

    shape: Shape
    sweeps: dict[str, list[Whole]]
    answers: dict[str, list[str]]
    slopes: list[SlopeFacts]
    overtakings: list[OvertakingFacts]
    settings: BenchSettings
    placement: PlacementFacts
    shapes: list[Circumstances]
    failures: dict[str, str]
    status: Literal["running", "finished"]


def read_scale(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read ``scale.csv``, and the facts of ``scale.json`` beside it.

    Raises:
        RequestError: as `read_run`.
    """
    make_up(folder)
    facts = ended(folder, "scale.json", ScaleFacts)
    path = folder / "scale.csv"
    found = as_written(folder, facts, SCALE_TABLES, lambda: table(path, ScaleTable))
    if not set(found.dimension) <= facts["sweeps"].keys():
        raise damaged(folder, "scale.json and scale.csv do not tell the same")
    return found, facts
