"""``list``: backends, corpora and recipes to run, and reasons why some are not available."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

import backends
from backends import installed
from common import sources
from common.interface import Description
from harness.console import printable, titled
from harness.recipes import recipes
from harness.workers import gpus
from harness.workers.errors import WorkerError
from harness.workers.interpreters import interpreter, missing
from harness.workers.placement import described
from harness.workers.pool import run_at_once

BUILT_FOR_GPUS = {"torch": "cuda", "jax": "cuda", "tensorflow": "tensorflow-cuda"}
BUILT_FOR_GPUS |= {f"keras-{engine}": extra for engine, extra in BUILT_FOR_GPUS.items()}
"""Extras that install a backend's build for GPUs of NVIDIA."""


def describe(name: str, pythons: dict[str, Path]) -> dict[str, Any]:
    """Versions and devices of a backend, from a worker; or the reason it is not available."""
    entry = backends.entry(name)
    found: dict[str, Any] = {"backend": name, "variants": list(entry.variants)}
    if reason := missing(name, pythons):
        return found | {"available": False, "reason": reason}
    here = interpreter(name, pythons) == Path(sys.executable)
    known = installed.described(name) if here else None
    about = known or described(name, pythons, briefly=True)
    if isinstance(about, WorkerError):
        return found | {"available": False, "reason": str(about)}
    return found | {
        "available": True,
        "versions": about.versions,
        "devices": about.devices,
        "build": about.build,
        "no_gpu": no_gpu(name, about),
        "note": about.note,
    }


def no_gpu(name: str, about: Description) -> str:
    """The reason why a backend computes on no GPU; empty where it does."""
    if len(about.devices) > 1:
        return ""
    if about.build != "cpu":
        return "it sees none: is there one, with a driver new enough, and not hidden by a variable?"
    if not gpus.may_have_one():
        return "there is none here"
    if name not in BUILT_FOR_GPUS:
        return "there is no build of it for one"
    return f"it is built for the CPU alone: {backends.installs(BUILT_FOR_GPUS[name])}"


def listing(data_dir: Path | None, pythons: dict[str, Path]) -> dict[str, Any]:
    """Backends, corpora and recipes, for people (`show`) and machines alike."""
    names = list(backends.registry())
    about = run_at_once(partial(describe, pythons=pythons), names, len(names))
    corpora = {name: sources.available(name, data_dir) or "here" for name in sources.NAMES}
    return {
        "backends": about,
        "corpora": corpora,
        "recipes": {name: recipe.title for name, recipe in recipes().items()},
    }


def available(backend: dict[str, Any]) -> str:
    """Words on a backend's being available, with what its readers should know."""
    if not backend["available"]:
        return f"no: {backend['reason']}"
    if backend["note"] == installed.NOT_IMPORTED:
        return "installed"
    return printable(f"yes: {backend['note']}") if backend["note"] else "yes"


def show(console: Console, found: dict[str, Any]) -> None:
    """Print a listing."""
    table = titled("Backends")
    for name in ("backend", "variants", "versions", "build", "devices", "available"):
        table.add_column(name)
    for backend in found["backends"]:
        versions = backend.get("versions", {})
        table.add_row(
            backend["backend"],
            ", ".join(backend["variants"]),
            ", ".join(f"{name} {version}" for name, version in versions.items()),
            backend.get("build", ""),
            ", ".join(backend.get("devices", [])),
            Text(available(backend)),
        )
    console.print(table)
    reasons = {each["backend"]: each.get("no_gpu") for each in found["backends"]}
    for reason in dict.fromkeys(filter(None, reasons.values())):
        who = ", ".join(name for name, mine in reasons.items() if mine == reason)
        console.print(Text(f"no GPU for {who}: {reason}"))
    for title, entries in (("Corpora", found["corpora"]), ("Recipes", found["recipes"])):
        table = titled(title, show_header=False)
        for name, text in entries.items():
            table.add_row(name, Text(text))
        console.print(table)
