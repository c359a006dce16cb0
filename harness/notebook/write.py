"""Files of notebooks: which are asked for, and how each is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from backends import by_default, missing, registry
from common.errors import RequestError, unknown
from common.files import write_aside
from harness.console import printable
from harness.lock import locked
from harness.notebook.build import DOCUMENTS, assemble, documents_of, file_name, render
from harness.notebook.execute import execute, same_but_for_time
from harness.workers.errors import WorkerError


def targets(
    out: Path, documents: Sequence[str], backends: Sequence[str]
) -> list[tuple[str, str, Path]]:
    """The document, the backend and the file of each notebook that is asked for.

    Args:
        out: a file for one, or a folder for all; there, none named are all that take part by
            default, but for a backend whose framework needs an environment of its own.
        documents, backends: their names.

    Raises:
        RequestError: there is no such document, backend or folder, or a file is to hold several.
    """
    known = registry()
    for document in documents:
        if document not in DOCUMENTS:
            raise unknown("seed document", document, list(DOCUMENTS))
    for backend in backends:
        if backend not in known:
            raise unknown("backend", backend, known)
        if known[backend].broken:
            raise RequestError(f"{backend}: {missing(backend)}")
        if "scratch" not in known[backend].variants:
            raise RequestError(f"{backend}: notebooks are of scratch, which it does not have")
        if absent := [each for each in documents if each not in documents_of(backend)]:
            raise RequestError(
                f"seed document {absent[0]} is not written in {backend}: it has "
                f"{', '.join(documents_of(backend))} alone"
            )
    if os.path.isdir(out):
        apart = [n for n, entry in known.items() if entry.own_environment or entry.broken]
        beside = [n for n in by_default() if n not in apart]
        return [
            (document, backend, out / file_name(document, backend))
            for document in documents or DOCUMENTS
            for backend in backends or beside
            if document in documents_of(backend)
        ]
    if out.suffix != ".ipynb":
        raise RequestError(
            printable(f"{out}: name a file that ends in .ipynb, or a folder that is there")
        )
    if len(documents) != 1 or len(backends) != 1:
        raise RequestError(
            printable(f"{out}: a file takes one --seed-document and one --backend; name a folder")
        )
    if not out.parent.is_dir():
        raise RequestError(printable(f"{out}: no folder {out.parent}; create it first"))
    return [(documents[0], backends[0], out)]


def check(out: Path, force: bool) -> None:
    """See that no file is there, or that it may be replaced.

    Raises:
        RequestError: there is one.
    """
    if os.path.lexists(out) and not force:
        raise RequestError(
            printable(f"{out}: exists already; name another file, or --force to replace it")
        )


def check_framework(backend: str) -> None:
    """See that notebooks in a backend's framework can be run.

    Raises:
        RequestError: it is not installed.
    """
    if reason := missing(backend):
        raise RequestError(f"--execute: {reason}")


def write_notebook(
    document: str, backend: str, out: Path, run: bool = False, force: bool = False
) -> bool:
    """Write the notebook of a document in a backend's framework.

    The framework need not be installed: only running the notebook takes it. One that was run
    before and differs in measured times and speeds alone stays as it is.

    Returns:
        False if it stays.

    Raises:
        RequestError: nbformat is not installed, or the file is there and `force` is not given.
        StorageError: it cannot be written.
        WorkerError: a cell failed.
    """
    content = assemble(render(document, backend))
    if run:
        try:
            content = execute(content)
        except WorkerError as error:
            raise WorkerError(error.kind, printable(f"{out}: {error}")) from error
    with locked(out.parent):
        check(out, force)  # again, now that nobody else can write it
        if run and out.is_file() and same_but_for_time(out.read_text("utf-8"), content):
            return False
        write_aside(out, content)
    return True
