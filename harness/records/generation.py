"""Results of ``bench --generate``: their schemas, and how they are read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel

from harness.intervals import SpeedVerdict
from harness.paths import make_up
from harness.records.columns import (
    Amounts,
    Counts,
    Durations,
    Names,
    Quantities,
    Shapes,
    Texts,
    Whole,
    texts,
)
from harness.records.json_schemas import BenchSettings, Circumstances, PlacementFacts, ResultFacts
from harness.records.reading import as_written, ended
from harness.records.tables import table

GENERATION_TABLES = ("generation.csv", "generation_rounds.csv")
"""Tables that ``generation.json`` vouches for."""


class GenerationTable(BaseModel):
    """``generation.csv``: texts that each form writes, over the book's loop of its backend.

    A shape is 1 x tokens of the prefix x hiddens x vocabulary; ``compile_seconds`` is what the
    first text took, compiling included, and ``first_token_ms`` the latency of a token after it.
    """

    backend: Names
    variant: Names
    shape: Shapes
    device: Texts
    tokens_per_sec: Amounts
    low: Quantities
    high: Quantities
    ratio_to_book: Quantities
    ratio_low: Quantities
    ratio_high: Quantities
    verdict: Annotated[list[SpeedVerdict | Literal[""]], texts]
    first_token_ms: Amounts
    first_low: Quantities
    first_high: Quantities
    compile_seconds: Amounts
    peak_memory_mb: Quantities


class GenerationRoundTable(BaseModel):
    """``generation_rounds.csv``: seconds a token, and until the first."""

    backend: Names
    variant: Names
    shape: Shapes
    round: Counts
    seconds: Durations
    first_token_seconds: Durations


class GenerationFacts(ResultFacts):
    """``generation.json``; ``answers`` are sentences by shape.

    Attributes:
        rounds: that every form took on every shape, at least.
    """

    rounds: Whole
    answers: dict[str, list[str]]
    settings: BenchSettings
    placement: PlacementFacts
    shapes: list[Circumstances]
    failures: dict[str, str]
    status: Literal["running", "finished"]


@dataclass(frozen=True)
class GenerationData:
    """Texts that were timed.

    Attributes:
        folder: its path.
        facts: contents of ``generation.json``.
        figures, rounds: the tables of ``generation.csv`` and ``generation_rounds.csv``.
    """

    folder: Path
    facts: dict[str, Any]
    figures: pd.DataFrame
    rounds: pd.DataFrame


def read_generation(folder: Path) -> GenerationData:
    """Read what ``bench --generate`` wrote into a folder.

    Raises:
        RequestError: as of `harness.records.reading.read_run`.
    """
    make_up(folder)
    facts = ended(folder, "generation.json", GenerationFacts)
    paths = [folder / name for name in GENERATION_TABLES]
    return as_written(
        folder,
        facts,
        GENERATION_TABLES,
        lambda: GenerationData(
            folder, facts, table(paths[0], GenerationTable), table(paths[1], GenerationRoundTable)
        ),
    )
