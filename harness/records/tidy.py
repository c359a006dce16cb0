"""Runs as one table, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from common.errors import RequestError
from harness.records.agreement import ROW
from harness.records.reading import RunData, read_run

TIDY = (
    "recipe run backend variant seed epoch perplexity val_perplexity tokens seconds elapsed "
    "device dtype tokens_per_sec"
).split()
"""The columns of `load_runs`."""


def load_runs(paths: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Run folders as one table, an epoch a row; see `harness.load_runs`."""
    folders = [paths] if isinstance(paths, str | Path) else list(paths)
    if not folders:
        raise RequestError("no run folder: name at least one")
    return pd.concat([_tidy(read_run(Path(folder))) for folder in folders], ignore_index=True)


def _tidy(run: RunData) -> pd.DataFrame:
    of_row = run.summary[[*ROW, "device", "dtype", "tokens_per_sec"]]
    tidy = run.epochs.merge(of_row, on=ROW)
    tidy["recipe"], tidy["run"] = run.facts["recipe"], str(run.folder)
    return tidy[TIDY]
