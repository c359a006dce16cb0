"""The worker's side of ``scale``: a network that was prepared writes a text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from common.vocab import Vocab
from harness.workers.protocol import Event, TextTimed
from harness.workers.requests import TimeText
from harness.workers.session import Session

FIRSTS = 5
"""Texts of one token whose median is the time of a first token."""


def time_text(session: Session, request: TimeText) -> Iterator[Event]:
    """Time texts of the contract's `predict`, after untimed ones; to compile meanwhile is wrong.

    Raises:
        RuntimeError: something was compiled while the clock ran.
    """
    model, backend = session.timed.model, session.backend
    vocab_size = len(session.timed.weights["b_q"])
    vocab = Vocab.from_idx_to_token([str(index) for index in range(vocab_size)], "word")
    prefix = vocab.join([index % vocab_size for index in range(request.prefix_tokens)])

    def seconds(num_preds: int) -> float:
        model.synchronize()
        start = time.perf_counter()
        model.predict(prefix, num_preds, vocab)
        return time.perf_counter() - start

    for num_preds in (1, request.num_preds):
        seconds(num_preds)
    compiled = backend.compilations()
    first = median(seconds(1) for _ in range(FIRSTS))
    whole = seconds(request.num_preds)
    if backend.compilations() != compiled:
        raise RuntimeError("it compiled while it wrote: its figures are the compiler's")
    yield TextTimed(first_token=first, seconds=whole)
