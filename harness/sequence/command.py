"""``sequence``: section 9.1, working with sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.sequence import SequenceExperiment
from harness.console import print_json, screen
from harness.options import (
    DATA,
    FLAT,
    MEASUREMENT,
    NETWORK,
    OUTPUT,
    TRAINING,
    Backends,
    Force,
    Json,
    Pythons,
    as_options,
    given,
)


@as_options(
    {
        DATA: "num_points num_train noise",
        NETWORK: "tau num_steps num_hiddens dtype",
        TRAINING: "batch_size lr num_epochs seed",
        MEASUREMENT: "steps_ahead",
    }
)
class Settings(SequenceExperiment):
    """The settings of ``sequence`` as options."""


def sequence(
    *,
    backend: Backends = None,
    settings: Annotated[Settings | None, FLAT] = None,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Force = False,
    json: Json = False,
) -> int:
    """Predict a noisy sine, one step and many steps ahead: linear regression and the RNN.

    Parameters
    ----------
    out
        the folder that gets the tables, sequence.json and the report
        (default: runs/<time>-sequence)
    """
    from harness.checks import select
    from harness.page.write import write_told
    from harness.paths import new_folder, result_folder
    from harness.records.provenance import provenance
    from harness.sequence import tables
    from harness.sequence.measure import expected, facts, study
    from harness.sequence.report import told_of_section
    from harness.workers.interpreters import asked

    experiment = SequenceExperiment.of(given(settings))
    names, pythons = asked(backend, python)
    select(names, ())  # what is wrong with the request is said before anything is written
    reference, about = expected(experiment), provenance()
    out = out or new_folder("sequence")
    with result_folder(out, "sequence.json", force) as place:
        tables.start(place.path)
        found = study(experiment, reference, names, pythons)
        page = write_told(told_of_section(found, about), place.path)
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
