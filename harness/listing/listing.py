"""``list``: backends, corpora and recipes to run, and reasons why some are not available."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

import backends
from common import sources
from common.experiment import Experiment
from harness.console import printable, titled
from harness.recipes import recipes
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker, missing
from harness.workers.pool import run_at_once
from harness.workers.protocol import Described
from harness.workers.requests import Describe


def describe(name: str, pythons: dict[str, Path]) -> dict[str, Any]:
    """Versions and devices of a backend, from a worker; or the reason it is not available."""
    entry = backends.entry(name)
    found: dict[str, Any] = {"backend": name, "variants": list(entry.variants)}
    if reason := missing(name, pythons):
        return found | {"available": False, "reason": reason}
    try:
        with brief_worker(name, pythons, Experiment()) as worker:
            described, _ = worker.answer(Describe(), Described)
    except WorkerError as error:
        return found | {"available": False, "reason": str(error)}
    about = described.description
    told = {"versions": about.versions, "devices": about.devices, "note": about.note}
    return found | {"available": True, **told}


def listing(data_dir: Path | None, pythons: dict[str, Path]) -> dict[str, Any]:
    """Backends, corpora and recipes, for people (`show`) and machines alike."""
    names = list(backends.registry())
    described = run_at_once(partial(describe, pythons=pythons), names, len(names))
    corpora = {name: sources.available(name, data_dir) or "here" for name in sources.NAMES}
    return {
        "backends": described,
        "corpora": corpora,
        "recipes": {name: recipe.title for name, recipe in recipes().items()},
    }


def available(backend: dict[str, Any]) -> str:
    """Words on a backend's being available, with what its readers should know."""
    if not backend["available"]:
        return f"no: {backend['reason']}"
    return printable(f"yes: {backend['note']}") if backend["note"] else "yes"


def show(console: Console, found: dict[str, Any]) -> None:
    """Print a listing."""
    table = titled("Backends")
    for name in ("backend", "variants", "versions", "devices", "available"):
        table.add_column(name)
    for backend in found["backends"]:
        versions = backend.get("versions", {})
        table.add_row(
            backend["backend"],
            ", ".join(backend["variants"]),
            ", ".join(f"{name} {version}" for name, version in versions.items()),
            ", ".join(backend.get("devices", [])),
            Text(available(backend)),
        )
    console.print(table)
    for title, entries in (("Corpora", found["corpora"]), ("Recipes", found["recipes"])):
        table = titled(title, show_header=False)
        for name, text in entries.items():
            table.add_row(name, Text(text))
        console.print(table)
