"""``run`` with several seeds, or with an engine: a study of seeds, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from common.errors import RequestError
from common.inputs import read_inputs
from harness.checks import own_prefixes, unseen_by
from harness.console import STYLES, figure, note, titled
from harness.engines.options import Engines
from harness.lock import begun
from harness.options import given, seconds, split, whole
from harness.paths import new_folder
from harness.recipes import experiment_of
from harness.records.tables import holds
from harness.study.ending import tidy
from harness.study.grid import Grid, Study, check
from harness.study.run import StudyRequest
from harness.study.whole import carry_out
from harness.workers.interpreters import asked

QUESTION = "How far do the seeds lead apart?"

OF_ONE_RUN = {"resume": "--resume", "form": "--format"}
"""Options of a single run, by the name of their parameter."""


def run_seeds(
    engines: Engines,
    store: str | None,
    apart: bool,
    *,
    recipe: str | None = None,
    backend: list[str] | None = None,
    variant: list[str] | None = None,
    seed: list[str] | None = None,
    settings: Any = None,
    data_dir: Path | None = None,
    python: list[str] | None = None,
    checkpoint_seconds: float = 60.0,
    baselines: str = "on",
    out: Path | None = None,
    quiet: bool = False,
    json: bool = False,
    **of_one_run: Any,
) -> int:
    """Run every seed, all of its backends on one machine, and make one report of them.

    Args:
        engines, store: where the seeds are run.
        apart: True if the backends of a seed may be run on several machines.
        recipe: and the others, as of `harness.run.command.run`.

    Returns:
        0 if every row is ok; what is not available counts only if it was asked for by name.

    Raises:
        RequestError: something that was asked for does not exist or does not fit.
    """
    named = [option for name, option in OF_ONE_RUN.items() if of_one_run.get(name)]
    named += ["--baselines off"] * (baselines == "off")
    if named:
        raise RequestError(f"{named[0]}: of a single run: give one --seed, and no engine")
    recipe, chosen = recipe or "quickstart", given(settings)
    names, pythons = asked(backend, python)
    seeds = whole("--seed", seed) or (experiment_of(recipe, chosen).seed,)
    chosen |= {"prefixes": _prefixes(recipe, chosen | {"seed": seeds[0]}, data_dir)}
    grid = Grid(name="seeds", question=QUESTION, vary={"seed": [*seeds]})
    told = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    study = Study(
        title=f"{recipe}, {told}",
        recipe=recipe,
        backends=names,
        variants=split(variant) or ("scratch",),
        settings=chosen,
        grid=(grid,),
    )
    check(study)
    folder = out or new_folder(f"{recipe}-seeds")
    if begun(folder) and not holds(folder, "study.json"):
        raise RequestError(
            f"--out {folder}: exists already and holds no study; name a folder that does not"
        )
    order = StudyRequest(
        study,
        folder,
        data_dir,
        pythons,
        seconds(checkpoint_seconds),
        engines.engine,
        engines.checked(folder),
        store,
        apart,
    )
    if apart and order.in_order:
        raise RequestError("--apart: with an engine alone: give --engine NAME")
    status = carry_out(order, json=json, quiet=quiet or json, show=None if json else show)
    return status or _status(order)


def _prefixes(recipe: str, chosen: dict[str, Any], data_dir: Path | None) -> tuple[str, ...]:
    """The prefixes that were given; else those of the text."""
    experiment = experiment_of(recipe, chosen)
    inputs = read_inputs(experiment, data_dir)
    if "prefixes" not in chosen:
        experiment, said = own_prefixes(experiment, inputs, begins=True)
        note(said)
    note(unseen_by(inputs.vocab, experiment.prefixes))
    return experiment.prefixes


def _status(order: StudyRequest) -> int:
    rows = tidy(order)
    asked_for = rows.backend.isin(order.study.backends)
    judged = rows[(rows.status != "unavailable") | asked_for].status == "ok"
    return 0 if len(judged) and judged.all() else 1


def show(console: Console, order: StudyRequest) -> None:
    """Print a row for each backend and variant, over all seeds."""
    rows = tidy(order)
    table = titled(f"{order.study.title}: medians over seeds")
    for name in ("backend", "variant", "status"):
        table.add_column(name, no_wrap=True)
    machines = rows.machine[rows.status == "ok"].nunique()
    for name in ("perplexity", "lowest", "highest", *["tokens/s"] * (machines == 1)):
        table.add_column(name, justify="right", no_wrap=True)
    for (backend, variant), mine in rows.groupby(["backend", "variant"], sort=False):
        ended = mine[mine.status == "ok"]
        last = ended.perplexity
        counts = mine.status.value_counts(sort=False).items()
        status = ", ".join(f"{n} {name}" if len(mine) > 1 else str(name) for name, n in counts)
        figures = [figure(each, ".4f") for each in (last.median(), last.min(), last.max())]
        if machines == 1:
            figures.append(figure(ended.tokens_per_sec.median(), ",.0f"))
        style = STYLES.get(mine.status.iloc[0], "red") if mine.status.nunique() == 1 else "yellow"
        table.add_row(str(backend), str(variant), Text(status, style), *figures)
    console.print(table)
    if machines > 1:
        console.print(f"on {machines} machines: speeds are in the report, machine by machine")
