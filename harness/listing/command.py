"""``list``: backends, corpora and recipes to run."""

from __future__ import annotations

from harness.console import print_json, screen
from harness.options import DataDir, Json, Pythons


def list_(
    *,
    data_dir: DataDir = None,
    python: Pythons = None,
    json: Json = False,
) -> int:
    """Show backends, versions, devices, corpora and recipes, and why what is not available.

    A framework that is built for the CPU alone is not imported: it is said to be installed.
    """
    from rich.console import Console

    from harness.listing.listing import listing, show
    from harness.workers.interpreters import parse

    pythons = parse(python or ())
    with Console(stderr=True).status("asking the frameworks for their devices"):
        found = listing(data_dir, pythons)
    if json:
        print_json(found)
    else:
        show(screen(), found)
    return 0
