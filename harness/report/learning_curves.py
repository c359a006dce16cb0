"""Learning curves: perplexity by epoch and by second, beside the published figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from common.shards import SIMULATED, mixes
from harness.console import figure
from harness.page.blocks import NONE, Block, Cell, Chart, Note, Section, Table, named, number
from harness.report.charts import bounds, learning
from harness.report.counting import baselines, column, sentence
from harness.report.curves import HIGHEST, curves
from harness.report.groups import Report, RunGroup, heading

SHOWN = 12
"""Epochs in the table below a chart."""


def learning_curves(report: Report) -> Section:
    """The curves of every group."""
    section = Section("learning_curves", "How do they learn?", "")
    for group in report.groups:
        drawn = curves(group)
        section.answer = section.answer or _answer(group) + sentence(group)
        section.blocks += heading(report, group)
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
    low, high = ok.perplexity.min(), ok.perplexity.max()
    least, most = figure(low, ".3f"), figure(high, ".3f")
    epochs = group.experiment.num_epochs
    if len(group.seeds) > 1:
        spread = (ok.groupby("seed").perplexity.max() / ok.groupby("seed").perplexity.min()).max()
        return (
            f"From {figure(low, '.2f')} to {figure(high, '.2f')} after {epochs} epochs "
            f"over {len(group.seeds)} seeds; "
            f"from one seed, all end within {spread - 1:.1e} of each other."
        )
    if len(ok) == 1:
        return f"To a perplexity of {figure(low, '.4f')} after {epochs} epochs."
    return (
        f"Together: after {epochs} epochs all {len(ok)} stand at a perplexity of {least}, "
        f"within {(high - low) / low:.0e} of each other."
        if high < 1.0005 * low
        else f"After {epochs} epochs they stand between {least} and {most}, "
        f"{figure((high - low) / low, '.1%')} apart."
    )


def _charts(group: RunGroup, drawn: pd.DataFrame) -> list[Block]:
    wanted = [("perplexity", "epoch"), ("perplexity", "elapsed")]
    devices = group.summary[group.summary.status == "ok"].device
    if devices.str.contains(SIMULATED).any() or mixes(devices):
        del wanted[1]  # seconds of simulated devices are no speed, of different ones no comparison
    if drawn.val_perplexity.notna().any():
        wanted.append(("val_perplexity", "epoch"))
    blocks: list[Block] = []
    for measure, axis in wanted:
        what = "Validation perplexity" if measure.startswith("val") else "Perplexity"
        title = f"{what} by {'epoch' if axis == 'epoch' else 'second'}"
        if len(group.seeds) > 1:
            title += ": the median of the seeds" + (", and their range" * (axis == "epoch"))
        name = f"{measure.replace('_', '-')}-by-{axis}-{group.number}"
        bands = group.published if axis == "epoch" else ()
        figure = learning(name, title, drawn, measure, axis, bands, baselines(group, measure))
        blocks.append(Chart(figure, _values(group, drawn, measure, axis, title)))
    return blocks


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
    return Table(title, heads, rows, folded=True)


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
            at = series.rows(group.epochs)
            at = at[at.epoch == band.epoch]
            within = [
                band.holds(p, None if pd.isna(v) else v)
                for p, v in zip(at.perplexity, at.val_perplexity, strict=True)
            ]
            cells.append(_verdict(within))
        if counting:
            cells.append(counting[1][series])
        rows.append(cells)
    where = f"after {group.experiment.num_epochs} epochs"
    median = ", the median of the seeds" if len(group.seeds) > 1 else ""
    return Table(f"Where they stand {where}{median}", heads, rows, tuple(texts))


def _median(values: pd.Series[float]) -> Cell:
    return number(float(values.median()), ".4f")


def _verdict(within: list[bool]) -> Cell:
    if not within:
        return NONE
    if len(within) == 1:
        return Cell("within", "good") if within[0] else Cell("outside", "bad")
    return Cell(f"{sum(within)} of {len(within)} within", "good" if all(within) else "")
