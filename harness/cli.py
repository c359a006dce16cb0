"""The command line: thin commands over one module a capability."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from cyclopts import App, CycloptsError, Group, Parameter
from rich.console import Console
from rich.text import Text

from common.batches import Sampling
from common.errors import RequestError
from common.experiment import Activation, Device, DType, Experiment
from common.vocab import Token
from common.weights import Init

app = App(
    name="python -m harness",
    help="One character-level RNN from scratch in four frameworks: the same weights, the same "
    "batches, the same numbers. Without a command, `run`.",
    help_format="plaintext",
    version_flags=(),
)

CHOICE, DATA, NETWORK, TRAINING, OUTPUT = (
    Group(name, sort_key=key)
    for key, name in enumerate(["What to run", "Data", "Network", "Training", "Output"])
)

Names = Annotated[list[str] | None, Parameter(negative=(), group=CHOICE)]
Flag = Annotated[bool, Parameter(negative=(), group=OUTPUT)]


def split(names: list[str] | None) -> tuple[str, ...]:
    """Names that were repeated or separated by commas, each once."""
    parts = [part.strip() for name in names or [] for part in name.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


@app.command
@app.default
def run(
    *,
    recipe: Annotated[str, Parameter(group=CHOICE)] = "quickstart",
    backend: Names = None,
    variant: Names = None,
    corpus: Annotated[str | None, Parameter(group=DATA)] = None,
    data_dir: Annotated[Path | None, Parameter(group=DATA)] = None,
    token: Annotated[Token | None, Parameter(group=DATA)] = None,
    max_tokens: Annotated[int | None, Parameter(group=DATA)] = None,
    sampling: Annotated[Sampling | None, Parameter(group=DATA)] = None,
    batch_size: Annotated[int | None, Parameter(group=DATA)] = None,
    num_steps: Annotated[int | None, Parameter(group=DATA)] = None,
    num_hiddens: Annotated[int | None, Parameter(group=NETWORK)] = None,
    init: Annotated[Init | None, Parameter(group=NETWORK)] = None,
    sigma: Annotated[float | None, Parameter(group=NETWORK)] = None,
    activation: Annotated[Activation | None, Parameter(group=NETWORK)] = None,
    dtype: Annotated[DType | None, Parameter(group=NETWORK)] = None,
    lr: Annotated[float | None, Parameter(group=TRAINING)] = None,
    clip_theta: Annotated[float | None, Parameter(group=TRAINING)] = None,
    num_epochs: Annotated[int | None, Parameter(group=TRAINING)] = None,
    seed: Annotated[int | None, Parameter(group=TRAINING)] = None,
    device: Annotated[Device | None, Parameter(group=TRAINING)] = None,
    threads: Annotated[int | None, Parameter(group=TRAINING)] = None,
    prefix: Annotated[list[str] | None, Parameter(negative=(), group=OUTPUT)] = None,
    num_preds: Annotated[int | None, Parameter(group=OUTPUT)] = None,
    pred_period: Annotated[int | None, Parameter(group=OUTPUT)] = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Flag = False,
    json: Flag = False,
) -> int:
    """Train and predict on every available backend, print the table and write a run folder.

    Parameters
    ----------
    recipe
        where the settings come from; every option below replaces one
    backend
        run only this backend (repeat, or separate by commas)
    variant
        run only this variant (repeat, or separate by commas)
    corpus
        embedded, time-machine, lyrics, or a UTF-8 text file
    data_dir
        where to look first for a published corpus
    token
        what a token is
    max_tokens
        keep so many tokens of the corpus (0: all)
    sampling
        how minibatches are cut from the corpus
    batch_size
        sequences in a minibatch
    num_steps
        tokens in a sequence
    num_hiddens
        hidden units
    init
        the distribution of the first weights
    sigma
        the deviation of init normal
    activation
        of the hidden units
    dtype
        the precision of weights and products
    lr
        learning rate
    clip_theta
        the largest norm of the gradient (0: no clipping)
    num_epochs
        passes over the corpus
    seed
        decides weights, order and offsets
    device
        where to compute
    threads
        CPU threads a backend may use (default: every core)
    prefix
        what generated text begins with (repeat for more)
    num_preds
        tokens to generate after a prefix
    pred_period
        epochs between generated texts
    out
        the run folder (default: a new one in results/runs)
    quiet
        print the table alone
    json
        print the result as JSON alone
    """
    options = locals() | {"prefixes": prefix}
    from harness.progress import Live, Quiet
    from harness.recipes import experiment_of, recipes
    from harness.run import Request
    from harness.run import run as run_request
    from harness.tables import show_published, show_result

    settings = {name: options[name] for name in Experiment.model_fields if name in options}
    given = {name: value for name, value in settings.items() if value is not None}
    experiment = experiment_of(recipe, given)
    request = Request(recipe, experiment, split(backend), split(variant), data_dir, out)
    console = screen()
    display = (
        Quiet() if quiet or json else Live(console, experiment.num_epochs, experiment.pred_period)
    )
    with display:
        result = run_request(request, display)
    if json:
        print_json(
            {
                "run": str(result.folder),
                "status": result.status,
                "rows": [row.summary() for row in result.rows],
            }
        )
    else:
        show_result(console, result)
        show_published(console, result, recipes()[recipe], experiment)
    return result.exit_status


@app.command(name="list")
def list_(
    *,
    data_dir: Annotated[Path | None, Parameter(group=DATA)] = None,
    json: Flag = False,
) -> int:
    """Show backends, versions, devices, corpora and recipes, and why something is not available.

    Parameters
    ----------
    data_dir
        where to look first for a published corpus
    json
        print the result as JSON alone
    """
    from harness.listing import listing, show

    found = listing(data_dir)
    if json:
        print_json(found)
    else:
        show(screen(), found)
    return 0


@app.command
def predict(
    *,
    checkpoint: Annotated[Path, Parameter(group=CHOICE)],
    backend: Names = None,
    variant: Names = None,
    prefix: Annotated[list[str] | None, Parameter(negative=(), group=OUTPUT)] = None,
    num_preds: Annotated[int | None, Parameter(group=OUTPUT)] = None,
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
        which variant predicts
    prefix
        what the text begins with (repeat for more; default: those it was trained with)
    num_preds
        tokens to generate (default: as it was trained with)
    device
        where to compute
    json
        print the result as JSON alone
    """
    from harness.prediction import PredictionError
    from harness.prediction import predict as predict_texts
    from harness.tables import printable

    try:
        predictions = predict_texts(
            checkpoint, split(backend), split(variant), tuple(prefix or ()), num_preds, device
        )
    except PredictionError as error:
        fail(str(error), 1)
    if json:
        print_json([asdict(prediction) for prediction in predictions])
        return 0
    console = screen()
    for found in predictions:
        line = Text.assemble((f"{found.backend} {found.variant}: ", "dim"), printable(found.text))
        console.print(line)
    return 0


def screen() -> Console:
    """Where people read: the terminal in its own width, anything else wide enough for a table."""
    return Console(width=None if sys.stdout.isatty() else 120)


def print_json(value: Any) -> None:
    """Print strict JSON: a number that is not finite becomes null."""
    plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def fail(message: str, status: Literal[1, 2]) -> NoReturn:
    """End with one line on standard error."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(status)


def main() -> None:
    """Run the command line: 0 all well, 1 something failed, 2 the request was wrong."""
    try:
        status = app(exit_on_error=False, print_error=False, result_action="return_value")
    except RequestError as error:
        fail(str(error), 2)
    except CycloptsError as error:
        fail(" ".join(str(error).split()), 2)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(status)
