"""The recipes: read from ``recipes.toml`` and validated."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from common.errors import unknown
from common.experiment import Experiment
from common.sources import NAMES
from harness.toml import read_toml, wrong_key

FILE = Path(__file__).with_name("recipes.toml")


class Published(BaseModel):
    """A published band: what perplexity an epoch is known to reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    low: float | None = None
    high: float | None = None
    val_low: float | None = None
    val_high: float | None = None
    source: str

    def holds(self, perplexity: float, val_perplexity: float | None) -> bool:
        """True if an epoch's perplexities lie in the band."""
        return _within(perplexity, self.low, self.high) and _within(
            val_perplexity, self.val_low, self.val_high
        )


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None or high is None:
        return True  # nothing published
    return value is not None and low <= value <= high


class Recipe(BaseModel):
    """Settings with a name, and the published figures they are checked against."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    seed_document: str
    settings: dict[str, Any]
    published: tuple[Published, ...] = ()

    def published_for(self, experiment: Experiment) -> tuple[Published, ...]:
        """The figures an experiment is checked against: none unless its settings are the recipe's.

        Its seed, threads and devices are its own.
        """
        own = "seed", "threads", "device", "devices", "deterministic"
        free = {name: getattr(experiment, name) for name in own}
        return self.published if Experiment.of(self.settings | free) == experiment else ()


SIZES = {"batch_size", "num_hiddens", "num_layers", "embed_size"}
"""Settings that decide how many threads are worth it."""

RECIPES = TypeAdapter(dict[str, Recipe])


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by name, in the order of the file.

    Raises:
        RequestError: the file is damaged.
    """
    try:
        return RECIPES.validate_python(read_toml(FILE))
    except ValidationError as error:
        raise wrong_key(FILE, error) from error


def experiment_of(name: str, overrides: dict[str, Any]) -> Experiment:
    """A recipe's experiment, with some settings replaced.

    Another corpus is prepared in its own way, not in that of the recipe's; of a text of the user's
    own, all is taken. A recipe's few threads are for networks of its own size, and its corpus.

    Raises:
        RequestError: there is no such recipe, or a setting is wrong.
    """
    if name not in recipes():
        raise unknown("recipe", name, recipes())
    settings, of_recipe = recipes()[name].settings, set[str]()
    if overrides.get("corpus", settings["corpus"]) != settings["corpus"]:
        of_recipe = {"edition"} if overrides["corpus"] in NAMES else {"edition", "max_tokens"}
        of_recipe |= {"threads"}
    if overrides.keys() & SIZES:
        of_recipe |= {"threads"}
    settings = {key: value for key, value in settings.items() if key not in of_recipe}
    return Experiment.of(settings | overrides)
