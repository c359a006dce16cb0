"""Text that is made up, of any length: the indices of random characters in a file."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from common.files import STALE, storing
from common.indices import write_indices
from common.sources import cache
from common.tokens import Indices

ASIDE = "scale-"
"""Beginning of the names of folders that hold such a file."""

PIECE = 1 << 24
"""Characters that are drawn; a longer text repeats them."""


@contextmanager
def made_text(size: int | None, vocab_size: int) -> Iterator[Path | None]:
    """A file of the indices of a text, in the cache while the block lasts; None for no text.

    Raises:
        StorageError: there is no room for it.
    """
    if size is None:
        yield None
        return
    folder = cache() / "texts"
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{ASIDE}*"):  # by a command that was killed
            if time.time() - left.stat().st_mtime > STALE:
                shutil.rmtree(left)
        aside = tempfile.TemporaryDirectory(prefix=ASIDE, dir=folder)
    with aside as name:
        path = Path(name) / "text.npy"
        dtype = np.min_scalar_type(vocab_size - 1)
        with storing(path), open(path, "xb") as file:
            write_indices(file, _pieces(size, vocab_size, dtype), dtype, size)
        yield path


def _pieces(size: int, vocab_size: int, dtype: np.dtype[np.unsignedinteger]) -> Iterator[Indices]:
    draws = np.random.default_rng(2).integers(vocab_size, size=min(size, PIECE), dtype=dtype)
    for start in range(0, size, PIECE):
        yield draws[: size - start]
