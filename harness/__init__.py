"""Drives every backend through the contract, each in a process of its own; imports no framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from common.batches import Batch
    from common.causes import PortParity
    from common.port import Step


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
    from harness.records import tidy  # pandas is slow to import

    return tidy.load_runs(paths)


def parity_of(a: Step, b: Step | None = None, batches: Sequence[Batch] | None = None) -> PortParity:
    """Compare a training step of one's own with another, or with the reference.

    Args:
        a: ``step(weights, X, Y, state, lr, theta)``, as `common.port` describes it.
        b: another (default: the reference).
        batches: pairs of X and Y, indices (batch, steps) (default: four small ones).

    Returns:
        Its `first` wrong quantity, the likely `causes`, and the `quantities`, or `equal`.

    Raises:
        RequestError: a function raises or gives something that is not meant, there is nothing to
            compare, or the batches are none.
    """
    from common import causes

    return causes.parity_of(a, b, batches)
