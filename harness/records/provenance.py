"""Provenance of a run: the machine, the versions, the source."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from backends import BACKENDS
from harness.paths import ROOT
from harness.records.checkout import checkout
from harness.workers import cpus, gpus
from harness.workers.environment import kept, set_aside
from harness.workers.source import plugin_hashes, source_hash


def provenance() -> dict[str, Any]:
    """Beginning of every record: time, machine, versions, source, environment and command."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "source": source(),
        "environment": {
            "kept": {name: from_home(value) for name, value in kept().items()},
            "set_aside": set_aside(),
        },
        "command": [from_home(word) for word in sys.argv[1:]],
    }


def from_home(text: str) -> str:
    """A text with its absolute paths told from the working folder, or from ``~``."""
    for folder, short in ((Path.cwd(), ""), (Path.home(), "~/")):
        if folder != Path(folder.root):
            whole = re.escape(str(folder))
            text = re.sub(rf"(?<![^=:,]){whole}/", short, text)
            text = re.sub(rf"(?<![^=:,]){whole}(?![^=:,])", short.rstrip("/") or ".", text)
    return text


def host_id() -> str:
    """A name of this host for records, which does not tell the one it has: a hash of that."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def machine() -> dict[str, Any]:
    """CPU, cores, affinity, quota, memory and operating system; GPUs, as far as they are told."""
    granted, seen = cpus.quota(), gpus.states()
    known = {"name", "uuid", "memory_mb", "driver", "cuda"}
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "affinity": len(cpus.affinity()),
        "cpu_quota": granted if math.isfinite(granted) else None,
        "cores_used": len(cpus.usable_cpus()),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "os": _system(),
    } | ({"gpus": [gpu.model_dump(include=known) for gpu in seen]} if seen else {})


def _system() -> str:
    """Operating system and C library, without what names a host's own build of its kernel."""
    release = re.match(r"[0-9.]*[0-9]", platform.release())
    named = [platform.system(), release[0] if release else "", platform.machine()]
    library = " ".join(platform.libc_ver())
    return " ".join(filter(None, named)) + (f", {library}" if library.strip() else "")


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def versions() -> dict[str, str]:
    """Python, NumPy and the BLAS that NumPy was built with."""
    return {"python": platform.python_version(), "numpy": np.__version__, "blas": _blas()}


def _blas() -> str:
    try:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except TypeError:
        return "not told by NumPy before 1.25"
    return f"{built['name']} {built['version']}"


def source_of(backend: str, variant: str) -> str:
    """Path of the file that a variant stands in, from the source; empty if it is not of this one.

    Args:
        backend: its name, with or without a label, as in ``torch@2.13``.
        variant: its name, with or without the devices, as in ``scratch x 2``.
    """
    entry = BACKENDS.get(backend.partition("@")[0])
    if entry is None:
        return ""
    folder = Path(*entry.module.split(".")[:-1])
    path = folder / f"{variant.partition(' ')[0]}.py"
    return path.as_posix() if (ROOT / path).is_file() else ""


def source() -> dict[str, Any]:
    """The git revision, if the source differs from it, and the hash that workers are held to.

    Where there are plug-ins, the hash of each one's source too.
    """
    revision, modified = checkout(ROOT)
    known: dict[str, Any] = {"revision": revision, "modified": modified, "sha256": source_hash()}
    return known | ({"plugins": hashes} if (hashes := plugin_hashes()) else {})
