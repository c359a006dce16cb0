"""Checkpoints on the way: from the last of them a training that was cut off goes on.

``torch-scratch-0.at-7-120.safetensors``, beside the ``torch-scratch-0.safetensors`` that will be at
the end, was written after 7 epochs and 120 steps of the next. A worker writes it under a hidden
name, with a dot before it. The harness takes the dot away once the tables hold all that came before
it, so whoever finds a checkpoint finds its epochs and its texts as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from common.files import storing, sweep

CHECKPOINT_SECONDS = 60.0
"""Time of training after which another is due, where nothing else is asked for."""

KEPT = 2
"""Number of them that are kept: if the last cannot be read, there is one more."""

Place = tuple[int, int]
"""Number of whole epochs, and of steps of the next."""


def final(folder: Path, row: str) -> Path:
    """Path for the trained weights of a row, by its name, in a run folder."""
    return folder / "checkpoints" / f"{row}.safetensors"


class OnTheWay:
    """Checkpoints on the way of one row.

    Args:
        final: path for its trained weights.
    """

    def __init__(self, final: Path) -> None:
        self.final = final

    def path(self, place: Place) -> Path:
        """Path of one that counts."""
        epochs, steps = place
        return self.final.with_name(f"{self.final.stem}.at-{epochs}-{steps}.safetensors")

    def written(self, place: Place) -> Path:
        """Path of one that a worker has written, before it counts."""
        return self.path(place).with_name(f".{self.path(place).name}")

    def keep(self, place: Place) -> None:
        """Let one count that was written, and remove all but the last two.

        Raises:
            StorageError: the disk refuses.
        """
        path = self.path(place)
        with storing(path):
            os.replace(self.written(place), path)
            for old in self.newest_first()[KEPT:]:
                old.unlink()

    def newest_first(self) -> list[Path]:
        """Paths of those that count, the newest first."""
        form = re.compile(re.escape(self.final.stem) + r"\.at-(\d+)-(\d+)\.safetensors")
        found: list[tuple[Place, Path]] = []
        if self.final.parent.is_dir():
            for path in self.final.parent.iterdir():
                if named := form.fullmatch(path.name):
                    found.append(((int(named[1]), int(named[2])), path))
        return [path for _, path in sorted(found, reverse=True)]

    def remove_written(self) -> None:
        """Remove what a worker wrote, or had half written when it ended, and nobody let count."""
        sweep(self.final.parent)
        for path in self.final.parent.glob(f".{self.final.stem}.at-*"):
            with storing(path):
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all of them."""
        self.remove_written()
        for path in self.newest_first():
            with storing(path):
                path.unlink(missing_ok=True)
