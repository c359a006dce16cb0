"""``run``: train and predict, the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from common.batches import Sampling
from common.errors import RequestError, in_one_line
from common.experiment import Activation, Carry, Decode, Device, DType, Experiment, Input
from common.vocab import Token
from common.weights import Init
from harness.console import note, print_json, screen
from harness.options import CHOICE, DATA, NETWORK, OUTPUT, TRAINING, Flag, Names, split


def run(
    *,
    recipe: Annotated[str | None, Parameter(group=CHOICE)] = None,
    backend: Names = None,
    variant: Names = None,
    python: Names = None,
    resume: Annotated[Path | None, Parameter(group=CHOICE)] = None,
    corpus: Annotated[str | None, Parameter(group=DATA)] = None,
    data_dir: Annotated[Path | None, Parameter(group=DATA)] = None,
    token: Annotated[Token | None, Parameter(group=DATA)] = None,
    max_tokens: Annotated[int | None, Parameter(group=DATA)] = None,
    min_freq: Annotated[int | None, Parameter(group=DATA)] = None,
    sampling: Annotated[Sampling | None, Parameter(group=DATA)] = None,
    batch_size: Annotated[int | None, Parameter(group=DATA)] = None,
    num_steps: Annotated[int | None, Parameter(group=DATA)] = None,
    input: Annotated[Input | None, Parameter(group=NETWORK)] = None,
    embed_size: Annotated[int | None, Parameter(group=NETWORK)] = None,
    num_layers: Annotated[int | None, Parameter(group=NETWORK)] = None,
    num_hiddens: Annotated[int | None, Parameter(group=NETWORK)] = None,
    init: Annotated[Init | None, Parameter(group=NETWORK)] = None,
    sigma: Annotated[float | None, Parameter(group=NETWORK)] = None,
    activation: Annotated[Activation | None, Parameter(group=NETWORK)] = None,
    dtype: Annotated[DType | None, Parameter(group=NETWORK)] = None,
    lr: Annotated[float | None, Parameter(group=TRAINING)] = None,
    clip_theta: Annotated[float | None, Parameter(group=TRAINING)] = None,
    state: Annotated[Carry | None, Parameter(group=TRAINING)] = None,
    keep_graph: Annotated[bool | None, Parameter(group=TRAINING)] = None,
    num_epochs: Annotated[int | None, Parameter(group=TRAINING)] = None,
    seed: Annotated[int | None, Parameter(group=TRAINING)] = None,
    device: Annotated[Device | None, Parameter(group=TRAINING)] = None,
    threads: Annotated[int | None, Parameter(group=TRAINING)] = None,
    prefix: Annotated[list[str] | None, Parameter(negative=(), group=OUTPUT)] = None,
    num_preds: Annotated[int | None, Parameter(group=OUTPUT)] = None,
    pred_period: Annotated[int | None, Parameter(group=OUTPUT)] = None,
    decode: Annotated[Decode | None, Parameter(group=OUTPUT)] = None,
    alpha: Annotated[float | None, Parameter(group=OUTPUT)] = None,
    temperature: Annotated[float | None, Parameter(group=OUTPUT)] = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Flag = False,
    json: Flag = False,
) -> int:
    """Train and predict on every available backend, print the table and write a run folder.

    Parameters
    ----------
    recipe
        where the settings come from; every option below replaces one (default: quickstart)
    backend
        run only this backend (repeat, or separate by commas)
    variant
        scratch, fused or concise (repeat, or separate by commas; default: scratch)
    python
        BACKEND=PATH: the Python that runs a backend with an environment of its own (repeat)
    resume
        go on from this checkpoint, with its settings, up to --num-epochs
    corpus
        embedded, time-machine, lyrics, or a UTF-8 text file
    data_dir
        where to look first for a published corpus
    token
        what a token is
    max_tokens
        keep so many tokens of the corpus (0: all)
    min_freq
        tokens that come less often become <unk> (0: none)
    sampling
        how minibatches are cut from the corpus
    batch_size
        sequences in a minibatch
    num_steps
        tokens in a sequence
    input
        what the network reads: one-hot tokens, or their embedding
    embed_size
        the width of the embedding
    num_layers
        recurrent layers, one upon the other
    num_hiddens
        hidden units of a layer
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
    state
        carry the state from batch to batch or begin afresh (default: carry if sequential)
    keep_graph
        let gradients flow on through all windows since the state began
    num_epochs
        passes over the corpus
    seed
        decides weights, order, offsets and what is sampled
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
    decode
        write the most likely token, or sample from P^alpha at a temperature
    alpha
        of decode sample: above 1 prefers the likely
    temperature
        of decode sample: below 1 prefers the likely
    out
        the run folder (default: a new one in results/runs)
    quiet
        print the table alone
    json
        print the result as JSON alone
    """
    options = locals() | {"prefixes": prefix}
    from dataclasses import replace

    from common.checkpoint import load_checkpoint
    from common.pipes import kept
    from harness.checks import own_prefixes, told_whose
    from harness.recipes import experiment_of, recipes
    from harness.run.progress import Live, Quiet
    from harness.run.tables import show_published, show_result
    from harness.run.train import Request
    from harness.run.train import run as run_request
    from harness.workers.cpus import fewer_than_asked
    from harness.workers.interpreters import parse

    settings = {name: options[name] for name in Experiment.model_fields if name in options}
    given = {name: value for name, value in settings.items() if value is not None}
    if corpus:
        given["corpus"] = kept(corpus)
    if resume:
        if recipe:
            raise RequestError(
                "--resume takes its settings from the checkpoint: leave out --recipe"
            )
        saved = load_checkpoint(resume)
        experiment = Experiment.of(saved.experiment.model_dump() | given)
        source = f"checkpoint {resume}, where it was trained"
    else:
        experiment = experiment_of(recipe or "quickstart", given)
        source = f"recipe {recipe or 'quickstart'}"
    request = Request(
        "resumed" if resume else recipe or "quickstart",
        experiment,
        split(backend),
        split(variant) or ("scratch",),
        data_dir,
        out,
        parse(python or ()),
        resume,
    )
    note(fewer_than_asked(experiment.threads))
    console = screen()
    display = (
        Quiet() if quiet or json else Live(console, experiment.num_epochs, experiment.pred_period)
    )
    try:
        if not prefix:
            own, said = own_prefixes(experiment, data_dir)
            request = replace(request, experiment=own)
            note(said)
        with display:
            result = run_request(request, display)
    except RequestError as error:
        raise told_whose(error, experiment, given, source) from error
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
        if request.recipe in recipes():
            show_published(console, result, recipes()[request.recipe], experiment)
    if result.status == "finished":
        add_report(result.folder, None if json else console)
    return result.exit_status


def add_report(folder: Path, console: Console | None) -> None:
    """Write the report of a run, which stands as it is whatever becomes of its report."""
    from harness.report.build import write_report

    try:
        path = write_report([folder], folder)
    except Exception as error:
        told = in_one_line(error)
        print(
            f"no report: {told}; to try again: python -m harness report {folder}", file=sys.stderr
        )
    else:
        if console:
            console.print(Text(f"report: {path}"), soft_wrap=True)
