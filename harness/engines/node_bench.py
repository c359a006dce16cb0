"""A contest on a node: one shape of a benchmark, all of whose contenders take turns there."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.bench.contenders import Contest
from harness.bench.measure import run_contest
from harness.engines.leases import engine_facts, on_cpus, on_gpus
from harness.engines.request import BenchCell
from harness.engines.task import Outcome
from harness.records.facts import write_facts
from harness.records.provenance import host_id
from harness.records.reading import BENCH_TABLES


def time_cell(asked: BenchCell, place: Path) -> Outcome | None:
    """Time a shape, on CPUs and GPUs that nobody else has, into a folder.

    Returns:
        The outcome if the machine has not as many of them as were asked for.
    """
    contest = Contest(
        asked.backends,
        asked.variants,
        asked.rounds,
        asked.settings,
        {name: Path(path) for name, path in asked.pythons.items()},
        asked.seconds,
        asked.precision,
        asked.against,
    )
    share = asked.share
    with on_cpus(share.cpus, share.exclusive) as cpus, on_gpus(share.gpus) as gpus:
        if cpus.shared or gpus.shared:
            reason = f"fewer CPUs or GPUs than a cell is to have on {platform.node()}"
            return Outcome.ended("refused", reason, host_id())
        run_contest(contest, (asked.shape,), place, Console(quiet=True), quiet=True)
        facts: dict[str, Any] = json.loads((place / "bench.json").read_bytes())
        facts["command"] = [*asked.command]
        where = {"engine": engine_facts(asked, cpus, gpus), "machine": facts["machine"]}
        facts["shapes"][0] |= where
        write_facts(place / "bench.json", facts, BENCH_TABLES)
    return None


def failures(place: Path) -> list[str]:
    """Reasons why contenders of a benchmark were not timed."""
    return [*json.loads((place / "bench.json").read_bytes())["failures"].values()]
