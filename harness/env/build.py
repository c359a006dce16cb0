"""Building of an environment: a venv, then pip, aside until all of it is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib import metadata
from typing import Any

import backends
from common.errors import RequestError
from common.files import storing, write_aside
from harness.lock import locked
from harness.workers.errors import WorkerError
from harness.workers.interpreters import environment

VERSION = re.compile(r"\d+(\.\d+)*([a-z]+\d+)?")
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?P<extras>\[.*?\])?[^;]*(?P<marker>;.*)?")


def check(name: str) -> None:
    """See that a name is that of a backend of the project with a version of its framework.

    Raises:
        RequestError: it is not, or there is no checkout, whose constraints are taken.
    """
    backend, _, version = name.partition("@")
    backends.entry(name)
    if backend not in backends.BACKENDS:
        raise RequestError(f"env {name}: a plug-in's: build a venv, and give {name}=PATH")
    if not VERSION.fullmatch(version):
        raise RequestError(f"env {name}: give a backend and a version, as in torch@2.12")
    if not backends.CHECKOUT.is_file():
        raise RequestError(f"env {name}: no checkout here: build a venv, and give {name}=PATH")


def build(name: str) -> bool:
    """Build the environment of a name that was checked; False if it is there already.

    Raises:
        RequestError: somebody else is building one.
        StorageError: it cannot be written.
        WorkerError: pip has no such version, or failed otherwise.
    """
    folder = environment(name)
    with locked(folder.parent):
        aside = folder.with_name(f".{name}.unfinished")
        with storing(folder):
            shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
            if folder.exists():
                return False
            try:
                _run([sys.executable, "-I", "-m", "venv", str(aside)])
                constraints = aside / "constraints.txt"
                write_aside(constraints, "\n".join(pins(name)) + "\n")
                pip = [str(aside / "bin" / "python"), "-I", "-m", "pip", "install", "--no-input"]
                _run([*pip, "--quiet", "-c", str(constraints), *requirements(name)])
                os.replace(aside, folder)  # nothing that runs in it knows its path
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    return True


def built() -> dict[str, str]:
    """Environments that are there: their folders by name."""
    root = environment("")
    paths = sorted(root.glob("[!.]*")) if root.is_dir() else []
    return {path.name: str(path) for path in paths}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("ERROR:")] or lines or ["it said nothing"]
        raise WorkerError("error", told[-1].removeprefix("ERROR:").strip())


def requirements(name: str) -> list[str]:
    """Requirements of the project and of a backend's extra, the framework in one version."""
    backend, _, version = name.partition("@")
    project, framework = _project(), backends.entry(name).distributions[0]
    wanted = f"=={version}.*" if re.fullmatch(r"[\d.]+", version) else f"=={version}"
    found = []
    for each in project["optional-dependencies"].get(backend, [framework]):
        parts = REQUIREMENT.fullmatch(each)
        assert parts is not None
        if parts["name"].removesuffix("-cpu") == framework:  # TensorFlow is one of two
            each = f"{parts['name']}{parts['extras'] or ''}{wanted}{parts['marker'] or ''}"
        found.append(each)
    return [*project["dependencies"], *found]


def pins(name: str) -> list[str]:
    """Tested pins of what the project itself needs.

    What comes with a framework, and NumPy, is as its version asks.
    """
    needed: set[str] = set()
    waiting = list(_project()["dependencies"])
    while waiting:
        distribution = _plain(waiting.pop())
        if distribution not in needed:
            needed.add(distribution)
            with suppress(metadata.PackageNotFoundError):  # of another system
                asked = metadata.requires(distribution) or []
                waiting += [each for each in asked if "extra ==" not in each]
    backend = backends.backend_of(name)
    apart = f"-{backend}" if backends.entry(name).own_environment else ""
    file = backends.CHECKOUT.with_name(f"constraints{apart}.txt")
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "==" in line and _plain(line) in needed - {"numpy"}]


def _plain(requirement: str) -> str:
    """Name of a requirement's distribution, as all spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def _project() -> dict[str, Any]:
    text = backends.CHECKOUT.read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project
