"""The worker's side of section 9.1: train both models on the series, and predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import backends
from common.interface import Backend
from common.sequence import MODELS, SequenceExperiment, draw_series, first_weights, fit, forecasts

Event = dict[str, Any]


def run_section(backend: Backend, request: Event) -> Iterator[Event]:
    """Train each model, epoch by epoch, then make every prediction of the section."""
    settings = SequenceExperiment.of(request["settings"])
    section = backends.section(backend, "sequence")  # type: ignore[arg-type]
    x = draw_series(settings).x
    for model in MODELS:
        regressor = section.Model(settings, model, first_weights(settings, model))
        for epoch in fit(regressor, settings, model, x):
            weights = {name: weight.tolist() for name, weight in epoch.weights.items()}
            told = {"epoch": epoch.epoch, "loss": epoch.loss, "weights": weights}
            yield {"event": "epoch", "model": model, **told}
        for each in forecasts(regressor, settings, model, x):
            told = {"kind": each.kind, "k": each.k, "first": each.first}
            yield {"event": "forecast", "model": model, **told, "values": each.values.tolist()}
