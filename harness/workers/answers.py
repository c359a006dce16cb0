"""Answer to a request: which events may come, how many of each, and in which order.

A worker's word is not taken for it: what was trained or timed counts only with its check, epochs
come one after the other to the last, and nobody talks without end.
"""

from __future__ import annotations

import math
import sys
from collections import Counter

from common.judging import TRAINED
from common.sequence import MODELS
from harness.workers import protocol as to
from harness.workers import requests as of

Bounds = dict[type[to.Message], tuple[int, int]]
"""Least and greatest number of the events of a type, in an answer that ends in `Done`."""

ONE, MANY = (1, 1), 10_000

SIGNS = 10_000_000
"""Signs of life, at most: one a second for four months."""


def bounds(request: of.Request) -> Bounds:
    """The events that may answer a request."""
    match request:
        case of.Describe():
            return {to.Described: ONE}
        case of.Train():
            epochs, prefixes = request.experiment.num_epochs, len(request.experiment.prefixes)
            return {
                to.Phase: (0, SIGNS),
                to.Built: ONE,
                to.Judged: (1, 2),
                to.Progress: (0, sys.maxsize),
                to.Saved: (0, sys.maxsize),
                to.EpochDone: (0, epochs),
                to.Sample: (0, epochs * prefixes),
            }
        case of.Predict():
            return {to.Sample: (len(request.prefixes), len(request.prefixes))}
        case of.Compare():
            return {to.CaseErrors: (1, MANY)}
        case of.Prepare() | of.PrepareText():
            return {to.Prepared: ONE}
        case of.TakeTurn():
            return {to.Turn: ONE}
        case of.TimeText():
            return {to.TextTimed: ONE}
        case of.Check():
            return {to.Judged: ONE}
        case of.TimeProducts():
            return {to.Products: ONE}
        case of.MeasureGradients():
            return {
                to.Phase: (0, SIGNS),
                to.Described: ONE,
                to.Point: (1, MANY),
                to.Strategies: (0, MANY),
                to.Checked: ONE,
            }
        case of.RunSequence():
            section = request.experiment
            fitted = len(MODELS) * section.num_epochs
            forecasted = len(MODELS) * (2 + len(section.steps_ahead))
            return {to.Fitted: (fitted, fitted), to.Forecasted: (forecasted, forecasted)}


class Answer:
    """The events that have come so far, and what is wrong with the next.

    Args:
        request: what they answer.
    """

    def __init__(self, request: of.Request) -> None:
        self.request, self.bounds = request, bounds(request)
        self.came: Counter[type[to.Message]] = Counter()
        self.judged: to.Judged | None = None
        self.epoch: to.EpochDone | None = None
        self.samples: set[tuple[int, str]] = set()
        self.places: dict[type[to.Message], tuple[int, int]] = {}

    def fault(self, event: to.Event) -> str:
        """The reason why an event cannot come here; empty if it can."""
        if isinstance(event, to.Failed):
            return ""
        if isinstance(event, to.Done):
            return self._fault_of_end()
        _, most = self.bounds.get(type(event), (0, 0))
        if self.came[type(event)] >= most:
            return f"it said {event.event!r} where {most or 'none'} may come"
        self.came[type(event)] += 1
        if isinstance(self.request, of.Train):
            return self._fault_of_training(event, self.request)
        return ""

    def _fault_of_end(self) -> str:
        for kind, (least, _) in self.bounds.items():
            if self.came[kind] < least:
                name = kind.model_fields["event"].default
                return f"it said it is done, but {name!r} came {self.came[kind]} times of {least}"
        if isinstance(self.request, of.Train) and self._trains:
            if unfinished := self._unfinished(self.request):
                return f"it said it is done, but {unfinished}"
            if self.came[to.Judged] == 1:
                return "it said it is done, but its trained weights were not judged"
        return ""

    def _unfinished(self, request: of.Train) -> str:
        last = self.epoch.epoch if self.epoch else 0
        learning = self.epoch is None or math.isfinite(self.epoch.perplexity)
        unfinished = learning and last < request.experiment.num_epochs
        return f"its last epoch was {last}" if unfinished else ""

    def _fault_of_training(self, event: to.Event, request: of.Train) -> str:
        """Fault of an event of a training: epochs one by one, between its two checks."""
        match event:
            case to.Judged():
                if event.trained != (self.came[to.Judged] == 2):
                    return "it judged its first and its trained weights in the wrong order"
                if event.trained and (unfinished := self._unfinished(request)):
                    return f"it judged its trained weights, but {unfinished}"
                self.judged = self.judged or event
            case to.Progress() | to.Saved() | to.EpochDone() | to.Sample() if not self._trains:
                return f"it said {event.event!r} of a network that was not judged sound before"
            case to.Progress() | to.Saved():
                place = (
                    (event.epoch, event.tokens)
                    if isinstance(event, to.Progress)
                    else (event.epochs, event.steps)
                )
                if place <= self.places.get(type(event), (-1, -1)):
                    return f"it said {event.event!r} of {place} twice"
                self.places[type(event)] = place
            case to.EpochDone():
                before, self.epoch = self.epoch, event
                if before and event.epoch != before.epoch + 1:
                    return f"its epoch {event.epoch} came after epoch {before.epoch}"
            case to.Sample():
                if event.prefix not in request.experiment.prefixes:
                    return f"it wrote after the prefix {event.prefix!r}, which nobody asked for"
                if (event.epoch, event.prefix) in self.samples:
                    return f"it wrote twice after the prefix {event.prefix!r}"
                self.samples.add((event.epoch, event.prefix))
        return ""

    @property
    def _trains(self) -> bool:
        return self.judged is not None and self.judged.verdict in TRAINED
