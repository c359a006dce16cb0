"""Provenance of a run: the machine, the versions, the source."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from harness.paths import ROOT
from harness.workers import cpus


def provenance() -> dict[str, Any]:
    """Beginning of every record: the machine, the versions, the source and the command."""
    about = {"machine": machine(), "versions": versions(), "source": source()}
    return about | {"command": sys.argv[1:]}


def machine() -> dict[str, Any]:
    """CPU, cores, affinity, quota, memory and operating system."""
    granted = cpus.quota()
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "affinity": len(cpus.affinity()),
        "cpu_quota": granted if math.isfinite(granted) else None,
        "cores_used": len(cpus.usable_cpus()),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "os": platform.platform(),
    }


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


def source() -> dict[str, str | bool | None]:
    """The git revision, if the tree differs from it, and a hash of the Python source."""
    digest = hashlib.sha256()
    for package in ("common", "backends", "harness"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "revision": _git("rev-parse", "HEAD"),
        "modified": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "sha256": digest.hexdigest(),
    }


def _git(*arguments: str) -> str | None:
    """Output of git on the source, or None where there is no git or no repository."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip()
