"""The worker's side of ``scale``: a network that was prepared writes a text."""

from __future__ import annotations

from collections.abc import Iterator

from common.vocab import Vocab
from harness.bench.generation.worker import seconds_of_first, seconds_of_text
from harness.workers.protocol import Event, TextTimed
from harness.workers.requests import TimeText
from harness.workers.session import Session


def time_text(session: Session, request: TimeText) -> Iterator[Event]:
    """Time texts of the contract's `predict`, after untimed ones; to compile meanwhile is wrong.

    Raises:
        RuntimeError: something was compiled while the clock ran.
    """
    model, backend = session.timed.model, session.backend
    vocab_size = len(session.timed.weights["b_q"])
    vocab = Vocab.from_idx_to_token([str(index) for index in range(vocab_size)], "word")
    prefix = vocab.join([index % vocab_size for index in range(request.prefix_tokens)])

    for num_preds in (1, request.num_preds):
        seconds_of_text(model, prefix, num_preds, vocab)
    compiled = backend.compilations()
    first = seconds_of_first(model, prefix, vocab)
    whole = seconds_of_text(model, prefix, request.num_preds, vocab)
    if backend.compilations() != compiled:
        raise RuntimeError("it compiled while it wrote: its figures are the compiler's")
    yield TextTimed(first_token=first, seconds=whole)
