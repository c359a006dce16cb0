"""A study: a grid of experiments in one TOML file, read and validated before anything runs.

    title = "Activation and clipping"
    recipe = "quickstart"
    backends = ["torch", "jax"]        # every available one, if left out
    variants = ["scratch"]             # scratch, if left out

    [settings]                         # replace those of the recipe, in every grid
    num_epochs = 20

    [[grid]]
    name = "activation-clipping"
    question = "What do the activation and clipping change?"
    [grid.settings]                    # replace them in this grid
    lr = 0.5
    [grid.vary]                        # every combination is a cell
    activation = ["tanh", "relu"]
    clip_theta = [0, 1]

Settings are those of `common.experiment.Experiment`.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.errors import RequestError, unknown
from common.experiment import Experiment
from harness.checks import select
from harness.recipes import experiment_of
from harness.toml import read_toml, wrong_key

SHIPPED = Path(__file__).with_name("shipped")
"""The studies that come with the project."""

MOST = 1000
"""Cells that a study may have."""

Values = Annotated[list[Any], Field(min_length=1)]


class Grid(BaseModel):
    """One question: settings, and what of them varies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,60}$")]
    question: Annotated[str, Field(min_length=1)]
    settings: dict[str, Any] = {}
    vary: Annotated[dict[str, Values], Field(min_length=1)]


class Study(BaseModel):
    """Contents of a study file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1)]
    recipe: str = "quickstart"
    backends: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("scratch",)
    settings: dict[str, Any] = {}
    grid: Annotated[tuple[Grid, ...], Field(min_length=1)]


@dataclass(frozen=True)
class GridCell:
    """One experiment of a study.

    Attributes:
        grid: the name of its grid.
        varied: the settings in which it differs from the others of its grid.
        experiment: all of its settings.
    """

    grid: str
    varied: dict[str, Any]
    experiment: Experiment

    @property
    def name(self) -> str:
        """Name of its folder in that of its grid: ``activation=tanh,clip_theta=0``."""
        told = ",".join(f"{name}={value}" for name, value in self.varied.items())
        safe = re.sub(r"[^\w=,.+-]", "_", told)
        if len(safe) > 100 or safe != told:
            safe = f"{safe[:90]}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
        return safe


def find_study(name: str) -> Path:
    """The file of this path, or the study of this name that comes with the project.

    Raises:
        RequestError: there is neither.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = {path.name: path for path in sorted(SHIPPED.glob("*.toml"))}
    if name not in shipped:
        raise unknown("study file", name, shipped)
    return shipped[name]


def load_study(path: Path) -> Study:
    """Read a study file.

    Raises:
        RequestError: the file cannot be read, is not TOML, or says what a study does not have.
    """
    try:
        study = Study(**read_toml(path))
    except ValidationError as error:
        raise wrong_key(path, error) from error
    try:
        select(study.backends, study.variants)
        cells(study)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    return study


def cells(study: Study) -> list[GridCell]:
    """Every cell of a study, grid by grid; what is named last in a grid varies fastest.

    Raises:
        RequestError: a setting is wrong, two cells or grids are the same, or there are too many.
    """
    names = [grid.name for grid in study.grid]
    if len(set(names)) < len(names):
        raise RequestError("two grids have the same name")
    if sum(math.prod(map(len, grid.vary.values())) for grid in study.grid) > MOST:
        raise RequestError(f"more than {MOST} cells: vary fewer settings at once")
    found = []
    for grid in study.grid:
        for values in product(*grid.vary.values()):
            varied = dict(zip(grid.vary, values, strict=True))
            settings = study.settings | grid.settings | varied
            try:
                experiment = experiment_of(study.recipe, settings)
            except RequestError as error:
                raise RequestError(f"grid {grid.name}: {error}") from error
            found.append(GridCell(grid.name, varied, experiment))
    seen: dict[tuple[str, Experiment], GridCell] = {}
    for cell in found:
        if (cell.grid, cell.experiment) in seen:
            raise RequestError(f"grid {cell.grid}: {cell.name} stands there twice")
        seen[cell.grid, cell.experiment] = cell
    return found
