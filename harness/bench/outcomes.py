"""Contenders of a benchmark as what was timed and what failed."""

from __future__ import annotations

from harness.bench.generation.measure import GenerationResult
from harness.bench.measure import BenchResult
from harness.formats import Outcome
from harness.records.provenance import source_of


def outcomes(result: BenchResult | GenerationResult) -> list[Outcome]:
    """An outcome for each contender on each shape, and for who was asked for and is not there."""
    speeds = {
        (row["shape"], row["backend"], row["variant"]): float(row["tokens_per_sec"])
        for row in result.figures.to_dict("records")
    }
    failures, found = dict(result.failures), []
    for of in result.facts["shapes"]:
        for each in of["workers"]:
            backend, variant, shape = each["backend"], each["variant"], of["shape"]
            name, file = f"{backend} {variant}", source_of(backend, variant)
            speed = speeds.get((shape, backend, variant))
            if reason := failures.pop(f"{shape} {name}", ""):
                found.append(Outcome(shape, name, "failed", reason, file=file))
            elif speed is not None and backend != "null":
                said = f"{speed:,.0f} tokens/s"
                found.append(Outcome(shape, name, "passed", said, file=file))
            elif each["reason"]:
                found.append(Outcome(shape, name, "skipped", each["reason"], file=file))
    found += [Outcome("asked for", name, "failed", said) for name, said in failures.items()]
    if not any(each.status == "passed" for each in found):
        found.append(Outcome("asked for", "everything", "failed", "nothing was timed"))
    return found
