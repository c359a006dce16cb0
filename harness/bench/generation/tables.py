"""Figures of generation: tokens a second and the first token's latency, over the book's loop."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from harness.bench.answers import answers, times, withheld
from harness.bench.contenders import BOOK, Contender
from harness.bench.generation.contenders import GENERATE
from harness.bench.printing import STYLES, half_width, told_apart
from harness.bench.ratios import ShapeResult, ratio, said_of
from harness.bench.shapes import dimensions
from harness.bench.tables import compile_seconds, round_seconds
from harness.bench.twins import Twin
from harness.console import ROOMY, figure, titled
from harness.intervals import Interval, bounds, interval
from harness.page.series import framework, records
from harness.records.generation import GenerationRoundTable, GenerationTable


def first_tokens(contender: Contender) -> list[float]:
    """Milliseconds to the first token, round by round."""
    return [1e3 * turn.first_token for turn in contender.turns if turn.first_token is not None]


def generation_table(result: ShapeResult) -> pd.DataFrame:
    """The figures of one shape: a row for each form that has any; ratios are of the same round."""
    rows: list[dict[str, Any]] = []
    for name, each in result.forms.items():
        speed = interval([1 / seconds for seconds in round_seconds(each)])
        first = interval(first_tokens(each))
        assert each.prepared is not None
        row: dict[str, Any] = {
            "backend": each.backend,
            "variant": each.variant,
            "shape": result.shape,
            "device": each.prepared.device,
            "tokens_per_sec": speed.median,
            "low": speed.low,
            "high": speed.high,
            "first_token_ms": first.median,
            "first_low": first.low,
            "first_high": first.high,
            "compile_seconds": compile_seconds(each),
            "peak_memory_mb": each.peak_memory_mb,
        }
        if (over := over_book(result, name)) is not None:
            row |= {"ratio_to_book": over.median, "ratio_low": over.low, "ratio_high": over.high}
            row["verdict"] = said_of([result], over)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(GenerationTable.model_fields))


def over_book(result: ShapeResult, name: str) -> Interval | None:
    """Speed of a form as a multiple of that of its backend's book loop; None of the loop itself."""
    forms = result.forms
    book = f"{forms[name].backend} {BOOK}"
    return ratio(forms[book], forms[name]) if book in forms and book != name else None


def generation_rounds(result: ShapeResult) -> pd.DataFrame:
    """Every turn: seconds a token, and to the first one. A twin is the variant ``... again``."""
    rows = [
        [each.backend, each.label, result.shape, number, turn.seconds, turn.first_token]
        for each in result.found
        for number, turn in enumerate(each.turns, 1)
    ]
    return pd.DataFrame(rows, columns=list(GenerationRoundTable.model_fields))


def said(result: ShapeResult) -> list[str]:
    """Sentences on a shape: the fastest, and how many times the book's loop each is."""
    told = []
    for name, form in result.forms.items():
        if form.variant == GENERATE and (over := over_book(result, name)) is not None:
            told.append(f"{framework(form.backend)} {times(over)}")
    mine = [f"Times the book's loop: {'; '.join(told)}."] if told else []
    return mine + [line for line in answers([result], "") if not line.startswith("Best forms")]


def show(console: Console, result: ShapeResult, table: pd.DataFrame) -> None:
    """Print one shape: its answer, its figures, the fastest first; who failed; what disturbed."""
    _, T, H, V = dimensions(result.shape)
    for line in said(result):
        console.print(Text(f"{result.shape}: {line}", "bold"))
    of = f"One text, {H:,} hiddens, vocabulary {V:,}, first token after {T}"
    shown = titled(f"{of}; 95 % intervals")
    for name in ("backend", "form"):
        shown.add_column(name, no_wrap=True)
    roomy = ["+-", "compiled s", "MB"] if console.width >= ROOMY else []
    for name in ("tokens/s", "x book", "interval", "verdict", "first ms", *roomy):
        shown.add_column(name, justify="right", no_wrap=True)
    known = table.astype(object).where(table.notna(), None)
    for row in records(known.sort_values("tokens_per_sec", ascending=False)):
        details = [
            half_width(row["low"], row["high"]),
            figure(row["compile_seconds"], ".2f"),
            figure(row["peak_memory_mb"], ",.0f"),
        ]
        shown.add_row(
            row["backend"],
            row["variant"],
            figure(row["tokens_per_sec"], ",.0f"),
            figure(row["ratio_to_book"], ".2f"),
            bounds(row["ratio_low"], row["ratio_high"]),
            Text(row["verdict"] or "-", STYLES[row["verdict"]]),
            figure(row["first_token_ms"], ".2f"),
            *(details if roomy else []),
        )
    console.print(shown)
    for each in result.found:
        if each.reason and not isinstance(each, Twin):
            console.print(Text(f"{each.name}: no figures: {each.reason}", "red"))
    if why := withheld([result]) if result.forms else "":
        console.print(Text(f"no verdicts, for {why}", "yellow"))
    console.print(Text(result.quiet.told(), "yellow" if result.quiet.disturbed else ""))
    console.print(Text(told_apart(result)))
