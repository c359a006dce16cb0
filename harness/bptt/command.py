"""``bptt``: section 9.7, backpropagation through time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from common.errors import RequestError
from harness.console import print_json, screen
from harness.options import CHOICE, DATA, NETWORK, OUTPUT, TRAINING, Flag, Names, split


def bptt(
    *,
    recipe: Annotated[str, Parameter(group=CHOICE)] = "time-machine",
    backend: Names = None,
    python: Names = None,
    corpus: Annotated[str | None, Parameter(group=DATA)] = None,
    data_dir: Annotated[Path | None, Parameter(group=DATA)] = None,
    num_steps: Annotated[int | None, Parameter(group=DATA)] = None,
    num_hiddens: Annotated[int | None, Parameter(group=NETWORK)] = None,
    sigma: Annotated[float | None, Parameter(group=NETWORK)] = None,
    tau: Annotated[list[int] | None, Parameter(negative=(), group=CHOICE)] = None,
    pi: Annotated[list[float] | None, Parameter(negative=(), group=CHOICE)] = None,
    draws: Annotated[int, Parameter(group=CHOICE)] = 64,
    lr: Annotated[float | None, Parameter(group=TRAINING)] = None,
    clip_theta: Annotated[float | None, Parameter(group=TRAINING)] = None,
    num_epochs: Annotated[int | None, Parameter(group=TRAINING)] = None,
    seed: Annotated[int | None, Parameter(group=TRAINING)] = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Flag = False,
    json: Flag = False,
) -> int:
    """Measure how gradients flow through time, and what cutting them off costs.

    Parameters
    ----------
    recipe
        where the settings come from, in float64; the network is a smaller one
    backend
        measure only this backend (repeat, or separate by commas)
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    corpus
        embedded, time-machine, lyrics, or a UTF-8 text file
    data_dir
        where to look first for a published corpus
    num_steps
        tokens in a window, and so the longest way back
    num_hiddens
        hidden units
    sigma
        the deviation of the first weights
    tau
        steps of a piece in truncated backpropagation (repeat; default: 1, 2, 4, 8, 16)
    pi
        probability that a link is kept in randomized truncation (repeat; default: 0.9, 0.7)
    draws
        draws of the links for each pi
    lr
        learning rate
    clip_theta
        the largest norm of the gradient where it is clipped
    num_epochs
        passes over the corpus
    seed
        decides weights, offsets and draws
    out
        the folder that gets norms.csv, spectrum.csv, truncation.csv, bptt.json and the report
        (default: results/runs/<time>-bptt)
    force
        replace the result that --out holds, once the new one is whole
    json
        print the result as JSON alone
    """
    options = locals()
    from common.experiment import Experiment
    from common.pipes import kept
    from harness.bptt.measure import PIS, SMALLER, Folder, Request, measure, shortened
    from harness.bptt.report import write_bptt
    from harness.bptt.tables import show
    from harness.checks import told_whose
    from harness.paths import new_folder, result_folder
    from harness.recipes import experiment_of
    from harness.workers.interpreters import parse

    given = {name: options[name] for name in Experiment.model_fields if name in options}
    settings = {name: value for name, value in given.items() if value is not None}
    if corpus:
        settings["corpus"] = kept(corpus)
    fixed = {"dtype": "float64", "device": "cpu"}
    experiment = experiment_of(recipe, SMALLER | settings | fixed)
    request = Request(
        experiment,
        recipe,
        split(backend),
        shortened(tau, experiment.num_steps),
        tuple(pi or PIS),
        draws,
        data_dir,
        parse(python or ()),
    )
    request.check()
    console = Console(quiet=True) if json else screen()
    try:
        folder = Folder(request)
    except RequestError as error:
        raise told_whose(error, experiment, settings, f"recipe {recipe}, made smaller") from error
    out = out or new_folder("bptt")
    with result_folder(out, "bptt.json", force) as place:
        folder.start(place.path)
        with console.status("training and measuring, as many backends at once as there are CPUs"):
            measured = measure(request)
        folder.finish(measured)
        place.failed = not measured.passed
        if measured.backends:
            page = write_bptt(folder.facts, measured, place.path)
    if json:
        print_json(folder.facts | {"truncation": measured.truncation.to_dict("records")})
    show(console, measured)
    if measured.backends:
        console.print(f"report: {out / page.name}", soft_wrap=True)
    return 0 if measured.passed else 1
