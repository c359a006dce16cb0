"""Results of ``bench --generate``, read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.paths import make_up
from harness.records.json_schemas import GenerationFacts
from harness.records.reading import as_written, ended
from harness.records.schemas import GenerationRoundTable, GenerationTable
from harness.records.tables import table

GENERATION_TABLES = ("generation.csv", "generation_rounds.csv")
"""Tables that ``generation.json`` vouches for."""


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
