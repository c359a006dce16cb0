"""The report of section 9.1: who is right, and how far ahead a model can see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.sequence import CLIP_THETA, MODELS, TOLERANCES
from harness.console import figure
from harness.page import provenance
from harness.page.blocks import Cell, Chart, Details, Facts, Rosetta, Section, Table, Tone, number
from harness.page.charts import errors as errors_figure
from harness.page.rosetta import rosetta
from harness.page.series import Series, framework
from harness.page.told import Told, answers_of
from harness.sequence.forecasts import SHOWN, TITLES, far_ahead, next_value, on_its_own
from harness.sequence.measure import SequenceResult
from harness.sequence.reading import read

TOPICS = {
    "linreg": "linreg",
    "rnn": "rnn_windows",
    "squared_loss": "squared_loss",
    "training step": "train_step",
    "predict, linreg": "predict_linreg",
    "predict, rnn": "predict_rnn",
}
TONES: dict[str, Tone] = {"ok": "good", "unavailable": "quiet"}
TINY = 1e-18
"""Position of an error of zero on a logarithmic axis."""


def told_of(folders: Sequence[Path]) -> Told:
    """The report of section 9.1 in a folder, whose reference is computed anew.

    Raises:
        RequestError: it has not ended, or its record is damaged.
    """
    (folder,) = folders
    return told_of_section(*read(folder))


def told_of_section(result: SequenceResult, about: dict[str, Any]) -> Told:
    """The report of section 9.1."""
    names = ", ".join(framework(each.backend) for each in result.compared) or "no framework"
    right = accuracy(result)
    told = [right, next_value(result), on_its_own(result), far_ahead(result), learned(result)]
    source = Section(
        "source_side_by_side",
        "How does it look in each?",
        "The same functions, by the same names, in every framework, side by side.",
        [Rosetta(rosetta("sequence", TOPICS))],
    )
    return Told(
        "Working with sequences",
        f"A noisy sine, one and many steps ahead: section 9.1 in {names}",
        [each.backend for each in result.contenders],
        answers_of(told),
        [*told, source, predicted(result, about), reproduce(result, about)],
    )


def predicted(result: SequenceResult, about: dict[str, Any]) -> Section:
    """The series, the two models, the machine."""
    settings, on = result.settings, about["machine"]
    return Section(
        "predicted",
        "What is predicted?",
        "The next values of a noisy sine: by linear regression on its last values, and by the "
        "chapter's recurrent network.",
        [
            _folded(
                [
                    (
                        "Series",
                        f"xₜ = sin(0.01 t) + {settings.noise:g} noise, t = 1 to "
                        f"{settings.num_points:,}, seed {settings.seed}",
                    ),
                    (
                        "Training part",
                        f"the first {settings.first_unseen:,} points; all that comes after them is "
                        "seen by no model while it learns, and is what errors are measured on",
                    ),
                    (
                        "Linear regression",
                        f"the last tau = {settings.tau} values, {settings.dtype}",
                    ),
                    (
                        "RNN",
                        f"the chapter's rnn with inputs and outputs of width 1, "
                        f"{settings.num_hiddens} hidden units, windows of {settings.num_steps} "
                        f"from a state of zeros, clipped at norm {CLIP_THETA['rnn']:g}",
                    ),
                    (
                        "Training",
                        f"{settings.num_epochs} epochs of minibatch SGD on the squared error, "
                        f"batches of {settings.batch_size}, learning rate {settings.lr:g}: the "
                        "same weights and the same minibatches, in the same order, everywhere",
                    ),
                    (
                        "Machine",
                        f"{on['cpu']}, {on['cores_used']} of {on['cores']} cores, {on['os']}",
                    ),
                ]
            )
        ],
    )


def _folded(pairs: list[tuple[str, str]]) -> Details:
    return Details("Series, models, training and machine", [Facts(pairs)])


def accuracy(result: SequenceResult) -> Section:
    """Every backend against the reference."""
    nothing = "Nothing was compared: no backend got that far."
    section = Section("accuracy", "Who is right?", nothing)
    tolerance = TOLERANCES[result.settings.dtype]
    wrong = [
        framework(each.backend) for each in result.contenders if each.status == "parity-failed"
    ]
    worst = max((each.worst or 0.0 for each in result.compared), default=0.0)
    if wrong:
        section.answer = f"Not all: {', '.join(wrong)} cannot be the same models."
    elif result.compared:
        count = len(result.compared)
        section.answer = (
            f"{'It is' if count == 1 else f'All {count} are'} the reference models, to "
            f"{worst:.0e} relative where {tolerance:.0e} is allowed: the loss and the parameters "
            "after every epoch, and every prediction. So each curve below is drawn once, for all."
        )
    if result.compared:
        section.blocks.append(_error_chart(result, tolerance))
    section.blocks.append(_outcomes(result))
    return section


def _error_chart(result: SequenceResult, tolerance: float) -> Chart:
    rows = [
        {
            **Series(contender.backend, model).labels,
            "dtype": result.settings.dtype,
            "error": min(max(*errors.values(), TINY), 1e3),
            "tolerance": tolerance,
        }
        for contender in result.compared
        for model, errors in contender.errors.items()
    ]
    figure = errors_figure(
        "errors", "Worst error, and the tolerance it must stay under", pd.DataFrame(rows)
    )
    quantities = list(next(iter(result.compared[0].errors.values())))
    cells = [
        [
            Cell(Series(contender.backend, model).title, backend=contender.backend),
            *(
                number(errors[name], ".1e", "" if errors[name] <= tolerance else "bad")
                for name in quantities
            ),
        ]
        for contender in result.compared
        for model, errors in contender.errors.items()
    ]
    grid = Table(f"Relative errors, {result.settings.dtype}", ["model", *quantities], cells)
    return Chart(figure, grid)


def _outcomes(result: SequenceResult) -> Table:
    rows = [
        [
            Cell(framework(each.backend), backend=each.backend),
            Cell(", ".join(f"{name} {version}" for name, version in each.versions.items())),
            Cell(each.status, TONES.get(each.status, "bad")),
            Cell(each.reason),
        ]
        for each in result.contenders
    ]
    heads = ["backend", "versions", "status", "reason"]
    if not any(each.reason for each in result.contenders):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return Table("What ran, and how it ended", heads, rows, (0, 1, 2, 3), folded=True)


def learned(result: SequenceResult) -> Section:
    """The loss of every epoch."""
    losses = {model: [each.loss for each in result.reference[model].epochs] for model in MODELS}
    epochs = range(result.settings.num_epochs)
    picked = np.unique(np.linspace(0, len(epochs) - 1, SHOWN).round().astype(int))
    rows = [
        [Cell(str(i + 1)), *(number(losses[model][i], ".5f") for model in MODELS)] for i in picked
    ]
    ends = " and ".join(
        f"{TITLES[model]} at {figure(losses[model][-1], '.4f')}" for model in MODELS
    )
    return Section(
        "learned",
        "How did they learn?",
        f"The mean squared error over the training part ends with {ends}; the noise's own is "
        f"{result.settings.noise**2:.4f}.",
        [
            Table(
                "Mean squared error by epoch",
                ["epoch", *(TITLES[m] for m in MODELS)],
                rows,
                folded=True,
            )
        ],
    )


def reproduce(result: SequenceResult, about: dict[str, Any]) -> Section:
    """The command, the source, and every setting."""
    settings = result.settings.model_dump(mode="json")
    return Section(
        "reproduce",
        "How do I run it again?",
        "With this command, from the same source.",
        [
            provenance.command(about["command"]),
            Details(
                "Source, versions and settings",
                [
                    Facts([*provenance.source(about), provenance.versions(about)]),
                    Table(
                        "Every setting",
                        ["setting", "value"],
                        [[Cell(name), Cell(str(value))] for name, value in settings.items()],
                        (0, 1),
                    ),
                ],
            ),
        ],
    )
