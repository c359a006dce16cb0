"""Section of a benchmark in a report: every shape, its floor, and who has no figures."""

from __future__ import annotations

import pandas as pd

from common.shards import mixes
from harness.bench.sections import answered
from harness.bench.shapes import dimensions
from harness.console import figure
from harness.page import provenance
from harness.page.blocks import (
    NONE,
    TONES,
    Block,
    Cell,
    Chart,
    Heading,
    Note,
    Table,
    between,
    named,
    number,
)
from harness.page.charts import DRAWN, speed
from harness.page.series import Series, framework, records
from harness.records.reading import BenchData


def benchmark(bench: BenchData, number_: int) -> list[Block]:
    """Heading, a chart a shape, and what is remarked on rows."""
    cpu, rounds = bench.facts["machine"]["cpu"], bench.facts["rounds"]
    settings = bench.facts["settings"]
    device = (bench.facts.get("placement") or settings)["device"]
    blocks: list[Block] = [
        Heading("The benchmark"),
        Note(
            f"{rounds} rounds in turns on {cpu}, {settings['dtype']}, {device}. A "
            "ratio is that of the same round, the floor what unavoidable matrix products take."
        ),
    ]
    blocks += answered(bench, number_)
    networks = bench.figures[~bench.figures.backend.isin(["null", "floor"])]
    floors = bench.figures[bench.figures.backend == "floor"].set_index("shape").tokens_per_sec
    mixed = mixes(networks.device)
    by = ["shape", "device"] if mixed else ["shape"]
    for index, (_, found) in enumerate(networks.groupby(by, sort=False), 1):
        on = f", on {found.device.iloc[0]}" if mixed else ""
        floor = floors.get(found["shape"].iloc[0])
        blocks.append(_shape(found, floor, f"bench-{number_}-{index}", on))
    for shape in bench.facts["shapes"]:
        for worker in shape["workers"]:
            if remark := worker["checked"].get("reason"):
                who = Series(worker["backend"], worker["variant"]).title
                blocks.append(Note(f"{shape['shape']}: {who}: {remark}"))
    watched = (provenance.gpus(shape["gpus"]) for shape in bench.facts["shapes"])
    blocks += [Note(line) for line in dict.fromkeys(filter(None, watched))]
    for who, reason in bench.facts["failures"].items():
        blocks.append(Note(f"{who}: no figures: {reason}", "bad"))
    return blocks


def _shape(found: pd.DataFrame, floor: float | None, name: str, on: str) -> Chart:
    table = found.sort_values("tokens_per_sec", ascending=False, ignore_index=True)
    table["framework"] = table.backend.map(framework)
    table["title"] = table.framework + " " + table.variant
    B, T, H, V = dimensions(str(found["shape"].iloc[0]))
    title = f"Batch {B} x {T} steps, {H:,} hidden units, {V:,} tokens{on}"
    rows = [
        [
            named(Series(row["backend"], row["variant"])),
            number(row["tokens_per_sec"], ",.0f"),
            Cell(f"{figure(row['low'], ',.0f')} to {figure(row['high'], ',.0f')}"),
            number(row["ratio_to_concise"], ".2f"),
            between(row["ratio_low"], row["ratio_high"]),
            Cell(row["verdict"], TONES.get(row["verdict"], "quiet")) if row["verdict"] else NONE,
            number(row["floor_fraction"], ".2f"),
            number(row["compile_seconds"], ".2f"),
            number(row["break_even_steps"], ",.0f"),
            number(row["peak_memory_mb"], ",.0f"),
        ]
        for row in records(table)
    ]
    heads = "backend|tokens/s|95 % interval|over concise|interval|verdict|of the floor|compile s|"
    heads += "ahead of the book's loop after steps|MB"
    return Chart(
        speed(name, title, table[DRAWN], floor), Table(title, heads.split("|"), rows, (0, 5))
    )
