"""``predict``: text from a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.experiment import Decode, Device
from harness.console import print_json, screen
from harness.options import CHOICE, OUTPUT, TRAINING, Flag, Names, split


def predict(
    *,
    checkpoint: Annotated[Path, Parameter(group=CHOICE)],
    backend: Names = None,
    variant: Names = None,
    python: Names = None,
    prefix: Annotated[list[str] | None, Parameter(negative=(), group=OUTPUT)] = None,
    num_preds: Annotated[int | None, Parameter(group=OUTPUT)] = None,
    decode: Annotated[Decode | None, Parameter(group=OUTPUT)] = None,
    alpha: Annotated[float | None, Parameter(group=OUTPUT)] = None,
    temperature: Annotated[float | None, Parameter(group=OUTPUT)] = None,
    seed: Annotated[int | None, Parameter(group=OUTPUT)] = None,
    device: Annotated[Device, Parameter(group=TRAINING)] = "auto",
    json: Flag = False,
) -> int:
    """Continue a prefix with the network of a checkpoint.

    Parameters
    ----------
    checkpoint
        a file from a run folder's checkpoints
    backend
        which backend predicts (repeat, or separate by commas; default: every one)
    variant
        which variant predicts (default: scratch)
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    prefix
        what the text begins with (repeat for more; default: those it was trained with)
    num_preds
        tokens to generate (default: as it was trained with)
    decode
        write the most likely token, or sample (default: as it was trained with)
    alpha
        sample from P^alpha: above 1 prefers the likely
    temperature
        sample at this temperature: below 1 prefers the likely
    seed
        decides what is sampled
    device
        where to compute
    json
        print the result as JSON alone
    """
    from harness.console import printable
    from harness.predict.predict import predict as predict_texts
    from harness.workers.interpreters import parse

    options = {
        "num_preds": num_preds,
        "decode": decode,
        "alpha": alpha,
        "temperature": temperature,
        "seed": seed,
        "device": device,
    }
    predictions = predict_texts(
        checkpoint,
        split(backend),
        split(variant) or ("scratch",),
        tuple(prefix or ()),
        {name: value for name, value in options.items() if value is not None},
        parse(python or ()),
    )
    if json:
        print_json([asdict(prediction) for prediction in predictions])
        return 0
    console = screen()
    for found in predictions:
        line = Text.assemble((f"{found.backend} {found.variant}: ", "dim"), printable(found.text))
        console.print(line)
    return 0
