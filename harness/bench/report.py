"""Section of benchmarks in a report, and their answer: who is fast, or ties with who is?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from common.shards import MIXED, mixes
from harness.bench.floor import OPERATIONS, PRODUCTS
from harness.bench.generation.report import answer as answer_of_texts
from harness.bench.generation.report import generation
from harness.bench.ranking import ALL
from harness.bench.sections import answered, failures, judged, reproduce
from harness.bench.shapes import dimensions
from harness.intervals import interval, verdict
from harness.page import provenance
from harness.page.blocks import (
    Block,
    Chart,
    Details,
    Facts,
    Note,
    Section,
    Table,
    between,
    named,
    number,
)
from harness.page.charts import DRAWN, speed
from harness.page.series import Series, framework, in_order, records
from harness.page.speeds import fast, fastest, leaders
from harness.page.told import Answer, Told
from harness.records.generation import read_generation
from harness.records.reading import BenchData, read_bench
from harness.records.tables import holds


def told_of(folders: Sequence[Path]) -> Told:
    """The report of what `bench` wrote into folders that hold no run.

    Raises:
        RequestError: one holds no benchmark that has ended.
    """
    benches = [read_bench(folder) for folder in folders]
    every = in_order(pd.concat([networks(bench) for bench in benches]))
    backends = list(dict.fromkeys(series.backend for series in every))
    about = f"{', '.join(map(framework, backends))}, in turns on {_cpus(benches[0])}"
    texts = [read_generation(folder) for folder in folders if holds(folder, "generation.json")]
    written = [generation(texts)] if texts else []
    sections = [benchmark(benches), *written, *(reproduce(bench.facts) for bench in benches[:1])]
    failed = [note for bench in benches for note in failures(bench.facts)]
    told = [answer(benches), *([answer_of_texts(texts)] if texts else [])]
    return Told("Who trains fastest?", about, backends, told, sections, failed)


def networks(bench: BenchData) -> pd.DataFrame:
    """The figures of networks, without the floor and the harness's own cost."""
    return bench.figures[~bench.figures.backend.isin(["null", "floor"])]


def answer(benches: Sequence[BenchData], like: str = "") -> Answer:
    """The answer of the first screen, from one shape of the first benchmark with figures.

    Args:
        benches: in their order.
        like: the shape that it is of, where that was timed; else of the first.
    """
    for bench in benches:
        found, told = networks(bench), bench.facts["answers"]
        if len(found):
            shapes = found["shape"].tolist()
            shape = like if like in shapes else shapes[0]
            table = titled(found[found["shape"] == shape], bench)
            if mixes(table.device):
                return Answer("Fast?", f"{MIXED}.", "benchmark", good=False)
            count = found["shape"].nunique()
            others = f", one of {count} shapes" if count > 1 else ""
            said = f"{fastest(table)}. {_size(table)}{others}; {_turns(bench)}."
            held = told.get(like) or told.get(ALL) or next(iter(told.values()), None) or [said]
            return Answer("Fast?", held[0], "benchmark", fast(table))
    return Answer("Fast?", "Nobody has a figure.", "benchmark", good=False)


def _turns(bench: BenchData) -> str:
    return f"{bench.facts['rounds']} rounds in turns"


def _size(table: pd.DataFrame) -> str:
    B, T, H, V = dimensions(str(table["shape"].iloc[0]))
    return f"Batch {B} x {T} steps, {H:,} hidden units, {V:,} tokens"


def benchmark(benches: Sequence[BenchData], like: str = "") -> Section:
    """Every shape with its winners; open is that of the answer.

    Args:
        benches, like: as of `answer`.
    """
    said = answer(benches, like).text
    section = Section("benchmark", "Who is fast, in turns?", said)
    for number_, bench in enumerate(benches, 1):
        section.blocks += [*_about(bench), *answered(bench, number_, said)]
        found = networks(bench)
        by = ["shape", "device"] if mixes(found.device) else ["shape"]
        floors = bench.figures[bench.figures.backend == "floor"]
        found = found.assign(other=found["shape"] != like).sort_values("other", kind="stable")
        for index, (_, mine) in enumerate(found.groupby(by, sort=False), 1):
            table = titled(mine, bench)
            on = f" on {mine.device.iloc[0]}" if len(by) > 1 else ""
            own = floors[floors["shape"] == mine["shape"].iloc[0]]
            chart = _shape(table, own, f"bench-{number_}-{index}", on)
            first = number_ == index == 1
            summary = f"{_size(table)}{on}: {leaders(table)}"
            section.blocks.append(chart if first else Details(summary, [chart]))
        section.blocks += _remarks(bench)
    return section


