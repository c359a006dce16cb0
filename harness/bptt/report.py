"""The report of a measurement of backpropagation through time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.errors import RequestError
from common.truncation import ALL, T_LIMIT
from harness.bptt import charts
from harness.bptt.accuracy import accuracy, reproduce
from harness.bptt.measure import Measured
from harness.bptt.reading import read
from harness.bptt.tables import clipping, setting
from harness.console import printable
from harness.page.blocks import Cell, Chart, Note, Section, Table, number
from harness.page.figure import MOST
from harness.page.series import framework, records
from harness.page.told import Told, answers_of

TITLE = "Backpropagation through time"


def told_of(folders: Sequence[Path]) -> Told:
    """The report of the measurement in a folder.

    Raises:
        RequestError: it has not ended, nothing was measured, or a file is damaged.
    """
    (folder,) = folders
    measured, facts = read(folder)
    if not measured.backends:
        raise RequestError(printable(f"{folder}: no backend was measured"))
    return told_of_measured(facts, measured)


def told_of_measured(facts: dict[str, Any], measured: Measured) -> Told:
    """The report of a measurement, of one backend at least."""
    told = [reach(measured), radius(measured)]
    if len(measured.truncation):
        told += [truncation(measured), chance(measured)]
    told += [accuracy(measured), reproduce(facts)]
    about = ", ".join(framework(name) for name in measured.backends)
    return Told(TITLE, about, measured.backends, answers_of(told, 5), told)


def _panels(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the name of its panel and what a chart needs to know of a backend."""
    clipped = table.clip_theta.map(clipping)
    return table.assign(
        panel=table.activation + ", " + clipped,
        framework=table.backend.map(framework),
        variant="scratch",
    )


