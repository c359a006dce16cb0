"""``bptt``: section 9.7, backpropagation through time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from common.errors import RequestError
from harness.bptt.request import SMALLER
from harness.console import print_json, screen
from harness.options import (
    CHOICE,
    DATA,
    FLAT,
    MEASUREMENT,
    NETWORK,
    OUTPUT,
    TRAINING,
    Backends,
    DataDir,
    Force,
    Json,
    Options,
    Pythons,
    as_options,
    given,
)


@as_options(
    {
        DATA: "corpus num_steps",
        NETWORK: "num_hiddens sigma",
        TRAINING: "lr clip_theta num_epochs seed",
    },
    defaults={"corpus": "time-machine", **SMALLER},
)
class Settings(Options):
    """The settings of ``bptt`` that are options."""


def bptt(
    *,
    recipe: Annotated[str, Parameter(group=CHOICE)] = "time-machine",
    backend: Backends = None,
    data_dir: DataDir = None,
    settings: Annotated[Settings | None, FLAT] = None,
    tau: Annotated[list[int] | None, Parameter(negative=(), group=MEASUREMENT)] = None,
    pi: Annotated[list[float] | None, Parameter(negative=(), group=MEASUREMENT)] = None,
    draws: Annotated[int, Parameter(group=MEASUREMENT)] = 64,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Force = False,
    json: Json = False,
) -> int:
    """Measure how gradients flow through time, and what cutting them off costs.

    Parameters
    ----------
    recipe
        where the settings come from, in float64; the network is a smaller one
    tau
        steps of a piece in truncated backpropagation (repeat; default: 1, 2, 4, 8, 16)
    pi
        probability that a link is kept in randomized truncation (repeat; default: 0.9, 0.7)
    draws
        draws of the links for each pi
    out
        the folder that gets norms.csv, spectrum.csv, truncation.csv, bptt.json and the report
        (default: runs/<time>-bptt)
    """
    from common.inputs import read_inputs
    from harness.bptt.measure import Folder, measure
    from harness.bptt.report import told_of_measured
    from harness.bptt.request import PIS, BpttRequest, shortened
    from harness.bptt.tables import show
    from harness.checks import told_whose
    from harness.page.write import write_told
    from harness.paths import new_folder, result_folder
    from harness.recipes import experiment_of
    from harness.workers.interpreters import asked

    chosen, (names, pythons) = given(settings), asked(backend, python)
    fixed = {"dtype": "float64", "device": "cpu"}
    experiment = experiment_of(recipe, SMALLER | chosen | fixed)
    request = BpttRequest(
        experiment,
        recipe,
        names,
        shortened(tau, experiment.num_steps),
        tuple(pi or PIS),
        draws,
        data_dir,
        pythons,
    )
    request.check()
    console = Console(quiet=True) if json else screen()
    try:
        inputs = read_inputs(experiment, data_dir)
    except RequestError as error:
        raise told_whose(error, experiment, chosen, f"recipe {recipe}, made smaller") from error
    out = out or new_folder("bptt")
    with result_folder(out, "bptt.json", force) as place:
        folder = Folder(request, inputs)
        folder.start(place.path)
        with console.status("training and measuring, as many backends at once as there are CPUs"):
            measured = measure(request, inputs)
        facts = folder.conclude(measured)
        place.failed = not measured.passed
        if measured.backends:
            page = write_told(told_of_measured(facts, measured), place.path)
        folder.finish(measured)
    if json:
        print_json(facts | {"truncation": measured.truncation.to_dict("records")})
    show(console, measured)
    if measured.backends:
        console.print(f"report: {out / page.name}", soft_wrap=True)
    return 0 if measured.passed else 1
