"""The report of section 9.1: who is right, and how far ahead a model can see."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
import pandas as pd

from common.sequence import CLIP_THETA, MODELS, TOLERANCES, Forecast, ModelName
from harness.report.blocks import (
    Cell,
    Chart,
    Command,
    Facts,
    Grid,
    Note,
    Rosetta,
    Section,
    number,
)
from harness.report.dotchart import errors as errors_figure
from harness.report.forecastchart import Curve, error_figure, forecast_figure
from harness.report.rosetta import rosetta
from harness.report.studies import Series, framework
from harness.sequence import Study
from harness.sequencetables import errors_of

TITLES = {"linreg": "linear regression", "rnn": "the RNN"}
TOPICS = {
    "linreg": "linreg",
    "rnn": "rnn_windows",
    "squared_loss": "squared_loss",
    "training step": "train_step",
    "predict, linreg": "predict_linreg",
    "predict, rnn": "predict_rnn",
}
SHOWN = 12
"""Times in the table below a chart."""
TINY = 1e-18
"""Where an error of zero is drawn on a logarithmic axis."""


def titles(study: Study) -> tuple[str, str]:
    """What the report is called, and what it is about."""
    names = ", ".join(framework(each.backend) for each in study.compared) or "no framework"
    return (
        "Working with sequences",
        f"A noisy sine, one and many steps ahead: section 9.1 in {names}",
    )


def sections(study: Study, about: dict[str, Any]) -> list[Section]:
    """Question by question."""
    return [
        predicted(study, about),
        right(study),
        next_value(study),
        on_its_own(study),
        far_ahead(study),
        learned(study),
        Section(
            "same",
            "How does it look in each?",
            "The same functions, by the same names, in every framework, side by side.",
            [Rosetta(rosetta("sequence", TOPICS))],
        ),
        again(study, about),
    ]


def predicted(study: Study, about: dict[str, Any]) -> Section:
    """The series, the two models, the machine."""
    settings, on = study.settings, about["machine"]
    return Section(
        "predicted",
        "What is predicted?",
        "The next values of a noisy sine: by linear regression on its last values, and by the "
        "chapter's recurrent network.",
        [
            Facts(
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


def right(study: Study) -> Section:
    """Every backend against the reference."""
    section = Section("right", "Who is right?", "Nothing was compared: no backend got that far.")
    tolerance = TOLERANCES[study.settings.dtype]
    wrong = [framework(each.backend) for each in study.entrants if each.status == "parity-failed"]
    worst = max((each.worst or 0.0 for each in study.compared), default=0.0)
    if wrong:
        section.answer = f"Not all: {', '.join(wrong)} cannot be the same models."
    elif study.compared:
        count = len(study.compared)
        section.answer = (
            f"{'It is' if count == 1 else f'All {count} are'} the reference models, to "
            f"{worst:.0e} relative where {tolerance:.0e} is allowed: the loss and the parameters "
            "after every epoch, and every prediction. So each curve below is drawn once, for all."
        )
    if study.compared:
        section.blocks.append(_error_chart(study, tolerance))
    section.blocks.append(_outcomes(study))
    return section


def _error_chart(study: Study, tolerance: float) -> Chart:
    rows = [
        {
            **Series(entrant.backend, model).labels,
            "dtype": study.settings.dtype,
            "error": min(max(*errors.values(), TINY), 1e3),
            "tolerance": tolerance,
        }
        for entrant in study.compared
        for model, errors in entrant.errors.items()
    ]
    figure = errors_figure(
        "errors", "Worst error, and the tolerance it must stay under", pd.DataFrame(rows)
    )
    quantities = list(next(iter(study.compared[0].errors.values())))
    cells = [
        [
            Cell(Series(entrant.backend, model).title, backend=entrant.backend),
            *(
                number(errors[name], ".1e", "" if errors[name] <= tolerance else "bad")
                for name in quantities
            ),
        ]
        for entrant in study.compared
        for model, errors in entrant.errors.items()
    ]
    grid = Grid(f"Relative errors, {study.settings.dtype}", ["model", *quantities], cells)
    return Chart(figure, grid)


def _outcomes(study: Study) -> Grid:
    rows = [
        [
            Cell(framework(each.backend), backend=each.backend),
            Cell(", ".join(f"{name} {version}" for name, version in each.versions.items())),
            Cell(each.status, "good" if each.status == "ok" else "bad"),
            Cell(each.reason),
        ]
        for each in study.entrants
    ]
    heads = ["backend", "versions", "status", "reason"]
    return Grid("What ran, and how it ended", heads, rows, (0, 1, 2, 3))


def next_value(study: Study) -> Section:
    """One step ahead."""
    found = {model: _scores(study, model)[0] for model in MODELS}
    noise = study.settings.noise
    return Section(
        "next",
        "Can they tell the next value?",
        f"After the training part, {_listed(found, 'rmse')} off the series, and "
        f"{_listed(found, 'rmse_clean')} off the sine without its noise (RMSE). "
        f"The noise alone is {noise:g}: no model can be nearer to the series than that.",
        [
            _chart(
                study,
                "one-step",
                "One step ahead, from the series itself",
                {TITLES[model]: study.reference[model].forecasts[0] for model in MODELS},
            )
        ],
    )


def on_its_own(study: Study) -> Section:
    """Many steps ahead, from the end of the training part on."""
    found = {model: _scores(study, model)[1] for model in MODELS}
    return Section(
        "alone",
        "And on their own predictions?",
        f"From the end of the training part each goes on with what it predicted itself. Errors "
        f"add up: {_listed(found, 'rmse_clean')} off the sine.",
        [
            _chart(
                study,
                "multi-step",
                "Multi-step: from the training part's end, no value of the series is seen",
                {TITLES[model]: study.reference[model].forecasts[1] for model in MODELS},
            )
        ],
    )


def far_ahead(study: Study) -> Section:
    """So many steps ahead, for every k; and the errors by k."""
    furthest = max(study.settings.steps_ahead)
    rows = errors_of(study, "", study.reference)
    rows = rows[rows.kind == "k-step"].sort_values(["model", "k"])
    table = pd.concat(
        rows[["model", "k", column]].rename(columns={column: "rmse"}).assign(against=against)
        for column, against in (("rmse_clean", "the clean sine"), ("rmse", "the series"))
    ).reset_index(drop=True)
    table["model"] = table.model.map(TITLES)
    table["k"] = table.k.astype(int)
    last = {
        model: {"rmse_clean": rows[rows.model == model].rmse_clean.iloc[-1]} for model in MODELS
    }
    points = f"{rows.points.min():,}"
    figure = error_figure("rmse", "RMSE by how far ahead", table)
    grid = Grid(
        f"RMSE over the {points} points after the training part",
        ["model", "k", "against the series", "against the clean sine"],
        [
            [
                Cell(TITLES[str(row["model"])]),
                Cell(str(row["k"])),
                number(row["rmse"], ".4f"),
                number(row["rmse_clean"], ".4f"),
            ]
            for row in rows.to_dict("records")
        ],
    )
    return Section(
        "ahead",
        "How far ahead can they see?",
        f"At {furthest} steps they are {_listed(last, 'rmse_clean')} off the clean sine (RMSE); "
        "a constant 0 would be 0.71 off over whole periods.",
        [
            Chart(figure, grid),
            *(
                _chart(
                    study,
                    f"k-step-{model}",
                    f"{TITLES[model].capitalize()}, k steps ahead",
                    {_ahead(each.k): each for each in study.reference[model].forecasts[2:]},
                )
                for model in MODELS
            ),
            Note(
                "Every value stands at the time that it predicts. In the book's last chart those "
                "of all k share the times of the largest, so that with k = 64 the one-step curve "
                "stands 63 points too far to the right."
            ),
        ],
    )


def _ahead(k: int) -> str:
    return f"{k} step{'s' if k > 1 else ''} ahead"


def _scores(study: Study, model: ModelName) -> list[dict[str, float]]:
    table = errors_of(study, "", {model: study.reference[model]})
    return [{n: float(row[n]) for n in ("rmse", "rmse_clean")} for _, row in table.iterrows()]


def _listed(found: dict[ModelName, dict[str, float]], column: str) -> str:
    """Both models with a figure each."""
    return " and ".join(f"{TITLES[model]} {each[column]:.3f}" for model, each in found.items())


def _chart(study: Study, name: str, title: str, forecasts: dict[str, Forecast]) -> Chart:
    """Predictions over the series, and some of them as a table."""
    series = study.series
    curves = [
        Curve(named, series.time[each.first : each.first + len(each.values)], each.values)
        for named, each in forecasts.items()
    ]
    clean = Curve("the clean sine", series.time, series.clean)
    dots = Curve("the series", series.time, series.x)
    figure = forecast_figure(name, title, dots, [*curves, clean], study.settings.first_unseen)
    picked = np.unique(np.linspace(1, len(series.time), SHOWN).round().astype(int))
    rows = [
        [Cell(str(time)), *(_value(each, time) for each in (dots, *curves, clean))]
        for time in picked
    ]
    heads = ["time", *(each.title for each in (dots, *curves, clean))]
    return Chart(figure, Grid(title, heads, rows, folded=True))


def _value(curve: Curve, time: int) -> Cell:
    index = time - int(curve.time[0])
    return number(float(curve.values[index]) if index >= 0 else None, ".4f")


def learned(study: Study) -> Section:
    """The loss of every epoch."""
    losses = {model: [each.loss for each in study.reference[model].epochs] for model in MODELS}
    epochs = range(study.settings.num_epochs)
    picked = np.unique(np.linspace(0, len(epochs) - 1, SHOWN).round().astype(int))
    rows = [
        [Cell(str(i + 1)), *(number(losses[model][i], ".5f") for model in MODELS)] for i in picked
    ]
    ends = " and ".join(f"{TITLES[model]} at {losses[model][-1]:.4f}" for model in MODELS)
    return Section(
        "learned",
        "How did they learn?",
        f"The mean squared error over the training part ends with {ends}; the noise's own is "
        f"{study.settings.noise**2:.4f}.",
        [Grid("Mean squared error by epoch", ["epoch", *(TITLES[m] for m in MODELS)], rows)],
    )


def again(study: Study, about: dict[str, Any]) -> Section:
    """The command, the source, and every setting."""
    source = about["source"]
    modified = ", with changes of its own" if source["modified"] else ""
    told = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    settings = study.settings.model_dump(mode="json")
    return Section(
        "again",
        "How do I run it again?",
        "With this command, from the same source.",
        [
            Command(f"python -m harness {shlex.join(about['command'])}".rstrip()),
            Facts(
                [
                    ("Source", f"revision {source['revision'] or 'not in git'}{modified}"),
                    ("SHA-256 of the source", source["sha256"]),
                    ("Versions", told),
                ]
            ),
            Grid(
                "Every setting",
                ["setting", "value"],
                [[Cell(name), Cell(str(value))] for name, value in settings.items()],
                (0, 1),
                folded=True,
            ),
        ],
    )
