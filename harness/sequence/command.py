"""``sequence``: section 9.1, working with sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.experiment import DType
from harness.console import print_json, screen
from harness.options import DATA, NETWORK, OUTPUT, TRAINING, Flag, Names, split


def sequence(
    *,
    backend: Names = None,
    python: Names = None,
    num_points: Annotated[int | None, Parameter(group=DATA)] = None,
    num_train: Annotated[int | None, Parameter(group=DATA)] = None,
    noise: Annotated[float | None, Parameter(group=DATA)] = None,
    tau: Annotated[int | None, Parameter(group=NETWORK)] = None,
    num_steps: Annotated[int | None, Parameter(group=NETWORK)] = None,
    num_hiddens: Annotated[int | None, Parameter(group=NETWORK)] = None,
    dtype: Annotated[DType | None, Parameter(group=NETWORK)] = None,
    batch_size: Annotated[int | None, Parameter(group=TRAINING)] = None,
    lr: Annotated[float | None, Parameter(group=TRAINING)] = None,
    num_epochs: Annotated[int | None, Parameter(group=TRAINING)] = None,
    seed: Annotated[int | None, Parameter(group=TRAINING)] = None,
    steps_ahead: Annotated[list[int] | None, Parameter(negative=(), group=OUTPUT)] = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Flag = False,
    json: Flag = False,
) -> int:
    """Predict a noisy sine, one step and many steps ahead: linear regression and the RNN.

    Parameters
    ----------
    backend
        compute with this backend (repeat, or separate by commas; default: every one)
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    num_points
        the length of the series (default: 1000)
    num_train
        examples to train on; the training part is that many points and tau (default: 600)
    noise
        the deviation of the noise; 0 for none (default: 0.2)
    tau
        lags that linear regression sees (default: 4)
    num_steps
        inputs that the RNN sees (default: 16)
    num_hiddens
        hidden units of the RNN (default: 32)
    dtype
        the precision of weights and products (default: float64)
    batch_size
        examples in a minibatch (default: 16)
    lr
        the learning rate (default: 0.01)
    num_epochs
        passes over the training part (default: 5)
    seed
        of the noise, the weights and the order of the minibatches (default: 0)
    steps_ahead
        how many steps ahead to predict (repeat; default: 1, 4, 16 and 64)
    out
        the folder that gets the tables, sequence.json and the report
        (default: results/runs/<time>-sequence)
    force
        replace the result that --out holds, once the new one is whole
    json
        print the result as JSON alone
    """
    from common.sequence import Settings
    from harness.checks import select
    from harness.page.write import write_sections
    from harness.paths import new_folder, result_folder
    from harness.records.provenance import provenance
    from harness.sequence import tables
    from harness.sequence.measure import expected, facts, study
    from harness.sequence.report import sections, titles
    from harness.workers.interpreters import parse

    given = {
        "num_points": num_points,
        "num_train": num_train,
        "noise": noise,
        "tau": tau,
        "num_steps": num_steps,
        "num_hiddens": num_hiddens,
        "dtype": dtype,
        "batch_size": batch_size,
        "lr": lr,
        "num_epochs": num_epochs,
        "seed": seed,
        "steps_ahead": steps_ahead and list(dict.fromkeys(steps_ahead)),
    }
    settings = Settings.of({name: value for name, value in given.items() if value is not None})
    pythons = parse(python or ())
    select(split(backend), ())  # what is wrong with the request is said before anything is written
    reference, about = expected(settings), provenance()
    out = out or new_folder("sequence")
    with result_folder(out, "sequence.json", force) as place:
        tables.start(place.path)
        found = study(settings, reference, split(backend), pythons)
        named = [each.backend for each in found.entrants]
        page = write_sections(sections(found, about), titles(found), named, place.path)
        tables.write(found, about, place.path)
        place.failed = not found.passed
    if json:
        errors = tables.errors_table(found).to_dict("records")
        print_json(facts(found) | {"rmse": errors})
    else:
        console = screen()
        tables.show(console, found)
        console.print(
            Text(f"written: {out / page.name}, report.md, predictions.csv, errors.csv, losses.csv")
        )
    return 0 if found.passed else 1
