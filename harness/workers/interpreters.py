"""Choice of the Python that runs a backend: this one, or that of an environment of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import backends
from common.errors import RequestError
from common.experiment import Experiment
from harness.paths import ROOT
from harness.workers.process import Worker


def parse(given: Sequence[str]) -> dict[str, Path]:
    """The interpreters of ``--python NAME=PATH``.

    Raises:
        RequestError: not of that form, no such backend, or nothing there to run.
    """
    found = {}
    for each in given:
        name, equals, path = each.partition("=")
        if not equals:
            raise RequestError(f"--python {each}: give it as BACKEND=PATH, as in mxnet=PATH")
        backends.entry(name)
        if not (Path(path).is_file() and os.access(path, os.X_OK)):
            raise RequestError(f"--python {each}: no Python to run at {path}")
        found[name] = Path(path)
    return found


def interpreter(name: str, given: dict[str, Path]) -> Path:
    """The interpreter for a backend.

    What was given; this one if it has what the backend needs; the backend's own environment
    (``.venv-NAME``, or tox's) if there is one; else this one.
    """
    if name in given:
        return given[name]
    own = [ROOT / folder / "bin" / "python" for folder in (f".venv-{name}", f".tox/{name}")]
    existing = [path for path in own if path.exists()]
    return existing[0] if existing and backends.missing(name) else Path(sys.executable)


def missing(name: str, given: dict[str, Path]) -> str | None:
    """Reason why a backend cannot run, as far as known before its worker starts; None if it may."""
    return backends.missing(name) if interpreter(name, given) == Path(sys.executable) else None


@contextmanager
def brief_worker(
    name: str, given: dict[str, Path], experiment: Experiment, cpus: list[int] | None = None
) -> Iterator[Worker]:
    """A worker of a backend for a question or two, whose log nobody keeps."""
    with Worker(name, interpreter(name, given), experiment, cpus=cpus) as worker:
        yield worker
