"""Worker's side of generation: a network writes texts in turns, by the contract or by the book."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from common.after_training import judge_after_training
from common.decoding import greedy
from common.experiment import Experiment
from common.interface import Model
from common.judging import Judgement
from common.parity_grid import Case
from common.vocab import Vocab
from common.weights import Weights, draw_weights
from harness.bench.worker import conditions
from harness.workers.protocol import Event, Prepared
from harness.workers.requests import PrepareText
from harness.workers.session import Session

TRIES = 5
"""Texts of one token whose median is the time of a first token."""


class Loop:
    """A backend's model that writes by `predict_rnn` of its chapter.

    Args:
        model: of the variant ``scratch``.
        predict_rnn: the chapter's function.
    """

    def __init__(self, model: Any, predict_rnn: Any) -> None:
        self.model, self.predict_rnn = model, predict_rnn

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def predict(self, prefix: str, num_preds: int, vocab: Vocab) -> str:
        """The prefix and num_preds tokens after it, the most likely."""
        text: str = self.predict_rnn(prefix, num_preds, self.model.net, vocab, greedy)
        return text


@dataclass
class Texts:
    """Workload of a turn: one network, and the prefix after which its first token is waited for."""

    experiment: Experiment
    weights: Weights
    model: Model
    vocab: Vocab

    def run(self, steps: int) -> float:
        """Seconds for so many tokens after a single one: each takes one step."""
        return seconds_of_text(self.model, self.vocab.idx_to_token[1], steps, self.vocab)

    def first_token(self) -> float:
        """Seconds until the first token after the whole prefix is there."""
        return seconds_of_first(self.model, self.experiment.prefixes[0], self.vocab)

    def judged(self) -> Judgement:
        """The verdict on a step of the network, and on a text that it writes."""
        self.model.load_weights(self.weights)
        batches = Case("", self.experiment, len(self.vocab)).batches(2)
        return judge_after_training(self.model, self.experiment, batches, self.vocab)


def seconds_of_text(model: Model, prefix: str, num_preds: int, vocab: Vocab) -> float:
    """Seconds that a model takes for a text, the device being idle at both ends."""
    model.synchronize()
    start = time.perf_counter()
    model.predict(prefix, num_preds, vocab)
    return time.perf_counter() - start


def seconds_of_first(model: Model, prefix: str, vocab: Vocab) -> float:
    """Seconds until the first token after a prefix is there: the median of some texts of one."""
    return median(seconds_of_text(model, prefix, 1, vocab) for _ in range(TRIES))


def prepare_text(session: Session, request: PrepareText) -> Iterator[Event]:
    """Build a network, and have it write once: weights by which no text soon repeats itself."""
    V, experiment = request.vocab_size, request.experiment
    vocab = Vocab([chr(0x4E00 + i) for i in range(V - 1)])
    read = np.random.default_rng(1).integers(1, V, size=experiment.num_steps)
    experiment = experiment.model_copy(update={"prefixes": (vocab.join(read),)})
    weights = draw_weights(V, experiment.num_hiddens, "he_normal")
    model: Any = session.build(experiment, request.variant, weights)
    if request.loop:
        model = Loop(model, session.backend.predict_rnn)  # type: ignore[attr-defined]
    session.timed = Texts(experiment, weights, model, vocab)
    seconds = session.timed.run(1)
    yield Prepared(
        device=model.device, compile_seconds=seconds, conditions=conditions(session.backend)
    )
