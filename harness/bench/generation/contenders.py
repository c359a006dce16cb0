"""Contenders that write texts: each backend's own generation, and the book's loop beside it."""

from __future__ import annotations

from importlib.util import find_spec

import backends
from common.errors import RequestError
from common.experiment import Experiment
from harness.bench.contenders import BOOK, Contender, Contest, network
from harness.bench.shapes import dimensions
from harness.checks import select, unable
from harness.workers.interpreters import missing

SHAPES = ("1x32x32x28", "1x32x256x28", "1x32x512x28", "1x32x256x1027")
"""One text, its first token after a prefix of 32: 1 x prefix x num_hiddens x vocab_size."""

GENERATE = "generate"
"""Form that is `Model.predict`, beside `BOOK`, which is `predict_rnn` of the backend's chapter."""


def writers(contest: Contest) -> tuple[list[Contender], dict[str, str]]:
    """Contenders, and reasons why the others are absent.

    A backend that has no chapter here writes by the contract alone.

    Raises:
        RequestError: as of `harness.checks.select`.
    """
    absent: dict[str, str] = {}
    found: list[Contender] = []
    alone = Experiment.of(contest.settings)
    for name in dict.fromkeys(name for name, _ in select(contest.backends, ())):
        if reason := missing(name, contest.pythons) or unable(name, network(name), alone):
            absent[name] = reason
            continue
        found.append(Contender(name, GENERATE, writes=True))
        if has_chapter(name):
            found.append(Contender(name, BOOK, writes=True))
    return found, absent


def has_chapter(backend: str) -> bool:
    """True if a backend is of this project and its folder has the chapter, ``scratch.py``."""
    package = backends.entry(backend).module.rpartition(".")[0]
    return package.startswith("backends.") and find_spec(f"{package}.scratch") is not None


def check(contest: Contest, shapes: tuple[str, ...]) -> None:
    """See that a contest is one that texts can be written for.

    Raises:
        RequestError: it is not.
    """
    if contest.variants or contest.against:
        raise RequestError(
            "--generate holds each backend against the book's loop, and its variants write alike: "
            "leave out --variant and --against"
        )
    if contest.settings["devices"] > 1:
        raise RequestError("--generate writes on one device: leave out --devices")
    for shape in shapes:
        if dimensions(shape)[0] != 1:
            raise RequestError(
                f"--shape {shape}: --generate writes one text, so batch is 1, and steps are the "
                f"prefix: as in {SHAPES[1]}"
            )
