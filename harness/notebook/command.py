"""``notebook``: a chapter to run cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from harness.console import screen
from harness.options import CHOICE, OUTPUT, Backends, split


def notebook(
    out: Annotated[Path, Parameter(group=OUTPUT)],
    /,
    *,
    document: Annotated[
        list[str] | None, Parameter(name="--seed-document", negative=(), group=CHOICE)
    ] = None,
    backend: Backends = None,
    execute: Annotated[bool, Parameter(negative=(), group=CHOICE, show_default=False)] = False,
    force: Annotated[bool, Parameter(negative=(), group=OUTPUT, show_default=False)] = False,
) -> int:
    """Write a Jupyter notebook of a chapter, explained and runnable, in a backend's framework.

    The framework is needed to run the notebook, not to write it.

    Parameters
    ----------
    out
        the file to write, which ends in .ipynb; or a folder, for a notebook of every document in
        every backend but mxnet, or of those named
    document
        the document: 000 functional chapter, 001 original chapter, 002 he_normal, 003 chapter 9
    execute
        run it, and keep what it prints and draws
    force
        replace files that are there
    """
    from harness.console import printable
    from harness.notebook.write import check, check_framework, targets, write_notebook
    from harness.workers.interpreters import missing

    found = targets(out, split(document), split(backend))
    for _, name, path in found:
        check(path, force)
        if execute:
            check_framework(name)
    console = screen()
    for each, name, path in found:
        written = write_notebook(each, name, path, execute, force)
        done = "written" if written else "the same but for times"
        console.print(Text(printable(f"{done}: {path}")), soft_wrap=True)
    for name in dict.fromkeys(name for _, name, _ in found):
        if reason := missing(name, {}):
            console.print(Text(f"to run it: {reason}"), soft_wrap=True)
    return 0
