"""Names of what is followed over time: cases, places and machines, in words."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from common.experiment import Experiment
from harness.console import printable
from harness.recipes import experiment_of, recipes

FREE = (
    "seed threads device devices deterministic prefixes num_preds pred_period decode alpha "
    "temperature"
).split()
"""Settings of a run that change none of its figures but by seed or by place."""


def case_of(facts: dict[str, Any]) -> str:
    """Case of a run: what it computed, in words and by a hash of all that decides it."""
    experiment, recipe = Experiment.of(facts["experiment"]), facts["recipe"]
    usual = experiment_of(recipe, {}) if recipe in recipes() else Experiment()
    decided = {
        name: value
        for name, value in experiment.model_dump(mode="json", exclude_defaults=True).items()
        if name not in (*FREE, "corpus")
    }
    text = facts["corpus"]["sha256"], facts["resumed_sha256"]
    digest = hashlib.sha256(json.dumps([decided, text], sort_keys=True).encode()).hexdigest()
    differing = [
        f"{name}={value}"
        for name, value in experiment.model_dump(mode="json").items()
        if name not in FREE and value != getattr(usual, name)
    ]
    return printable(", ".join([recipe, *differing]))[:160] + f" #{digest[:8]}"


def place_of(device: str, threads: Any) -> str:
    """Device and threads of a figure; a device that is not told is the CPU."""
    many = f", {threads} thread{'s' if threads != 1 else ''}" if threads else ""
    return printable(f"{device or 'cpu'}{many}")


def machine_of(told: dict[str, Any]) -> str:
    """A machine in words: figures of the same words are compared over time."""
    memory = told.get("memory_mb")
    parts = [str(told.get("cpu", "unknown CPU")), f"{told.get('cores', '?')} cores"]
    if isinstance(memory, int | float):
        parts.append(f"{memory / 1024:.0f} GB")
    listed = told.get("gpus")
    gpus = [
        str(gpu.get("name"))
        for gpu in (listed if isinstance(listed, list) else [])
        if isinstance(gpu, dict)
    ]
    parts += [f"{gpus.count(name)} x {name}" for name in dict.fromkeys(gpus)]
    return printable(", ".join(parts))