def titled(found: pd.DataFrame, bench: BenchData) -> pd.DataFrame:
    """The figures of a shape, the fastest first, with the names that people know.

    ``ties`` is True for what ties with the fastest in the same rounds, by the smallest ratio that
    the benchmark itself could tell there.

    Args:
        found: the figures.
        bench: that they are of.
    """
    table = found.sort_values("tokens_per_sec", ascending=False, ignore_index=True)
    names, shape = table.backend.map(framework), table["shape"].iloc[0]
    mine = bench.rounds[bench.rounds["shape"] == shape]
    seconds = mine.pivot_table(index="round", columns=["backend", "variant"], values="seconds")
    pairs = list(zip(table.backend, table.variant, strict=True))
    ratios = [(seconds[pairs[0]] / seconds[pair]).dropna().tolist() for pair in pairs]
    told = next(each.get("same") for each in bench.facts["shapes"] if each["shape"] == shape)
    smallest = told["smallest"] if told else 1.0  # older ones ran nobody twice
    ties = [verdict(interval(each), smallest) == "tie" for each in ratios]
    return table.assign(framework=names, title=names + " " + table.variant, ties=ties)


def _about(bench: BenchData) -> list[Block]:
    settings = bench.facts["settings"]
    device = (bench.facts.get("placement") or settings)["device"]
    return [
        Note(
            f"{_turns(bench)} on {_cpus(bench)}, {settings['dtype']}, {device}. A "
            "ratio is that of the same round, the floor what unavoidable matrix products take, or "
            "all operations: tanh, softmax and their gradients too."
        ),
        *_machines(bench),
    ]


def _cpus(bench: BenchData) -> str:
    """The CPU of each machine that timed."""
    told = [shape["machine"] or bench.facts["machine"] for shape in bench.facts["shapes"]]
    return ", ".join(dict.fromkeys(str(on["cpu"]) for on in told or [bench.facts["machine"]]))


def _machines(bench: BenchData) -> list[Block]:
    """Machines, and what each timed, where there are several: over them nothing is compared."""
    shapes: dict[str, list[str]] = {}
    for each in bench.facts["shapes"]:
        if each["engine"]:
            on = provenance.machine_of(each["engine"]["host"], each["machine"])
            shapes.setdefault(on, []).append(each["shape"])
    if len(shapes) < 2:
        return []
    said = "Each shape was timed on one machine; means are over the shapes of a machine alone."
    return [Note(said), Facts([(", ".join(mine), on) for on, mine in shapes.items()])]


def _remarks(bench: BenchData) -> list[Block]:
    notes = []
    for shape in bench.facts["shapes"]:
        for worker in shape["workers"]:
            if remark := worker["checked"].get("reason"):
                who = Series(worker["backend"], worker["variant"]).title
                notes.append(Note(f"{shape['shape']}: {who}: {remark}"))
    watched = (provenance.gpus(shape["gpus"]) for shape in bench.facts["shapes"])
    notes += [Note(line) for line in dict.fromkeys(filter(None, watched))]
    return [Details("What was remarked on", [*notes])] if notes else []


def _shape(table: pd.DataFrame, floors: pd.DataFrame, name: str, on: str) -> Chart:
    columns: dict[str, Any] = {
        "backend": lambda row: named(Series(row["backend"], row["variant"])),
        "tokens/s": lambda row: number(row["tokens_per_sec"], ",.0f"),
        "95 % interval": lambda row: between(row["low"], row["high"], ",.0f"),
        "verdict": lambda row: judged(row["verdict"]),
        "over concise": lambda row: number(row["ratio_to_concise"], ".2f"),
        "interval": lambda row: between(row["ratio_low"], row["ratio_high"]),
        "of products": lambda row: number(row["floor_fraction"], ".2f"),
        "of operations": lambda row: number(row["operations_fraction"], ".2f"),
        "compile s": lambda row: number(row["compile_seconds"], ".2f"),
        "ahead of book after steps": lambda row: number(row["break_even_steps"], ",.0f"),
        "MB": lambda row: number(row["peak_memory_mb"], ",.0f"),
    }
    rows = [[cell(row) for cell in columns.values()] for row in records(table)]
    title = _size(table) + on
    words = {PRODUCTS: "the products alone", OPERATIONS: "all operations"}
    floor = {words[row["variant"]]: row["tokens_per_sec"] for row in records(floors)}
    drawn = speed(name, title, table[DRAWN], floor)
    return Chart(drawn, Table(f"{title}; the verdict is on concise", [*columns], rows, (0, 3)))
