"""Drives every backend through the contract, each in a process of its own; imports no framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd


def load_runs(paths: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Run folders as one tidy table for notebooks, an epoch of a backend a row.

    Args:
        paths: a run folder, or several.

    Returns:
        recipe, run (the folder), backend, variant, seed, epoch; perplexity and val_perplexity
        (NaN without validation) after it; tokens and seconds of it, elapsed seconds of training up
        to its end; and of the whole row device, dtype and tokens_per_sec (NaN unless it ended ok).

    Raises:
        RequestError: something is not the folder of a run that has ended.
    """
    from harness.records import reading  # pandas is slow to import

    return reading.load_runs(paths)
