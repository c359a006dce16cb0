"""Benchmarks of single shapes, read back and joined, as if one process had timed all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from harness.bench.contenders import Contender
from harness.bench.measure import BenchResult
from harness.bench.quiet import Quiet
from harness.bench.ratios import ShapeResult
from harness.bench.twins import AGAIN, Twin
from harness.records.reading import BenchData
from harness.workers.protocol import Judged, Prepared, Turn


def join(result: BenchResult, benches: Sequence[BenchData], against: str) -> list[ShapeResult]:
    """Take benchmarks of a shape each into one, in their order, and compare over their shapes.

    Returns:
        The shapes.
    """
    done = [rebuilt(bench) for bench in benches]
    every = [bench.facts for bench in benches]
    figures = pd.concat([bench.figures for bench in benches], ignore_index=True)
    result.figures = figures.assign(verdict=figures.verdict.where(figures.verdict != ""))
    result.rounds = pd.concat([bench.rounds for bench in benches], ignore_index=True)
    result.facts |= {
        "rounds": min(facts["rounds"] for facts in every),
        "placement": every[0]["placement"],
        "shapes": [shape for facts in every for shape in facts["shapes"]],
        "answers": {name: said for facts in every for name, said in facts["answers"].items()},
    }
    for facts in every:
        result.failures |= facts["failures"]
    result.compare(done, against)
    return done


def rebuilt(bench: BenchData) -> ShapeResult:
    """The contenders of a benchmark of one shape, with the turns that they took."""
    (told,) = bench.facts["shapes"]
    turns = {
        (str(backend), str(label)): [
            Turn.model_construct(seconds=float(seconds), cores_busy=float(cores_busy))
            for seconds, cores_busy in zip(mine.seconds, mine.cores_busy, strict=True)
        ]
        for (backend, label), mine in bench.rounds.groupby(["backend", "variant"], sort=False)
    }
    found: list[Contender] = []
    for worker in told["workers"]:
        each = _contender(Contender, worker)
        if each.variant != "products":
            each.turns = turns.get((each.backend, each.label), [])
        found.append(each)
        again = turns.get((each.backend, f"{each.label} {AGAIN}"))
        if again and told["same"]:
            twin = _contender(Twin, worker)
            twin.turns = again
            found.append(twin)
    known = told["quiet"] or {}
    quiet = Quiet(**{each.name: known[each.name] for each in fields(Quiet) if each.name in known})
    return ShapeResult(told["shape"], found, quiet, told["engine"]["host"])


def _contender(kind: type[Contender], worker: dict[str, Any]) -> Contender:
    """A contender of ``bench.json``, without its turns."""
    devices, idle, checked = worker["devices"], worker["idle_cpu_share"], worker["checked"]
    ready = {name: worker.get(name) for name in ("device", "compile_seconds", "conditions")}
    return kind(
        worker["backend"],
        worker["variant"].removesuffix(f" x {devices}"),
        prepared=Prepared.model_validate(ready) if ready["conditions"] else None,
        idle_cpu=idle or 0.0,
        idle_wall=0.0 if idle is None else 1.0,
        checked=Judged.model_validate(checked) if checked else None,
        reason=worker["reason"],
        kind=worker["kind"],
        batch=worker["batch"],
        devices=devices,
        steps=worker["steps"],
    )
