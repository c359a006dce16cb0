"""Series of a history as what went on and what got worse."""

from __future__ import annotations

import pandas as pd

from harness.formats import Outcome
from harness.history.measures import measure
from harness.history.steps import NEEDED, Step
from harness.history.store import SERIES
from harness.records.provenance import source_of


def outcomes(history: pd.DataFrame, steps: list[Step]) -> list[Outcome]:
    """An outcome a series: failed where a step is for the worse, left out where it is too short."""
    stepped = {tuple(step.series.values()): step for step in steps}
    found = []
    for key, of in history.groupby(SERIES, sort=False):
        name, backend, variant, what, place, machine = map(str, key)
        title = f"{backend} {variant}, {what}, {place}, {machine}"
        step = stepped.get((name, backend, variant, what, place, machine))
        file = source_of(backend, variant)
        if step and step.worse:
            found.append(Outcome(name, title, "failed", told(step), file=file))
        elif len(of) >= NEEDED:
            said = told(step) if step else "no step"
            found.append(Outcome(name, title, "passed", said, file=file))
        else:
            said = f"{len(of)} of the {NEEDED} entries that a step needs"
            found.append(Outcome(name, title, "skipped", said, file=file))
    return found


def told(step: Step) -> str:
    """A step in words."""
    kind, unit = measure(step.series["measure"]), measure(step.series["measure"]).unit
    revision = step.revision[:8] or "an unknown revision"
    before = kind.shown(step.before).removesuffix(f" {unit}")
    return (
        f"{step.change:+.1%} since {step.at[:10]} ({revision}): from {before} to "
        f"{kind.shown(step.after)}, over {step.follow} entries"
    )
