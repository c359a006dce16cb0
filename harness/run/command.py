"""``run``: train and predict, the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from common.errors import RequestError
from common.experiment import Experiment
from harness.console import note, print_json
from harness.formats import console_for, tell
from harness.options import (
    CHOICE,
    DATA,
    FLAT,
    MACHINE,
    MEASUREMENT,
    NETWORK,
    OUTPUT,
    TRAINING,
    Backends,
    CheckpointSeconds,
    DataDir,
    Json,
    Options,
    OutputFormat,
    Pythons,
    Quiet,
    Seeds,
    Variants,
    as_options,
    given,
    seconds,
    split,
    whole,
)


@as_options(
    {
        DATA: "corpus token max_tokens min_freq sampling batch_size num_steps",
        NETWORK: "input embed_size num_layers num_hiddens init sigma activation dtype",
        TRAINING: "lr clip_theta state keep_graph num_epochs",
        MACHINE: "device devices deterministic threads",
        OUTPUT: "prefixes num_preds pred_period decode alpha temperature",
    }
)
class Settings(Options):
    """The settings of a run that are options."""


def run(
    *,
    recipe: Annotated[str | None, Parameter(group=CHOICE)] = None,
    backend: Backends = None,
    variant: Variants = None,
    resume: Annotated[Path | None, Parameter(group=CHOICE)] = None,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    data_dir: DataDir = None,
    baselines: Annotated[Literal["on", "off"], Parameter(group=MEASUREMENT)] = "on",
    settings: Annotated[Settings | None, FLAT] = None,
    seed: Seeds = None,
    python: Pythons = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    quiet: Quiet = False,
    json: Json = False,
    form: OutputFormat = None,
) -> int:
    """Train and predict on every available backend, print the table and write a run folder.

    The defaults shown are those of the functional chapter; a recipe sets some of its own.

    Parameters
    ----------
    recipe
        where the settings come from; every option below replaces one (default: quickstart)
    variant
        scratch, fused, concise or object (repeat, or separate by commas; default: scratch)
    baselines
        count n-grams once all is trained, for lines in the report that a network has to get below
    resume
        go on from this checkpoint, with its settings, up to --num-epochs
    out
        the run folder, or that of a study with several seeds or an engine; one of this very run
        that was cut off is gone on with (default: a new one in runs)
    """
    from dataclasses import replace

    from common.checkpoint import load_checkpoint
    from common.inputs import read_inputs
    from harness.checks import own_prefixes, told_whose, unseen_by
    from harness.recipes import experiment_of, recipes
    from harness.run.outcomes import outcomes
    from harness.run.progress import Live, Silent
    from harness.run.tables import show_published, show_result, trained_on
    from harness.run.train import RunRequest
    from harness.run.train import run as run_request
    from harness.workers.cpus import fewer_than_asked
    from harness.workers.interpreters import asked

    chosen, (names, pythons) = given(settings), asked(backend, python)
    chosen |= {"seed": seeds[0]} if (seeds := whole("--seed", seed)) else {}
    if resume:
        if recipe:
            raise RequestError(
                "--resume takes its settings from the checkpoint: leave out --recipe"
            )
        saved = load_checkpoint(resume)
        experiment = Experiment.of(saved.experiment.model_dump() | chosen)
        source = f"checkpoint {resume}, where it was trained"
    else:
        experiment = experiment_of(recipe or "quickstart", chosen)
        source = f"recipe {recipe or 'quickstart'}"
    request = RunRequest(
        "resumed" if resume else recipe or "quickstart",
        experiment,
        names,
        split(variant) or ("scratch",),
        data_dir,
        out,
        pythons,
        resume,
        checkpoint_seconds=seconds(checkpoint_seconds),
        baselines=baselines == "on",
    )
    note(fewer_than_asked(experiment.threads))
    console = console_for(json, form)
    display = (
        Silent()
        if quiet or json or form
        else Live(console, experiment.num_epochs, experiment.pred_period)
    )
    try:
        inputs = read_inputs(experiment, data_dir)
        request = replace(request, inputs=inputs)
        if "prefixes" not in chosen:
            own, said = own_prefixes(experiment, inputs, begins=not resume)
            request = replace(request, experiment=own)
            note(said)
        note(unseen_by(inputs.vocab, request.experiment.prefixes))
        with display:
            result = run_request(request, display)
    except RequestError as error:
        raise told_whose(error, experiment, chosen, source) from error
    if json:
        print_json(
            {
                "run": str(result.folder),
                "status": result.status,
                "rows": [row.summary() for row in result.rows],
            }
        )
    show_result(console, result, trained_on(inputs))
    if request.recipe in recipes():
        show_published(console, result, recipes()[request.recipe], experiment)
    if result.status == "finished":
        add_report(result.folder, console)
    tell(form, "run", outcomes(result), console)
    return result.exit_status


def add_report(folder: Path, console: Console) -> None:
    """Write the report of a run, which stands as it is whatever becomes of its report."""
    from harness.page import write
    from harness.report.build import told_of

    if line := write.add_report(lambda: told_of([folder]), folder, folder):
        console.print(Text(line), soft_wrap=True)
