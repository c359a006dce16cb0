"""``list``: what there is to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.console import print_json, screen
from harness.options import DATA, Flag, Names


def list_(
    *,
    data_dir: Annotated[Path | None, Parameter(group=DATA)] = None,
    python: Names = None,
    json: Flag = False,
) -> int:
    """Show backends, versions, devices, corpora and recipes, and why something is not available.

    Parameters
    ----------
    data_dir
        where to look first for a published corpus
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    json
        print the result as JSON alone
    """
    from harness.listing.listing import listing, show
    from harness.workers.interpreters import parse

    found = listing(data_dir, parse(python or ()))
    if json:
        print_json(found)
    else:
        show(screen(), found)
    return 0
