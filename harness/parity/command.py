"""``parity``: the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.errors import RequestError
from common.experiment import Device, DType
from harness.console import print_json, screen
from harness.options import NETWORK, OUTPUT, TRAINING, Flag, Names, split


def parity(
    *,
    backend: Names = None,
    variant: Names = None,
    python: Names = None,
    dtype: Annotated[list[DType] | None, Parameter(negative=(), group=NETWORK)] = None,
    steps: Annotated[int, Parameter(group=TRAINING)] = 50,
    device: Annotated[Device, Parameter(group=TRAINING)] = "auto",
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Flag = False,
    json: Flag = False,
) -> int:
    """Compare every backend and variant with the float64 reference, quantity by quantity.

    Parameters
    ----------
    backend
        compare only this backend (repeat, or separate by commas)
    variant
        compare only this variant
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    dtype
        in this precision (default: both)
    steps
        updates over which the drift is measured
    device
        where to compute
    out
        the folder that gets parity.csv, such as a run's (default: results/runs/<time>-parity)
    force
        replace the result that --out holds, once the new one is whole
    json
        print the result as JSON alone
    """
    from harness.parity.measure import compare
    from harness.parity.tables import show, write
    from harness.paths import new_folder, result_folder
    from harness.workers.interpreters import parse

    if steps < 1:
        raise RequestError(f"--steps {steps}: at least one update")
    out = out or new_folder("parity")
    with result_folder(out, "parity.csv", force) as place:
        comparison = compare(
            split(backend),
            split(variant),
            dtype or ["float64", "float32"],
            steps,
            device,
            parse(python or ()),
        )
        write(comparison, place.path)
        place.failed = not comparison.passed
    if json:
        print_json({"passed": comparison.passed, "table": comparison.table.to_dict("records")})
    else:
        console = screen()
        show(console, comparison)
        console.print(Text(f"written: {out / 'parity.csv'}"))
    return 0 if comparison.passed else 1
