"""From turns to figures: medians, intervals, ratios in the same rounds, and the table of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from common.matmul_floor import unavoidable
from common.shards import MIXED, mixes
from harness.bench.contenders import Contender
from harness.bench.shapes import dimensions
from harness.console import ROOMY, figure, titled
from harness.intervals import Interval, interval, verdict
from harness.records.schemas import BenchTable, RoundTable

COLUMNS = list(BenchTable.model_fields)

STYLES = {"faster": "green", "slower": "red", "tie": "", None: ""}


def round_seconds(contender: Contender) -> list[float]:
    """Seconds a step, round by round."""
    return [turn.seconds for turn in contender.turns]


def compile_seconds(contender: Contender) -> float:
    """Seconds before the first step of a network that was timed."""
    assert contender.prepared is not None
    return contender.prepared.compile_seconds


def floor(found: list[Contender]) -> dict[str, dict[str, float]]:
    """The median seconds of each unavoidable product, by library and way, the fastest first."""
    seconds: dict[str, dict[str, list[float]]] = {}
    for each in found:
        if each.variant == "products" and not each.reason:
            for turn in each.products:
                for product, ways in turn.items():
                    for way, taken in ways.items():
                        kept = seconds.setdefault(product, {})
                        kept.setdefault(f"{each.backend}: {way}", []).append(taken)
    return {
        product: dict(
            sorted(((w, float(np.median(s))) for w, s in ways.items()), key=lambda i: i[1])
        )
        for product, ways in seconds.items()
    }


def bench_table(shape: str, found: list[Contender]) -> pd.DataFrame:
    """The figures of one shape, by `COLUMNS`; whoever failed has none.

    A ratio is that of the throughputs in the same round. ``break_even_steps`` says after how many
    steps a variant, compiling included, has overtaken the book's loop in its framework: 0 if it is
    ahead from the start, infinite if it never is. ``scaling_efficiency`` is the speed on several
    devices over as many times that on one.
    """
    B, T, _, _ = dimensions(shape)
    tokens = B * T
    timed = {each.name: each for each in found if each.turns and not each.reason}
    places = {each.name: each.prepared.device for each in timed.values() if each.prepared}
    limit = sum(next(iter(ways.values())) for ways in floor(found).values())
    if mixes(places[each.name] for each in timed.values() if each.is_network):
        limit = 0  # the products were multiplied on one device alone
    rows = []
    for each in timed.values():
        seconds = round_seconds(each)
        speed = interval([tokens / s for s in seconds])
        row: dict[str, Any] = {
            "backend": each.backend,
            "variant": each.label,
            "shape": shape,
            "device": places[each.name] if each.is_network else "",
            "tokens_per_sec": speed.median,
            "low": speed.low,
            "high": speed.high,
            "compile_seconds": compile_seconds(each),
            "peak_memory_mb": each.peak_memory_mb,
            "device_memory_mb": each.device_memory_mb,
        }
        if concise := timed.get(f"{each.backend} concise"):
            ratio = paired_ratio(concise, each)
            row |= {"ratio_to_concise": ratio.median, "ratio_low": ratio.low}
            row |= {"ratio_high": ratio.high, "verdict": verdict(ratio)}
        if each.devices > 1 and (alone := timed.get(f"{each.backend} {each.variant}")):
            row["scaling_efficiency"] = paired_ratio(alone, each).median / each.devices
        if limit and each.backend != "null":
            row["floor_fraction"] = speed.median / (tokens / limit)
        if (book := timed.get(f"{each.backend} book")) and book is not each:
            row["break_even_steps"] = break_even(each, book)
        rows.append(row)
    if limit:
        here = next((places[each.name] for each in timed.values() if each.is_network), "")
        rows.append({"backend": "floor", "variant": "products", "shape": shape, "device": here})
        rows[-1] |= {"tokens_per_sec": tokens / limit, "floor_fraction": 1.0}
    return pd.DataFrame(rows, columns=COLUMNS)


def paired_ratio(base: Contender, other: Contender) -> Interval:
    """Speed of `other` as a multiple of that of `base`, from the ratios of each round."""
    pairs = zip(round_seconds(base), round_seconds(other), strict=True)
    return interval([theirs / ours for theirs, ours in pairs])


def break_even(contender: Contender, book: Contender) -> float:
    """Steps after which a contender, compiling included, has overtaken another."""
    gained = float(np.median(round_seconds(book)) - np.median(round_seconds(contender)))
    spent = compile_seconds(contender) - compile_seconds(book)
    if spent <= 0:
        return 0.0 if gained >= 0 else math.inf
    return math.ceil(spent / gained) if gained > 0 else math.inf


def rounds_table(shape: str, found: list[Contender]) -> pd.DataFrame:
    """Every turn: seconds a step, and the number of cores it kept busy."""
    return pd.DataFrame(
        [
            [each.backend, each.label, shape, number, turn.seconds, turn.cores_busy]
            for each in found
            for number, turn in enumerate(each.turns, 1)
        ],
        columns=list(RoundTable.model_fields),
    )


def circumstances(shape: str, found: list[Contender]) -> dict[str, Any]:
    """Circumstances of the figures of a shape, for ``bench.json``: workers and products."""
    flops = {product.name: product.flops for product in unavoidable(*dimensions(shape))}
    return {
        "shape": shape,
        "workers": [
            {
                "backend": each.backend,
                "variant": each.label,
                "devices": each.devices,
                "steps": each.steps,
                "batch": each.batch,
                "reason": each.reason,
                "checked": each.checked.model_dump() if each.checked else {},
                "idle_cpu_share": each.idle_cpu / each.idle_wall if each.idle_wall else None,
                **(each.prepared.model_dump() if each.prepared else {}),
            }
            for each in found
        ],
        "products": {
            product: {
                way: {"seconds": seconds, "gflops": flops[product] / seconds / 1e9}
                for way, seconds in ways.items()
            }
            for product, ways in floor(found).items()
        },
    }


def show(console: Console, shape: str, table: pd.DataFrame, found: list[Contender]) -> None:
    """Print one shape: its figures, the fastest first; who failed; what disturbed."""
    headings = ["tokens/s", "+-", "x concise", "95 % interval", "verdict", "of floor"]
    if console.width >= ROOMY:
        headings += ["compile s", "even after", "MB"]
    networks = table[table.backend != "null"].sort_values("tokens_per_sec", ascending=False)
    if mixed := mixes(networks.device):
        networks = networks.sort_values("device", kind="stable")
    if on_device := bool(networks.device_memory_mb.notna().any()):
        headings.append("device MB")
    if scaling := bool(table.scaling_efficiency.notna().any()):
        headings.insert(0, "of N x 1")
    shown = titled(f"{shape} (batch x steps x hiddens x vocabulary)")
    for name in ("backend", "variant", *["device"] * mixed):
        shown.add_column(name, no_wrap=True)
    for name in headings:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in networks.astype(object).where(networks.notna(), None).to_dict("records"):
        cells: list[str | Text] = [
            figure(row["tokens_per_sec"], ",.0f"),
            _half_width(row["low"], row["high"]),
            figure(row["ratio_to_concise"], ".2f"),
            _between(row["ratio_low"], row["ratio_high"]),
            Text(row["verdict"] or "-", STYLES[row["verdict"]]),
            figure(row["floor_fraction"], ".2f"),
            figure(row["compile_seconds"], ".2f"),
            figure(row["break_even_steps"], ",.0f"),
            figure(row["peak_memory_mb"], ",.0f"),
        ]
        if scaling:
            cells.insert(0, figure(row["scaling_efficiency"], ".2f"))
        cells = cells[: len(headings) - on_device]
        if on_device:
            cells.append(figure(row["device_memory_mb"], ",.0f"))
        shown.add_row(row["backend"], row["variant"], *[row["device"]] * mixed, *cells)
    console.print(shown)
    if mixed:
        console.print(Text(MIXED))
    if batches := len({each.batch for each in found} - {1}):
        console.print(Text(f"in {batches + 1} batches, for its device could not hold all at once"))
    for each in found:
        if each.reason and (each.is_network or each.kind != "unavailable"):
            style = "yellow" if each.kind == "unavailable" else "red"
            console.print(Text(f"{each.name}: no figures: {each.reason}", style))
        elif each.checked and each.checked.reason:
            console.print(Text(f"{each.name}: {each.checked.reason}", "yellow"))
    for row in table[table.backend == "null"].to_dict("records"):
        B, T, _, _ = dimensions(shape)
        microseconds = B * T / row["tokens_per_sec"] * 1e6
        console.print(f"the harness itself takes {microseconds:.1f} microseconds a step")
    if shares := [each.idle_cpu / each.idle_wall for each in found if each.idle_wall]:
        console.print(f"waiting workers used at most {max(shares):.1%} of a CPU each")


def _half_width(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else figure((high - low) / (high + low), ".1%")


def _between(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{figure(low, '.2f')} to {figure(high, '.2f')}"
