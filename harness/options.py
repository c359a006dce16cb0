"""Options of the commands, each once: its name, type, group and help.

A setting is an option as well, with the name, the type, the default and the description that it has
in its model (`as_options`); a command names those it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from cyclopts import Group, Parameter
from pydantic import BaseModel, model_validator

from common.errors import RequestError
from common.experiment import Experiment
from common.pipes import kept
from harness.formats import Format

CHOICE, DATA, NETWORK, TRAINING, MEASUREMENT, MACHINE, OUTPUT = (
    Group(name, sort_key=key)
    for key, name in enumerate(
        ["What to run", "Data", "Network", "Training", "Measurement", "Machine", "Output"]
    )
)

FLAT = Parameter(name="*")
"""Takes the fields of a model as options of their own names."""

Fields = TypeVar("Fields", bound=BaseModel)

Backends = Annotated[
    list[str] | None,
    Parameter(
        name="--backend",
        negative=(),
        group=CHOICE,
        help="only this backend (repeat, or separate by commas; default: every one but those of "
        "Keras); NAME@LABEL=PATH: the same in another Python, such as torch@2.12=PATH",
    ),
]
Variants = Annotated[list[str] | None, Parameter(name="--variant", negative=(), group=CHOICE)]
Pythons = Annotated[
    list[str] | None,
    Parameter(
        name="--python",
        negative=(),
        group=MACHINE,
        help="BACKEND=PATH: the Python of a backend with an environment of its own (repeat)",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    Parameter(
        name="--plugin",
        negative=(),
        group=CHOICE,
        help="a module (.py) or the folder of a package that adds a backend (repeat)",
    ),
]
DataDir = Annotated[
    Path | None, Parameter(group=DATA, help="where to look first for a published corpus")
]
Force = Annotated[
    bool,
    Parameter(
        negative=(),
        group=OUTPUT,
        show_default=False,
        help="replace the result that --out holds, once the new one is whole",
    ),
]
Quiet = Annotated[
    bool, Parameter(negative=(), group=OUTPUT, show_default=False, help="print the result alone")
]
CheckpointSeconds = Annotated[
    float, Parameter(group=OUTPUT, help="seconds of training between checkpoints on the way")
]
Json = Annotated[
    bool,
    Parameter(negative=(), group=OUTPUT, show_default=False, help="print the result as JSON alone"),
]

OutputFormat = Annotated[
    Format | None,
    Parameter(
        name="--format",
        group=OUTPUT,
        help="for other programs: Markdown, JUnit's XML, or annotations of GitHub Actions with the "
        "summary of the step",
    ),
]

Seeds = Annotated[
    list[str] | None,
    Parameter(
        name="--seed",
        negative=(),
        group=TRAINING,
        help="decides weights, order, offsets and what is sampled (repeat, or separate by commas: "
        "a study, with a run of each; default: 0)",
    ),
]


def split(names: list[str] | None) -> tuple[str, ...]:
    """Names that were repeated or separated by commas, each once."""
    parts = [part.strip() for name in names or [] for part in name.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def whole(option: str, given: list[str] | None) -> tuple[int, ...]:
    """Whole numbers that were repeated or separated by commas, each once.

    Raises:
        RequestError: one is none.
    """
    parts = split(given)
    if wrong := [part for part in parts if not part.lstrip("-").isdecimal()]:
        raise RequestError(f"{option} {wrong[0]}: a whole number, or several separated by commas")
    return tuple(dict.fromkeys(map(int, parts)))


class Options(Experiment):
    """Settings given on a command line, each within its range.

    What goes together shows once the recipe's settings, or a checkpoint's, stand beside them.
    """

    @model_validator(mode="after")
    def go_together(self) -> Self:
        """Leave that to the experiment that comes of them."""
        return self


def given(options: BaseModel | None) -> dict[str, Any]:
    """The settings that were given, by name; a corpus that is a pipe is kept as a file."""
    found = options.model_dump(include=options.model_fields_set) if options else {}
    if "corpus" in found:
        found["corpus"] = kept(found["corpus"])
    return found


def as_options(
    groups: Mapping[Group, str], defaults: Mapping[str, Any] | None = None
) -> Callable[[type[Fields]], type[Fields]]:
    """Make options of a model's fields, for Cyclopts to flatten; the other fields are none.

    Args:
        groups: their names by group.
        defaults: values that ``--help`` shows in place of the model's own.
    """

    def mark(model: type[Fields]) -> type[Fields]:
        where = {name: group for group, names in groups.items() for name in names.split()}
        for name, field in model.model_fields.items():
            default = (defaults or {}).get(name, field.default)
            option = Parameter(
                name="--prefix" if name == "prefixes" else None,
                negative=None if field.annotation is bool else (),
                group=where.get(name),
                parse=name in where,
                show_default=partial(_shown, default) if default is not None else False,
            )
            field.metadata = [*field.metadata, option]
        return model

    return mark


def _shown(default: Any, _: Any) -> str:
    return ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def seconds(given: float) -> float:
    """The seconds of ``--checkpoint-seconds``.

    Raises:
        RequestError: they are none.
    """
    if not given >= 0:
        raise RequestError(f"--checkpoint-seconds {given:g}: from 0, which is after every step")
    return given
