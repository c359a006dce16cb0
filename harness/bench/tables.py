"""From turns to figures: medians, intervals, ratios in the same rounds, and the tables of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from common.floor import PASSES, unavoidable
from common.shards import mixes
from harness.bench.contenders import Contender
from harness.bench.floor import OPERATIONS, PRODUCTS, floor, limits, sums
from harness.bench.quiet import Quiet
from harness.bench.ratios import ShapeResult, log_ratios, ratio, said_of
from harness.bench.shapes import dimensions
from harness.bench.twins import Sameness, Twin, of_twin, sameness
from harness.intervals import interval
from harness.page.rosetta import lines_of_code, source_file
from harness.records.schemas import BenchTable, RoundTable

COLUMNS = list(BenchTable.model_fields)


def round_seconds(contender: Contender) -> list[float]:
    """Seconds a step, round by round."""
    return [turn.seconds for turn in contender.turns]


def compile_seconds(contender: Contender) -> float:
    """Seconds before the first step of a network that was timed."""
    assert contender.prepared is not None
    return contender.prepared.compile_seconds


def bench_table(shape: str, found: list[Contender], quiet: Quiet | None = None) -> pd.DataFrame:
    """The figures of one shape, by `COLUMNS`; whoever failed has none, and a twin has none either.

    A ratio is that of the throughputs in the same round. ``break_even_steps`` says after how many
    steps a variant, compiling included, has overtaken the book's loop in its framework: 0 if it is
    ahead from the start, infinite if it never is. ``scaling_efficiency`` is the speed on several
    devices over as many times that on one. ``joules_per_token`` is the machine's energy while the
    variant had its turns, and ``code_lines`` its file's.
    """
    B, T, _, _ = dimensions(shape)
    tokens, result = B * T, ShapeResult(shape, found, quiet or Quiet())
    timed = {e.name: e for e in found if e.turns and not e.reason and not isinstance(e, Twin)}
    places = {each.name: each.prepared.device for each in timed.values() if each.prepared}
    floors = limits(found)
    if mixes(places[each.name] for each in timed.values() if each.is_network):
        floors = {}  # they were computed on one device alone
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
            row["ratio_to_concise"] = 1.0
            if each is not concise:
                over = ratio(concise, each)
                row |= {"ratio_to_concise": over.median, "ratio_low": over.low}
                row |= {"ratio_high": over.high, "verdict": said_of([result], over)}
        if each.devices > 1 and (alone := timed.get(f"{each.backend} {each.variant}")):
            row["scaling_efficiency"] = ratio(alone, each).median / each.devices
        if each.backend != "null":
            row |= _shares(speed.median, tokens, floors)
        if (book := timed.get(f"{each.backend} book")) and book is not each:
            row["break_even_steps"] = break_even(each, book)
        if each.joules:
            row["joules_per_token"] = float(np.median(each.joules)) / tokens
        if each.is_network and (path := source_file(each.backend, each.variant)):
            row["code_lines"] = lines_of_code(path)
        rows.append(row)
    here = next((places[each.name] for each in timed.values() if each.is_network), "")
    for name, limit in floors.items():
        rows.append({"backend": "floor", "variant": name, "shape": shape, "device": here})
        rows[-1] |= {"tokens_per_sec": tokens / limit} | _shares(tokens / limit, tokens, floors)
    return pd.DataFrame(rows, columns=COLUMNS).assign(machine=result.machine)


def _shares(tokens_per_sec: float, tokens: int, floors: dict[str, float]) -> dict[str, float]:
    """Cells of a speed's shares of both floors, as far as they are known."""
    columns = {PRODUCTS: "floor_fraction", OPERATIONS: "operations_fraction"}
    return {columns[name]: tokens_per_sec * limit / tokens for name, limit in floors.items()}


def break_even(contender: Contender, book: Contender) -> float:
    """Steps after which a contender, compiling included, has overtaken another."""
    gained = float(np.median(round_seconds(book)) - np.median(round_seconds(contender)))
    spent = compile_seconds(contender) - compile_seconds(book)
    if spent <= 0:
        return 0.0 if gained >= 0 else math.inf
    return math.ceil(spent / gained) if gained > 0 else math.inf


def rounds_table(shape: str, found: list[Contender]) -> pd.DataFrame:
    """Every turn: seconds a step, and the number of cores it kept busy.

    Of the variant ``products``, seconds are those of all products of a step, each in the library's
    fastest way; of ``operations``, those of its passes too. A twin is the variant ``... again``.
    """
    rows = [
        [each.backend, each.label, shape, number, turn.seconds, turn.cores_busy]
        for each in found
        for number, turn in enumerate(each.turns, 1)
    ]
    for each in found:
        if each.products and not each.reason:
            fastest = floor([each])
            for number, turn in enumerate(each.products, 1):
                ways = {name: next(iter(of)).partition(": ")[2] for name, of in fastest.items()}
                found_ = sums({name: turn[name][way] for name, way in ways.items()})
                for variant, seconds in found_.items():
                    rows.append([each.backend, variant, shape, number, seconds, math.nan])
    return pd.DataFrame(rows, columns=list(RoundTable.model_fields))


def same(result: ShapeResult) -> Sameness | None:
    """The contender that ran twice, held against itself; None if it has no figures."""
    if (twin := result.twin) is None:
        return None
    first = of_twin(twin, result.found)
    return sameness(first.name, log_ratios(first, twin))


def circumstances(shape: str, found: list[Contender], quiet: Quiet | None = None) -> dict[str, Any]:
    """Circumstances of the figures of a shape, for ``bench.json``: workers, the floor, quiet."""
    flops = {product.name: product.flops for product in unavoidable(*dimensions(shape))}
    taken = floor(found)
    twice = same(ShapeResult(shape, found))
    return {
        "shape": shape,
        "quiet": quiet.as_json() if quiet else None,
        "same": None
        if twice is None
        else {
            "contender": twice.name,
            "ratio": twice.ratio.median,
            "low": twice.ratio.low,
            "high": twice.ratio.high,
            "smallest": twice.smallest,
            "false_alarms": twice.false_alarms,
        },
        "workers": [
            {
                "backend": each.backend,
                "variant": each.label,
                "devices": each.devices,
                "steps": each.steps,
                "batch": each.batch,
                "rounds": len(each.turns),
                "reason": each.reason,
                "kind": each.kind,
                "checked": each.checked.model_dump() if each.checked else {},
                "idle_cpu_share": each.idle_cpu / each.idle_wall if each.idle_wall else None,
                **(each.prepared.model_dump() if each.prepared else {}),
            }
            for each in found
            if not isinstance(each, Twin)
        ],
        "products": {
            product: {
                way: {"seconds": seconds, "gflops": flops[product] / seconds / 1e9}
                for way, seconds in ways.items()
            }
            for product, ways in taken.items()
            if product in flops
        },
        "passes": {
            name: {way: {"seconds": seconds} for way, seconds in taken[name].items()}
            for name in PASSES
            if name in taken
        },
    }
