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

    [[grid]]
    name = "search"
    question = "Which of many is best?"
    sample = 50                        # draws so many cells instead of every combination,
    draw = "sobol"                     # evenly (after Sobol), or "random",
    draw_seed = 0                      # the same ones each time
    [grid.ranges]                      # from these ranges, of whole numbers if both ends are,
    lr = { low = 0.1, high = 3.0, log = true }
    num_hiddens = { low = 32, high = 512 }
    [grid.vary]                        # and from these lists
    activation = ["tanh", "relu"]

Settings are those of `common.experiment.Experiment`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from common.errors import RequestError, unknown
from common.experiment import Experiment
from harness.checks import select
from harness.recipes import experiment_of
from harness.study.drawing import Draw, Range, drawn
from harness.toml import read_toml, wrong_key

SHIPPED = Path(__file__).with_name("shipped")
"""The studies that come with the project."""

MOST = 1000
"""Cells that a study may have which are not drawn: more are rarely meant."""

MOST_DRAWN = 1_000_000
"""Cells that a grid may draw."""

Values = Annotated[list[Any], Field(min_length=1)]


class Grid(BaseModel):
    """One question: settings, and what of them varies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,60}$")]
    question: Annotated[str, Field(min_length=1)]
    settings: dict[str, Any] = {}
    vary: Annotated[dict[str, Values], Field(min_length=1)] = Field(default={})
    ranges: dict[str, Range] = {}
    sample: Annotated[int, Field(ge=1, le=MOST_DRAWN)] | None = None
    draw: Draw = "sobol"
    draw_seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def go_together(self) -> Self:
        """See that something varies, and that ranges are sampled."""
        if not self.vary and not self.ranges:
            raise PydanticCustomError("together", "nothing varies: give [grid.vary], or a sample")
        if self.ranges and self.sample is None:
            raise PydanticCustomError("together", "ranges have no end of values: give a sample")
        if both := [name for name in self.ranges if name in self.vary]:
            raise PydanticCustomError("together", f"{both[0]} is varied and a range")
        return self

    def combinations(self) -> Iterator[dict[str, Any]]:
        """The settings of every cell, or of those that are drawn."""
        if self.sample is None:
            for values in product(*self.vary.values()):
                yield dict(zip(self.vary, values, strict=True))
        else:
            choices: dict[str, Range | list[Any]] = {**self.ranges, **self.vary}
            yield from drawn(choices, self.sample, self.draw, self.draw_seed)


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
        encoded = safe.encode()  # a file system counts bytes
        if len(encoded) > 100 or safe != told:
            first = encoded[:90].decode(errors="ignore")
            safe = f"{first}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
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
        check(study)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    return study


def check(study: Study) -> None:
    """See that a study has backends, variants and cells that there are.

    Raises:
        RequestError: it has not; see `each_cell`.
    """
    select(study.backends, study.variants)
    for _ in each_cell(study):
        pass


def cells(study: Study) -> list[GridCell]:
    """Every cell of a study; see `each_cell`."""
    return [*each_cell(study)]


def many(study: Study, most: int) -> bool:
    """True if a study has more cells than so many."""
    return next(islice(each_cell(study), most, None), None) is not None


def each_cell(study: Study) -> Iterator[GridCell]:
    """Every cell of a study, grid by grid; what is named last in a grid varies fastest.

    Raises:
        RequestError: a setting is wrong, two cells or grids are the same, or there are too many.
    """
    names = [grid.name for grid in study.grid]
    if len(set(names)) < len(names):
        raise RequestError("two grids have the same name")
    whole = [grid for grid in study.grid if grid.sample is None]
    if sum(math.prod(map(len, grid.vary.values())) for grid in whole) > MOST:
        raise RequestError(f"more than {MOST} cells: vary fewer settings at once, or give a sample")
    seen: set[bytes] = set()
    for grid in study.grid:
        for varied in grid.combinations():
            settings = study.settings | grid.settings | varied
            try:
                experiment = experiment_of(study.recipe, settings)
            except RequestError as error:
                raise RequestError(f"grid {grid.name}: {error}") from error
            cell = GridCell(grid.name, varied, experiment)
            told = f"{grid.name} {experiment.model_dump_json()}"
            known = hashlib.sha256(told.encode()).digest()[:16]
            if known in seen:
                raise RequestError(f"grid {cell.grid}: {cell.name} stands there twice")
            seen.add(known)
            yield cell
