"""``notebook``: a chapter to run cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from harness.console import screen
from harness.options import CHOICE, OUTPUT


def notebook(
    out: Annotated[Path, Parameter(group=OUTPUT)],
    /,
    *,
    document: Annotated[str, Parameter(name="--seed-document", group=CHOICE)],
    backend: Annotated[str, Parameter(group=CHOICE)],
) -> int:
    """Write a Jupyter notebook of a chapter, explained and runnable, in a backend's framework.

    The framework is needed to run the notebook, not to write it.

    Parameters
    ----------
    out
        the file to write, which ends in .ipynb and is not there yet
    document
        the document: 000 functional chapter, 001 original chapter, 002 he_normal, 003 chapter 9
    backend
        in whose framework
    """
    from harness.console import printable
    from harness.notebook.build import write_notebook
    from harness.workers.interpreters import missing

    write_notebook(document, backend, out)
    console = screen()
    console.print(Text(printable(f"written: {out}")), soft_wrap=True)
    if reason := missing(backend, {}):
        console.print(Text(f"to run it: {reason}"), soft_wrap=True)
    return 0
