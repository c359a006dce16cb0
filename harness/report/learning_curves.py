"""Learning curves: perplexity by epoch and by second, beside the published figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from common.shards import SIMULATED, mixes
from harness.console import figure
from harness.page.blocks import (
    NONE,
    Block,
    Cell,
    Chart,
    Details,
    Note,
    Section,
    Table,
    named,
    number,
)
from harness.page.figure import MOST
from harness.page.told import Answer, Spark
from harness.report.charts import bounds, by_framework, learning
from harness.report.counting import baselines, best, column, judged, sentence
from harness.report.curves import HIGHEST, curves
from harness.report.groups import Report, RunGroup
from harness.report.lines import few, left_out
from harness.report.race import race

SHOWN = 12
"""Epochs in the table below a chart."""


def answer(report: Report) -> Answer:
    """The answer of the first screen: of the main group, with where the others end."""
    group = report.groups[0]
    told = _answer(group) + _published(group) + sentence(group)
    if others := [f"{other.title}, {_median_end(other)}" for other in report.groups[1:]]:
        told += f" Other studies: {'; '.join(others)}."
    ended = (group.summary.status == "ok").any()
    return Answer("Learns?", told, group.place("learning_curves"), _spark(group), bool(ended))


def _median_end(group: RunGroup) -> str:
    ends = group.summary[group.summary.status == "ok"][judged(group)]
    return figure(float(ends.median()), ".3f")


def learning_curves(group: RunGroup) -> Section:
    """The curves of a group."""
    told = _answer(group) + _published(group) + sentence(group)
    section = Section(group.place("learning_curves"), "How do they learn?", told)
    drawn = curves(group)
    if len(drawn):
        section.blocks += _charts(group, drawn)
    high = (group.epochs[["perplexity", "val_perplexity"]] > HIGHEST).any(axis=1)
    if high.any():
        said = f"Perplexities above {HIGHEST:g}, in {high.sum():,} epochs, are not drawn."
        section.blocks.append(Note(said))
    section.blocks.append(_ends(group))
    return section


def _answer(group: RunGroup) -> str:
    ok = group.summary[group.summary.status == "ok"]
    if ok.empty:
        return "No training came to its end."
    measure = judged(group)
    what = "validation perplexity" if measure.startswith("val") else "perplexity"
    ends = ok[measure]
    low, high = ends.min(), ends.max()
    epochs = group.experiment.num_epochs
    if len(group.seeds) > 1:
        by_seed = ok.groupby("seed")[measure]
        spread = (by_seed.max() / by_seed.min()).max()
        return (
            f"After {epochs} epochs the median {what} is {figure(ends.median(), '.3f')}, from "
            f"{figure(low, '.3f')} to {figure(high, '.3f')} over {len(group.seeds)} seeds; "
            f"from one seed, all end within {figure(spread - 1, '.2g')} of each other."
        )
    if len(ok) == 1:
        return f"After {epochs} epochs the {what} is {figure(low, '.4f')}."
    apart = (high - low) / low
    return (
        f"Together: after {epochs} epochs all {len(ok)} stand at a {what} of "
        f"{figure(low, '.3f')}, within {apart:.0e} of each other."
        if high < 1.0005 * low
        else f"After {epochs} epochs all {len(ok)} stand between a {what} of "
        f"{figure(low, '.3f')} and {figure(high, '.3f')}, {figure(apart, '.1%')} apart."
    )


def _published(group: RunGroup) -> str:
    """Words on the last published figure; empty where there is none."""
    for band in reversed(group.published):
        within = _within(group, group.epochs, band.epoch)
        if within and (found := bounds(band, "perplexity") or bounds(band, "val_perplexity")):
            of = "" if bounds(band, "perplexity") else "validation "
            return (
                f" The book says {of}{found[0]:g} to {found[1]:g}: {sum(within)} of {len(within)} "
                "within."
            )
    return ""


def _spark(group: RunGroup) -> Spark | None:
    """The median of all rows by epoch, beside the best n-gram and the last published figure."""
    drawn, measure = curves(group), judged(group)
    if drawn.empty:
        return None
    median = drawn.groupby("epoch")[measure].median().dropna()
    median = median[median > 0]
    if len(median) < 2:
        return None
    counted = best(group)
    bands = [found for band in group.published if (found := bounds(band, measure))]
    text = figure(float(median.iloc[-1]), ".3g")
    return Spark(
        f"The median perplexity by epoch falls from {figure(float(median.iloc[0]), '.3g')} to "
        f"{text}.",
        list(zip(median.index.astype(float), median.astype(float), strict=True)),
        text,
        [(counted.smoothed, f"{counted.model}: {counted.smoothed:.2f}")] if counted else [],
        bands[-1] if bands else None,
    )


def _charts(group: RunGroup, drawn: pd.DataFrame) -> list[Block]:
    """A curve a framework by epoch and by second, and on demand every form in small charts."""
    main = judged(group)
    axes = [(main, "epoch")]
    devices = group.summary[group.summary.status == "ok"].device
    # seconds of simulated devices are no speed, of different ones no comparison
    if not devices.str.contains(SIMULATED).any() and not mixes(devices):
        axes.append(("perplexity", "elapsed"))
    if main != "perplexity":
        axes.append(("perplexity", "epoch"))
    several = (drawn.groupby("backend").variant.nunique() > 1).any()
    crowded = drawn.backend.nunique() > MOST
    charts: list[Block] = []
    forms: list[Block] = []
    for measure, over in axes:
        name = f"{measure.replace('_', '-')}-by-{over}-{group.number}"
        title = _title(group, measure, over)
        grid = _values(group, drawn, measure, over, title)
        if over == "elapsed":
            charts.append(Chart(race(name, drawn), grid, half=True))
        elif not crowded:
            counted = baselines(group, measure)
            chart = learning(name, title, few(drawn), measure, group.published, counted)
            charts.append(Chart(chart, grid, half=measure == main))
        if several or crowded:
            small = by_framework(f"{name}-forms", title, drawn, measure, over)
            forms.append(Chart(small, grid))
    shown, rest = charts[:2], charts[2:]
    if several and not crowded:
        shown.append(Note(left_out(drawn, main)))
    if rest:
        shown.append(Details("On the training text", rest))
    return [*shown, Details("Every form, framework by framework", forms)] if forms else shown


def _title(group: RunGroup, measure: str, over: str) -> str:
    what = "Validation perplexity" if measure.startswith("val") else "Perplexity"
    title = f"{what} by {'epoch' if over == 'epoch' else 'second'}"
    return title + ": the median of the seeds" * (len(group.seeds) > 1)


def _values(group: RunGroup, drawn: pd.DataFrame, measure: str, axis: str, title: str) -> Table:
    epochs = np.unique(drawn.epoch)
    picked = epochs[np.unique(np.linspace(0, len(epochs) - 1, SHOWN).round().astype(int))]
    heads, columns = ["epoch"], []
    for series in group.series:
        mine = series.rows(drawn).set_index("epoch").reindex(picked)
        heads.append(series.title)
        columns.append(mine[measure])
        if axis == "elapsed":
            heads.append("after s")
            columns.append(mine.elapsed)
    rows = [
        [Cell(str(epoch)), *(number(column.iloc[i], ".4g") for column in columns)]
        for i, epoch in enumerate(picked)
    ]
    return Table(title, heads, rows)


def _ends(group: RunGroup) -> Table:
    """Final perplexities of every series, and the verdict on each published figure."""
    ok = group.summary[group.summary.status == "ok"]
    validated = ok.val_perplexity.notna().any()
    heads = ["backend", "seeds", "perplexity", *(["validation"] if validated else [])]
    texts = [0]
    for band in group.published:
        said = []
        for measure, name in (("perplexity", ""), ("val_perplexity", "validation ")):
            if found := bounds(band, measure):
                said.append(f"{name}{found[0]:g} to {found[1]:g}")
        texts.append(len(heads))
        heads.append(f"the book at epoch {band.epoch}: {', '.join(said)}")
    counting = column(group)
    if counting:
        texts.append(len(heads))
        heads.append(counting[0])
    rows = []
    for series in group.series:
        mine = series.rows(ok)
        if mine.empty:
            continue
        cells = [named(series), Cell(str(len(mine))), _median(mine.perplexity)]
        if validated:
            cells.append(_median(mine.val_perplexity))
        for band in group.published:
            cells.append(_verdict(_within(group, series.rows(group.epochs), band.epoch)))
        if counting:
            cells.append(counting[1][series])
        rows.append(cells)
    where = f"after {group.experiment.num_epochs} epochs"
    median = ", the median of the seeds" if len(group.seeds) > 1 else ""
    return Table(f"Where they stand {where}{median}", heads, rows, tuple(texts), folded=True)


def _within(group: RunGroup, epochs: pd.DataFrame, epoch: int) -> list[bool]:
    """Verdicts on the published figure of an epoch, for each row that reached it."""
    (band,) = (band for band in group.published if band.epoch == epoch)
    at = epochs[epochs.epoch == epoch]
    return [
        band.holds(p, None if pd.isna(v) else v)
        for p, v in zip(at.perplexity, at.val_perplexity, strict=True)
    ]


def _median(values: pd.Series[float]) -> Cell:
    return number(float(values.median()), ".4f")


def _verdict(within: list[bool]) -> Cell:
    if not within:
        return NONE
    if len(within) == 1:
        return Cell("within", "good") if within[0] else Cell("outside", "bad")
    return Cell(f"{sum(within)} of {len(within)} within", "good" if all(within) else "")
