"""``compare``: one experiment before and after a change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from common.errors import RequestError
from harness.console import print_json
from harness.formats import console_for, tell
from harness.options import CHOICE, MEASUREMENT, Backends, Json, OutputFormat, Variants, split


def compare(
    old: Annotated[Path, Parameter(group=CHOICE)],
    new: Annotated[Path, Parameter(group=CHOICE)],
    /,
    *,
    backend: Backends = None,
    variant: Variants = None,
    threshold: Annotated[float, Parameter(group=MEASUREMENT)] = 0.05,
    json: Json = False,
    form: OutputFormat = None,
) -> int:
    """Hold a run against an older one of the same experiment, or two benchmarks.

    A regression, and exit status 1, is a row that was ok and is no longer
    (crashed, diverged, not installed...), or a throughput (all of its 95 %
    interval) or perplexity worse than the threshold allows. Of two benchmarks
    the larger counts of the threshold and the smallest ratio that they could
    tell, and what their matrix products lost is put down to the machine.
    Faster and slower are throughputs whose interval leaves out what chance
    can do; better and worse are perplexities changed beyond the threshold.
    Where either side has fewer than 6 samples, or the machine was busy,
    nothing is said of a throughput, and nothing regresses.
    Settings and corpus must be the same, but for seed, device and threads; a
    seed is compared with the same seed. What else differs is pointed out.

    An interval is of what varied within these two. What varies from one run
    to the next a run cannot know: give both several seeds, or use bench.

    Parameters
    ----------
    old
        a run folder, or a folder that bench wrote
    new
        the same, done again
    variant
        compare only this variant (repeat, or separate by commas; default: every one)
    threshold
        the fraction of throughput that may be lost, and by which a perplexity may rise
    """
    from harness.compare.compare import compare as compare_folders
    from harness.compare.outcomes import outcomes
    from harness.compare.tables import show

    if not 0 <= threshold < 1:
        raise RequestError(f"--threshold {threshold:g}: a fraction, from 0 to less than 1")
    console = console_for(json, form)
    found = compare_folders(old, new, split(backend), split(variant), threshold)
    if json:
        print_json(found.as_json())
    show(console, found)
    tell(form, "compare", outcomes(found), console)
    return found.exit_status
