"""Results of ``bptt``, read back for their report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from common.interface import Description
from harness.bptt.measure import CHECKED, NORMS, SPECTRUM, TRUNCATION, Measured
from harness.records.agreement import damaged
from harness.records.facts import check_unedited
from harness.records.json_schemas import Corpus, ResultFacts
from harness.records.reading import record

TABLES = {"norms": NORMS, "spectrum": SPECTRUM, "truncation": TRUNCATION}
"""Columns of the tables, by the names of their files."""

WORDS = ("backend", "activation", "status", "strategy", "quantity", "verdict")


class BpttFacts(ResultFacts):
    """``bptt.json``."""

    recipe: str
    experiment: dict[str, Any]
    corpus: Corpus
    backends: dict[str, Description]
    errors: list[dict[str, Any]]
    beyond_float64: dict[str, int]
    failures: dict[str, str]
    absent: dict[str, str]
    status: Literal["finished", "failed"]


def read(folder: Path) -> tuple[Measured, dict[str, Any]]:
    """The measurement of a folder, and its facts.

    Raises:
        RequestError: it has not ended, or a file is damaged or was edited.
    """
    facts = record(folder, "bptt.json", BpttFacts)
    check_unedited(folder, facts["files"], [f"{name}.csv" for name in TABLES])
    found = {name: _table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    measured = Measured(
        **found,
        checked=pd.DataFrame(facts["errors"], columns=CHECKED),
        ill_conditioned=facts["beyond_float64"],
        descriptions=facts["backends"],
        failures=facts["failures"],
        absent=facts["absent"],
    )
    return measured, facts


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    texts = {name: str for name in columns if name in WORDS}
    try:
        table = pd.read_csv(path, dtype=texts)[columns]
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path, "its columns are not those that were written") from error
    return table.fillna(dict.fromkeys(texts, ""))
