"""Choice of the Python that runs a backend: this one, or that of an environment of its own.

A backend with a label, ``torch@2.13``, is the same backend in another Python: that which is named
after ``=``, or that of the environment that ``env`` has built by that name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import backends
from common.errors import RequestError
from common.experiment import Experiment
from harness.options import split
from harness.paths import ROOT
from harness.workers.process import Worker


def parse(given: Sequence[str]) -> dict[str, Path]:
    """The interpreters of ``--python NAME=PATH``.

    Raises:
        RequestError: not of that form, no such backend, or nothing there to run.
    """
    found: dict[str, Path] = {}
    for each in given:
        if "=" not in each:
            raise RequestError(f"--python {each}: give it as BACKEND=PATH, as in mxnet=PATH")
        _take("--python", each, found)
    return found


def asked(
    backend: list[str] | None, python: list[str] | None
) -> tuple[tuple[str, ...], dict[str, Path]]:
    """The names of ``--backend``, and the interpreters that it and ``--python`` give.

    Raises:
        RequestError: as `parse`; or one with a label has no interpreter.
    """
    pythons, names = parse(python or ()), []
    for each in split(backend):
        name, equals, _ = each.partition("=")
        if equals:
            _take("--backend", each, pythons)
        elif reason := _not_built(name, pythons):
            raise RequestError(f"{name}: {reason}")
        names.append(name)
    return tuple(dict.fromkeys(names)), pythons


def _take(option: str, given: str, pythons: dict[str, Path]) -> None:
    """Take one ``NAME=PATH`` among the interpreters."""
    name, _, path = given.partition("=")
    backends.entry(name)
    if not (Path(path).is_file() and os.access(path, os.X_OK)):
        raise RequestError(f"{option} {given}: no Python to run at {path}")
    if pythons.setdefault(name, Path(path)) != Path(path):
        raise RequestError(f"{option} {given}: {name} is {pythons[name]} already: another label")


def environment(name: str) -> Path:
    """The folder of the environment that ``env`` builds for a backend with a label."""
    import platformdirs  # only when there is one

    return platformdirs.user_cache_path("rnn-rosetta") / "environments" / name


def interpreter(name: str, given: dict[str, Path]) -> Path:
    """The interpreter for a backend.

    What was given; of one with a label, that of its environment. Of any other, this one if it has
    what the backend needs; the backend's own environment (``.venv-NAME``, or tox's) if there is
    one; else this one.
    """
    if name in given:
        return given[name]
    if "@" in name:
        return environment(name) / "bin" / "python"
    own = [ROOT / folder / "bin" / "python" for folder in (f".venv-{name}", f".tox/{name}")]
    existing = [path for path in own if path.exists()]
    return existing[0] if existing and backends.missing(name) else Path(sys.executable)


def missing(name: str, given: dict[str, Path]) -> str | None:
    """Reason why a backend cannot run, as far as known before its worker starts; None if it may."""
    if interpreter(name, given) == Path(sys.executable):
        return backends.missing(name)
    return _not_built(name, given)


def _not_built(name: str, given: dict[str, Path]) -> str | None:
    """The reason why a backend with a label has no interpreter, or None."""
    if "@" not in name or name in given or interpreter(name, given).exists():
        return None
    backends.entry(name)
    return f"no such environment: python -m harness env {name}, or give {name}=PATH of a Python"


@contextmanager
def brief_worker(
    name: str, given: dict[str, Path], experiment: Experiment, cpus: list[int] | None = None
) -> Iterator[Worker]:
    """A worker of a backend for a question or two, whose log nobody keeps."""
    with Worker(name, interpreter(name, given), experiment, cpus=cpus) as worker:
        yield worker
