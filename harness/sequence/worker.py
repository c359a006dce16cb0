"""The worker's side of section 9.1: train both models on the series, and predict."""

from __future__ import annotations

from collections.abc import Iterator

import backends
from common.sequence import MODELS, draw_series, first_weights, fit, forecasts
from harness.workers.protocol import Event, Fitted, Forecasted
from harness.workers.requests import RunSequence
from harness.workers.session import Session


def run_section(session: Session, request: RunSequence) -> Iterator[Event]:
    """Train each model, epoch by epoch, then make every prediction of the section."""
    experiment = request.experiment
    section = backends.section(session.name, "sequence")
    x = draw_series(experiment).x
    for model in MODELS:
        regressor = section.Model(experiment, model, first_weights(experiment, model))
        for epoch in fit(regressor, experiment, model, x):
            weights = {name: weight.tolist() for name, weight in epoch.weights.items()}
            yield Fitted(model=model, epoch=epoch.epoch, loss=epoch.loss, weights=weights)
        for each in forecasts(regressor, experiment, model, x):
            told = {"kind": each.kind, "k": each.k, "first": each.first}
            yield Forecasted(model=model, **told, values=each.values.tolist())
