"""Accuracy: every backend against the float64 reference."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from harness.page.blocks import Details, Note, Section
from harness.page.told import Answer
from harness.parity import report as parity
from harness.report.groups import LATELY, Report

NOTHING = "Nothing was compared: no backend got that far."


@lru_cache(LATELY)
def accuracy(report: Report) -> tuple[Answer, Section]:
    """The parity grid where a folder holds one, else the preflight of every row."""
    if report.parity is not None:
        return parity.answer(parity.judged(report.parity)), parity.grid(report.parity)
    table = preflight(report)
    if table.empty:
        section = Section("accuracy", "Who is right?", NOTHING)
        return Answer("Right?", NOTHING, section.name, good=False), section
    told = Note(
        "Each row is the worst error of any quantity before the run began, of two training "
        "steps (logits, loss, gradients, clipped norm, weights, carried state) and a short "
        "epoch, and at its end, of a step and the text. Where rounding alone moves a "
        "quantity, its tolerance is larger. "
        "The command parity, with this folder as --out, proves far more, to be shown here."
    )
    what = "what a few steps on the run's own first batches compute"
    return parity.answer(table), parity.accuracy(
        table, what, [Details("What was compared", [told])]
    )


def preflight(report: Report) -> pd.DataFrame:
    """The worst error of each row's first step, in the columns of ``parity.csv``."""
    every = pd.concat([group.summary for group in report.groups], ignore_index=True)
    table = every[every.parity.notna()].rename(
        columns={"parity": "error", "parity_tolerance": "tolerance", "parity_verdict": "verdict"}
    )
    table = table[["backend", "variant", "dtype", "error", "tolerance", "verdict"]]
    table = table.assign(quantity="one step", case="the run", ok=table.verdict != "different")
    return table.reset_index(drop=True)
