"""``predict``: text from a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from harness.console import print_json, screen
from harness.options import (
    CHOICE,
    FLAT,
    MACHINE,
    OUTPUT,
    Backends,
    Json,
    Options,
    Pythons,
    Variants,
    as_options,
    given,
    split,
)

TRAINED = dict.fromkeys("prefixes num_preds decode alpha temperature seed".split(), "as trained")


@as_options(
    {OUTPUT: "prefixes num_preds decode alpha temperature seed", MACHINE: "device"}, TRAINED
)
class Settings(Options):
    """The settings of ``predict`` that are options."""


def predict(
    *,
    checkpoint: Annotated[Path, Parameter(group=CHOICE)],
    backend: Backends = None,
    variant: Variants = None,
    settings: Annotated[Settings | None, FLAT] = None,
    python: Pythons = None,
    json: Json = False,
) -> int:
    """Continue a prefix with the network of a checkpoint.

    Parameters
    ----------
    checkpoint
        a file from a run folder's checkpoints
    variant
        only this variant (repeat, or separate by commas; default: scratch)
    """
    from harness.console import printable
    from harness.predict.predict import predict as predict_texts
    from harness.workers.interpreters import asked

    chosen, (names, pythons) = given(settings), asked(backend, python)
    predictions = predict_texts(
        checkpoint,
        names,
        split(variant) or ("scratch",),
        chosen.pop("prefixes", ()),
        {"device": "auto"} | chosen,
        pythons,
    )
    if json:
        print_json([asdict(prediction) for prediction in predictions])
        return 0
    console = screen()
    for found in predictions:
        line = Text.assemble((f"{found.backend} {found.variant}: ", "dim"), printable(found.text))
        console.print(line)
    return 0
