"""Signs of life: a worker that trains for long says how far it is, about once a second."""

from __future__ import annotations

import time

from common.batches import SeqDataLoader
from common.training import Epoch, Underway
from harness.workers.protocol import Progress

SIGN_SECONDS = 1.0
"""Time after which the next sign is due."""


class Signs:
    """Signs of one training.

    Args:
        loader: of its batches.
    """

    def __init__(self, loader: SeqDataLoader) -> None:
        sliding = loader.sampling == "sliding"
        rows = len(loader.train_windows) if sliding else len(loader) * loader.batch_size
        self.of = rows * loader.num_steps
        self.said = time.monotonic()

    def due(self) -> bool:
        """True if the time has come, which begins anew then."""
        now = time.monotonic()
        if now - self.said < SIGN_SECONDS:
            return False
        self.said = now
        return True

    def progress(self, place: Epoch | Underway) -> Progress:
        """Progress of an epoch."""
        if isinstance(place, Epoch):
            number, tokens = place.epoch, place.tokens
        else:
            number, tokens = place.number, sum(place.tokens)
        return Progress(epoch=number, tokens=tokens, of=self.of, seconds=place.seconds)
