"""``parity``: the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.errors import RequestError
from common.experiment import DType
from harness.console import print_json
from harness.formats import Format, console_for, tell
from harness.options import (
    CHOICE,
    FLAT,
    MACHINE,
    MEASUREMENT,
    NETWORK,
    OUTPUT,
    Backends,
    Force,
    Json,
    Options,
    OutputFormat,
    Pythons,
    Variants,
    as_options,
    given,
    split,
)

STEPS, DEVICES = 50, 2


@as_options({MACHINE: "device"})
class Settings(Options):
    """The settings of ``parity`` that are options."""


def parity(
    *,
    backend: Backends = None,
    variant: Variants = None,
    dtype: Annotated[list[DType] | None, Parameter(negative=(), group=NETWORK)] = None,
    steps: Annotated[int, Parameter(group=MEASUREMENT)] = STEPS,
    model: Annotated[str | None, Parameter(group=CHOICE)] = None,
    settings: Annotated[Settings | None, FLAT] = None,
    devices: Annotated[int | None, Parameter(group=MACHINE)] = None,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Force = False,
    json: Json = False,
    form: OutputFormat = None,
) -> int:
    """Compare every backend and variant with the float64 reference, quantity by quantity.

    Parameters
    ----------
    variant
        compare only this variant (repeat, or separate by commas; default: every one)
    dtype
        in this precision (default: both)
    steps
        updates over which the drift is measured
    model
        PATH:FUNCTION, a training step of one's own instead, step(weights, X, Y, state, lr, theta):
        what goes wrong first, and the likely causes
    devices
        the most that one model is compared on, a share of the rows each (1: on one alone;
        default: 2, or 1 on a device that was named, but for the CPU)
    out
        the folder that gets parity.csv and parity.json, such as a run's
        (default: runs/<time>-parity)
    """
    from harness.page.write import add_report
    from harness.parity.measure import compare
    from harness.parity.outcomes import outcomes
    from harness.parity.report import told_of
    from harness.parity.tables import show, write
    from harness.paths import new_folder, result_folder
    from harness.records.tables import holds
    from harness.workers.interpreters import asked

    if model:
        others = backend, variant, dtype, python, out, force, given(settings)
        if any(others) or (steps, devices) != (STEPS, None):
            raise RequestError(
                f"--model {model}: it is compared alone: give --json or --format, or nothing else"
            )
        return _port(model, json, form)
    if steps < 1:
        raise RequestError(f"--steps {steps}: at least one update")
    device = (settings or Settings()).device
    if devices is None:
        devices = DEVICES if device in ("auto", "cpu") else 1
    if not 1 <= devices <= 64:
        raise RequestError(f"--devices {devices}: between 1 and 64")
    console = console_for(json, form)
    names, pythons = asked(backend, python)
    out = out or new_folder("parity")
    with result_folder(out, "parity.csv", force) as place:
        comparison = compare(
            names,
            split(variant),
            dtype or ["float64", "float32"],
            steps,
            device,
            devices,
            pythons,
        )
        write(comparison, place.path)
        place.failed = not comparison.passed
        added = ""
        if not holds(out, "run.json") and len(comparison.table):  # a run has a report of its own
            added = add_report(lambda: told_of([place.path]), place.path, out)
    if json:
        print_json({"passed": comparison.passed, "table": comparison.table.to_dict("records")})
    show(console, comparison)
    console.print(Text(f"written: {out / 'parity.csv'}, parity.json"), soft_wrap=True)
    console.print(Text(added or f"to show it: python -m harness report {out}"), soft_wrap=True)
    tell(form, "parity", outcomes(comparison), console)
    return 0 if comparison.passed else 1


def _port(model: str, json: bool, form: Format | None) -> int:
    """Compare a user's own step with the reference."""
    from harness.parity.outcomes import of_port
    from harness.parity.port import compare_port, facts, show

    console = console_for(json, form)
    result = compare_port(model)
    if json:
        print_json(facts(result))
    show(console, result)
    tell(form, "parity", of_port(result), console)
    return 0 if result.equal else 1
