"""Tables printed at the end: the comparison, the samples, and the published figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import takewhile

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.experiment import Experiment
from common.inputs import Inputs
from common.parity import tolerance
from common.shards import MIXED, SIMULATED, mixes
from harness.console import STYLES, figure, printable, titled
from harness.recipes import Recipe
from harness.records.reading import read_run
from harness.records.status import marked
from harness.run.row import Row, ranked
from harness.run.train import RunResult


def comparison(rows: list[Row], width: int) -> Table:
    """The comparison, the fastest first, in so many columns of text; what does not fit is named."""
    fastest = {_where(row): 0.0 for row in rows}
    for row in rows:
        fastest[_where(row)] = max(fastest[_where(row)], row.tokens_per_sec or 0)
    columns: dict[str, Callable[[Row], str]] = {  # what matters first
        "perplexity": lambda row: figure(row.perplexity, ".4f"),
        "validation": lambda row: figure(row.val_perplexity, ".4f"),
        "tokens/s": lambda row: figure(row.tokens_per_sec, ",.0f"),
        "of best": lambda row: figure(_of_best(row, fastest[_where(row)]), ".2f"),
        "compile s": lambda row: figure(row.compile_seconds, ".1f"),
        "train s": lambda row: figure(_seconds(row), ".1f"),
        "MB": lambda row: figure(row.peak_memory_mb, ",.0f"),
    }
    if all(row.val_perplexity is None for row in rows):
        del columns["validation"]
    if not any(fastest.values()):
        del columns["of best"]
    measuring, left_out = Console(width=WIDEST), list[str]()
    while measuring.measure(table := _table(rows, columns)).maximum > width and columns:
        left_out.insert(0, columns.popitem()[0])
    if left_out:
        table.caption = f"a wider terminal, or summary.csv, shows {', '.join(left_out)}"
        table.caption_justify = "left"
    return table


WIDEST = 500
"""Columns of text that hold any table."""


def _table(rows: list[Row], columns: dict[str, Callable[[Row], str]]) -> Table:
    mixed = mixes(row.device for row in rows if row.tokens_per_sec)
    table = titled("One network, the same weights, the same batches" + on_several(rows))
    for name in ("backend", "variant", *["device"] * mixed, "status"):
        table.add_column(name, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for row in ranked(rows):
        said = marked(row.status, row.parity_verdict)
        status = Text(said, STYLES.get(said, "red"))
        figures = [of(row) for of in columns.values()]
        table.add_row(row.backend, row.variant, *[row.device] * mixed, status, *figures)
    return table


def _where(row: Row) -> tuple[str, str]:
    """Machine and device of a row: speeds are compared on the same ones alone."""
    return row.machine, row.device


def _of_best(row: Row, fastest: float) -> float | None:
    return row.tokens_per_sec / fastest if row.tokens_per_sec else None


def _seconds(row: Row) -> float | None:
    return None if SIMULATED in row.device else row.train_seconds or None


def on_several(rows: list[Row]) -> str:
    """The devices of each row, where one network had several; else empty."""
    places = dict.fromkeys(row.device for row in rows if row.devices > 1 and row.device)
    return f", each on {' or '.join(places)}" if places else ""


def show_result(console: Console, result: RunResult, trained: str) -> None:
    """Print the comparison, what was trained on, the reasons, and where it all lies."""
    console.print(comparison(result.rows, console.width))
    console.print(Text(trained), soft_wrap=True)
    for row in result.rows:
        if row.reason:
            said = f"{row.backend} {row.variant}: {row.status}: {row.reason}"
            console.print(Text(said), soft_wrap=True)
    if mixes(row.device for row in result.rows if row.tokens_per_sec):
        console.print(Text(MIXED))
    if spread := _spread(result.rows):
        console.print(Text(spread))
    finished = result.status == "finished"
    if parted := finished and other_texts(result.rows, read_run(result.folder).samples):
        console.print(Text(parted), soft_wrap=True)
    console.print(Text(f"run folder: {result.folder}"), soft_wrap=True)


def trained_on(inputs: Inputs) -> str:
    """Line on how much of its text an experiment trains on."""
    prepared = inputs.prepared
    train, val = map(len, inputs.loader.spans())
    unit = "characters" if prepared.vocab.token == "char" else "words"
    whole = f"{prepared.num_tokens:,} {unit} of {printable(prepared.name)}"
    if val:
        return f"trained on {train:,} and validated on {val:,} of {whole}"
    return f"trained on {'all' if train == prepared.num_tokens else f'{train:,} of'} {whole}"


def _spread(rows: list[Row]) -> str:
    spread = spread_of(rows)
    return "" if spread is None else f"their perplexities differ by at most {spread:.1e} relative"


def spread_of(rows: list[Row]) -> float | None:
    """The largest relative difference between perplexities of rows that are ok; None of one row."""
    reached = [row.perplexity for row in rows if row.ok and row.perplexity]
    return (max(reached) - min(reached)) / min(reached) if len(reached) > 1 else None


def other_texts(rows: list[Row], samples: pd.DataFrame) -> str:
    """Line on rows whose last texts differ, as those of one request should not; else empty.

    Args:
        rows: of one run.
        samples: its ``samples.csv``.
    """
    ok = [row for row in rows if row.ok]
    last = samples[samples.epoch == samples.epoch.max()]
    for prefix, texts in last.groupby("prefix", sort=False):
        wrote = texts.set_index(["backend", "variant"]).text
        found = {f"{row.backend} {row.variant}": wrote[row.backend, row.variant] for row in ok}
        first = next(iter(found), "")
        if parted := [name for name, text in found.items() if text != found[first]]:
            ways = zip(*found.values(), strict=False)
            same = sum(1 for _ in takewhile(lambda chars: len({*chars}) == 1, ways))
            agree = (spread_of(ok) or 0) <= max(tolerance("drift", row.dtype) for row in ok)
            return (
                f"after {printable(str(prefix))!r}, {', '.join(parted)} wrote another text than "
                f"{first}, from character {same + 1} on, "
                f"{'though their perplexities agree' if agree else 'as their perplexities differ'}"
            )
    return ""


def show_published(console: Console, result: RunResult, recipe: Recipe, asked: Experiment) -> None:
    """Hold the curves against the recipe's published bands, where the settings are the recipe's."""
    published = recipe.published_for(asked)
    if not published:
        return
    table = titled("Against the published figures")
    for name in ("backend", "verdict", "perplexity", "validation", "epoch", "published"):
        table.add_column(name)
    epochs = read_run(result.folder).epochs.set_index(["backend", "variant", "epoch"])
    for band in published:
        for row in result.rows:
            at = row.backend, row.variant, band.epoch
            if at not in epochs.index:
                continue
            perplexity, validation = float(epochs.perplexity[at]), float(epochs.val_perplexity[at])
            found = perplexity, None if math.isnan(validation) else validation
            holds = band.holds(*found)
            table.add_row(
                f"{row.backend} {row.variant}",
                Text("within", "green") if holds else Text("outside", "red"),
                figure(found[0], ".4f"),
                figure(found[1], ".4f"),
                str(band.epoch),
                _band(band.low, band.high) + _band(band.val_low, band.val_high, "validation "),
            )
    console.print(table)


def _band(low: float | None, high: float | None, name: str = "") -> str:
    return "" if low is None else f"{name}{low:g} to {high:g} "