def _few(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first backends, as many as a chart has lines."""
    drawn = table[table.backend.isin(list(dict.fromkeys(table.backend))[:MOST])]
    return drawn.reset_index(drop=True)


def reach(measured: Measured) -> Section:
    """Norms by distance."""
    first = measured.backends[0]
    norms = _panels(measured.norms[measured.norms.backend == first])
    T = int(norms.distance.max()) + 1
    start = norms[(norms.epoch == 0) & (norms.clip_theta > 0)]
    falls = ", ".join(
        f"{_ratio(each.norm)} with {activation}"
        for activation, each in start.groupby("activation", sort=False)
    )
    section = Section(
        "reach",
        "How far back does a gradient reach?",
        f"Over {T - 1} steps its norm changes by a factor of {falls} at the first weights.",
    )
    title = f"The norm of dl_T / dH at T - d, l_T being the last step's loss ({framework(first)})"
    columns = [*dict.fromkeys([0, 1, 2, 4, 8, 16, T - 1])]
    columns = sorted(d for d in columns if d < T)
    rows = []
    for (panel, epoch), each in norms.groupby(["panel", "epoch"], sort=False):
        by = each.set_index("distance").norm
        rows.append([Cell(str(panel)), Cell(str(epoch)), *(number(by[d], ".1e") for d in columns)])
    heads = ["network", "epoch", *(f"d = {d}" for d in columns)]
    epochs = np.unique(norms.epoch)
    picked = epochs[np.unique(np.linspace(0, len(epochs) - 1, MOST).round().astype(int))]
    columns_ = ["panel", "backend", "framework", "variant", "epoch", "distance", "norm"]
    drawn = norms[norms.epoch.isin(picked)][columns_]
    figure = charts.reach("norm-by-distance", title, drawn.reset_index(drop=True))
    section.blocks.append(Chart(figure, Table(title, heads, rows, folded=True)))
    section.blocks.append(
        Note(
            "The norm is over all sequences and hidden units. Every backend is measured on its own "
            "weights, which drift apart where training is chaotic; norms.csv has them all."
        )
    )
    return section


def _ratio(norms: pd.Series[float]) -> str:
    return f"{norms.iloc[-1] / norms.iloc[0]:.1g}" if norms.iloc[0] else "nothing"


def radius(measured: Measured) -> Section:
    """Spectral radii, and who diverged."""
    spectrum = _panels(measured.spectrum)
    known = spectrum[spectrum.spectral_radius > 0].reset_index(drop=True)
    lost = spectrum[spectrum.status != "ok"]
    said = "All stay finite." if lost.empty else f"{len(lost)} of them ended in no finite number."
    first = known[known.epoch == 0].spectral_radius.median()
    section = Section(
        "radius",
        "How does the spectral radius grow?",
        f"From {first:.3g} at the first weights to as much as {known.spectral_radius.max():.3g}. "
        f"{said}",
    )
    title = "The largest absolute eigenvalue of W_hh by epoch"
    heads = ["network", "backend", "epoch", "perplexity", "spectral radius", "status"]
    rows = [
        [
            Cell(row["panel"]),
            Cell(row["framework"], backend=row["backend"]),
            Cell(str(row["epoch"])),
            number(row["perplexity"], ".4g"),
            number(row["spectral_radius"], ".4g"),
            Cell(row["status"], "good" if row["status"] == "ok" else "bad"),
        ]
        for row in records(spectrum)
    ]
    drawn = _few(known)[["panel", "backend", "framework", "variant", "epoch", "spectral_radius"]]
    figure = charts.radius("radius-by-epoch", title, drawn)
    section.blocks.append(Chart(figure, Table(title, heads, rows, (0, 1, 5), folded=True)))
    for row in records(lost):
        told = f"{row['framework']}, {row['panel']}: diverged by epoch {row['epoch']}."
        section.blocks.append(Note(told, "bad"))
    return section


def _moments(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the moment as its panel."""
    moment = table.epoch.map(lambda epoch: f"after epoch {epoch}" if epoch else "first weights")
    return table.assign(panel=moment, framework=table.backend.map(framework), variant="scratch")


def truncation(measured: Measured) -> Section:
    """Cost of cutting the window into pieces."""
    costs = _moments(measured.truncation)
    found = costs[(costs.strategy == "truncated") & (costs.quantity == ALL)].reset_index(drop=True)
    short, long = found[found.tau == found.tau.min()], found[found.tau == found.tau.max()]
    section = Section(
        "truncation",
        "What does truncation cost?",
        f"Cut into pieces of {short.tau.iloc[0]:g}, the gradient is off by "
        f"{_between(short.error)}; of {long.tau.iloc[0]:g}, by {_between(long.error)}.",
    )
    title = "Error of the truncated gradient, all five parts together, by tau"
    drawn = _few(found)[["panel", "backend", "framework", "variant", "tau", "error"]]
    figure = charts.truncation("error-by-tau", title, drawn)
    section.blocks.append(Chart(figure, _errors(costs, ("full", "truncated"), measured)))
    section.blocks.append(
        Note(
            "Truncation to tau cuts the window into pieces of tau steps, so that a loss reaches "
            "back between 0 and tau - 1 of them; tau equal to the window is full backpropagation. "
            "The output layer hangs on no link: its two gradients are exact under every strategy."
        )
    )
    return section


def _between(values: pd.Series[float]) -> str:
    low, high = f"{values.min():.0%}", f"{values.max():.0%}"
    return low if low == high else f"{low} to {high}"


def _errors(costs: pd.DataFrame, wanted: tuple[str, ...], measured: Measured) -> Table:
    """Errors and cosines of the strategies wanted, by quantity, of the first backend."""
    first = measured.backends[0]
    mine = costs[(costs.backend == first) & costs.strategy.isin(wanted)]
    told = mine.apply(setting, axis=1)
    quantities = list(dict.fromkeys(mine.quantity))
    rows = []
    for (panel, strategy), each in mine.groupby([mine.panel, told], sort=False):
        by = each.groupby("quantity").last()
        cosine = number(by.cosine[ALL], ".4f")
        errors = [number(by.error[name], ".2e") for name in quantities]
        rows.append([Cell(str(panel)), Cell(str(strategy)), cosine, *errors])
    heads = ["weights", "strategy", "cosine", *(f"error of {name}" for name in quantities)]
    caption = f"Against the full gradient ({framework(first)})"
    return Table(caption, heads, rows, (0, 1), folded=True)


def chance(measured: Measured) -> Section:
    """Randomized truncation: mean, variance, and the control that is biased on purpose."""
    costs = _moments(measured.truncation)
    drawn = costs[costs.strategy.isin(["randomized", "biased"]) & (costs.quantity == ALL)]
    drawn = drawn.assign(
        panel=drawn.panel + drawn.pi.map(", pi {:g}".format),
        variant=drawn.strategy,
        standard_error=drawn.standard_error.where(drawn.strategy == "randomized"),
    ).reset_index(drop=True)
    most = int(drawn.draws.max())
    means = measured.means
    judged = means[means.verdict != ""]
    as_it_is = judged.verdict == judged.strategy.map({"randomized": "unbiased", "biased": "biased"})
    section = Section(
        "chance",
        "Is randomized truncation unbiased?",
        f"The mean of {most} draws tells {as_it_is.sum()} of {len(judged)} schemes for what they "
        "are."
        if len(judged)
        else f"{most} draws are too few to tell.",
    )
    first = measured.backends[0]
    what = f"Error of the mean of n draws ({framework(first)})"
    title = f"{what}, and what chance alone leaves of it (dotted)"
    columns = ["panel", "backend", "framework", "variant", "draws", "error", "standard_error"]
    cut = drawn[(drawn.error > 1e-12) & (drawn.backend == first)]  # with pi 1 no link ever is
    if len(cut):
        figure = charts.means("error-by-draws", title, cut[columns].reset_index(drop=True))
        section.blocks.append(Chart(figure, _means(measured)))
    section.blocks.append(
        Note(
            "Randomized: a link is 1 / pi with probability pi and 0 else, of mean 1. Biased, the "
            "control: 1 with probability pi and 0 else. t is Student's, of the draws' mean along "
            "the part of the full gradient that came through links; beyond "
            f"{T_LIMIT:g} either way a scheme is called biased. Where gradients explode and pi is "
            "small, the rare draws that make up the mean are not among these, and t misleads."
        )
    )
    section.blocks.append(_errors(costs, ("randomized",), measured))
    return section


def _means(measured: Measured) -> Table:
    means = _moments(measured.means)
    rows: list[list[Cell]] = []
    for row in records(means[means.strategy.isin(["randomized", "biased"])]):
        wanted = {"randomized": "unbiased", "biased": "biased"}[row["strategy"]]
        tone: Any = "good" if row["verdict"] == wanted else "bad"
        rows.append(
            [
                Cell(row["panel"]),
                Cell(f"{row['strategy']}, pi {row['pi']:g}"),
                Cell(row["framework"], backend=row["backend"]),
                number(row["error"], ".3f"),
                number(row["standard_error"], ".3f"),
                number(row["cosine"], ".4f"),
                number(row["variance"], ".3g"),
                number(row["t"], "+.1f"),
                Cell(row["verdict"] or "-", tone if row["verdict"] else "quiet"),
            ]
        )
    heads = "weights|scheme|backend|error of mean|standard error|cosine|variance|t|verdict"
    return Table("The mean of all draws", heads.split("|"), rows, (0, 1, 2, 8), folded=True)
