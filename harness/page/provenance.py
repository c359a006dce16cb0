"""Machine, versions and source of a record, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from harness.page.blocks import Command
from harness.records import provenance as machine
from harness.records.reading import RunData


def command(words: Sequence[str]) -> Command:
    """A command as it is typed."""
    typed = " ".join(map(_typed, words))
    return Command(f"python -m harness {typed}".rstrip())


def _typed(word: str) -> str:
    """A word in quotes where a shell needs them, but for the ``~/`` that it is to read."""
    home = "~/" if word.startswith("~/") else ""
    return home + shlex.quote(word.removeprefix(home)) if word != home else home


def machine_of(host: str, on: dict[str, Any]) -> str:
    """A machine in words, after its name in the tables, if it has one there."""
    memory = on.get("memory_mb")
    size = f"{memory / 1024:.0f} GB" if isinstance(memory, int | float) else "memory not told"
    of = f"{on.get('cores_used')} of {on.get('cores')} cores"
    return f"{host}: " * bool(host) + f"{on.get('cpu')}, {of}, {size}, {on.get('os')}"


def source(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The revision and the hash of the source, from what `machine.provenance` says."""
    told = facts["source"]
    modified = ", with changes of its own" if told["modified"] else ""
    return [
        ("Source", f"revision {told['revision'] or 'not in git'}{modified}"),
        ("SHA-256 of the source", told["sha256"]),
    ]


def unchanged(runs: Sequence[RunData]) -> bool:
    """True if all of them ran from the source as it is now, in every sitting."""
    ran = {run.facts["source"]["sha256"] for run in runs}
    ran |= {sitting["source"] for run in runs for sitting in run.facts["sittings"]}
    return ran == {machine.source()["sha256"]}


def corpus(facts: dict[str, Any]) -> tuple[str, str]:
    """The hash of the corpus."""
    return f"SHA-256 of corpus {facts['corpus']['name']}", facts["corpus"]["sha256"]


def gpus(watched: Sequence[dict[str, Any]]) -> str:
    """Line on what GPUs went through while something was timed on them; empty for none.

    Args:
        watched: of each, as `harness.workers.gpus.Watch` told.
    """
    told = []
    for gpu in watched:
        said = [f"{gpu['name']} ({gpu['uuid']}), driver {gpu['driver']} for CUDA {gpu['cuda']}"]
        if gpu["clock_mhz"]:
            said.append(f"clocks from {gpu['clock_mhz']:,} of at most {gpu['most_mhz']} MHz")
        if gpu["watts"]:
            said.append(f"up to {gpu['watts']:.0f} W of {gpu['limit_watts'] or float('nan'):.0f}")
        if gpu["slowed"]:
            said.append(f"slowed {', '.join(gpu['slowed'])}")
        if gpu["other_processes"]:
            said.append(
                f"{gpu['other_processes']} other processes had {gpu['of_others_mb']:,} MB of it"
            )
        told.append("; ".join(said))
    return ". ".join(told)


def versions(*records: dict[str, Any]) -> tuple[str, str]:
    """The versions of Python and of every framework that took part.

    Of NumPy it is the harness's: that of Apache MXNet's environment is its own.
    """
    every = dict(records[0]["versions"])
    for facts in records:
        for described in facts.get("backends", {}).values():
            every |= {name: v for name, v in described["versions"].items() if name != "numpy"}
    return "Versions", ", ".join(f"{name} {version}" for name, version in every.items())
