"""A chapter as a Jupyter notebook, in the framework of one backend.

The sources are in ``sources``: a Markdown file for each document, where a fence of
Python is a cell of code and all else is prose; ``parts``, which several of them share; and
``frameworks.toml``, the lines that differ by framework, put where ``<<name>>`` stands. A solution
is cut out of the framework's own ``scratch.py``. Chapter 9 has its cells in ``chapter_nine``, a
file for each framework, put where ``<<cell[12]>>`` stands. A backend without such lines, as a
plug-in is, has ``contract.md`` alone.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from backends import BACKENDS, installs, plugins, registry
from common.errors import RequestError
from common.experiment import Experiment
from harness.console import printable
from harness.page.rosetta import excerpt
from harness.recipes import Recipe, recipes

SOURCES = Path(__file__).with_name("sources")
DOCUMENTS = {"000": "functional", "001": "lyrics", "002": "he-normal", "003": "chapter-9"}
"""Word for each document, in the names of files."""
BY_THE_CONTRACT = "000"
"""The one document of a backend without lines of its own: another text under the same number."""

FENCE = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^(?=#+ )|^(?=<details>)|(?<=^</details>$)", re.MULTILINE)
"""Places where prose is cut into cells: before a heading, and around what is folded away."""

BLANKS = """
    get_params init_rnn_state rnn RNNModelScratch
    predict_rnn grad_clipping train_epoch_rnn train_rnn
""".split()
"""Functions and the class that a student writes, in the chapter's order."""
CELL = re.compile(r"^# cell (\d+)\n", re.MULTILINE)


@dataclass(frozen=True)
class FullRun:
    """Full run of a document: the settings of a recipe, and what they reach."""

    experiment: Experiment
    reached: str


def file_name(document: str, backend: str) -> str:
    """The name of a notebook among others."""
    return f"{document}-{DOCUMENTS[document]}-{backend}.ipynb"


def render(document: str, backend: str) -> str:
    """The Markdown of a document, with the lines of a backend's framework."""
    if backend not in _frameworks():
        return _by_the_contract(backend)
    entry, topics = BACKENDS[backend], {name: name for name in BLANKS}
    return _template(document).render(
        framework(backend),
        backend=backend,
        package=entry.module.rpartition(".")[0],
        requirement=f"rnn-rosetta[{backend}]" if entry.requires else "rnn-rosetta",
        solutions={name: excerpt(backend, name, topics).rstrip() for name in BLANKS},
        cell=chapter_nine(backend) if document == "003" else {},
        recipes={
            name: FullRun(Experiment.of(recipe.settings), _reached(recipe))
            for name, recipe in recipes().items()
            if recipe.seed_document == document
        },
    )


def documents_of(backend: str) -> list[str]:
    """The documents that are written in a backend's framework."""
    return [*DOCUMENTS] if backend in _frameworks() else [BY_THE_CONTRACT]


def _by_the_contract(backend: str) -> str:
    """The Markdown of the document that any backend has, a plug-in too: it asks the contract."""
    entry, topics = registry()[backend], {name: name for name in BLANKS}
    shown = {name: excerpt(backend, name, topics).rstrip() for name in BLANKS}
    return _template("contract").render(
        backend=backend,
        title=printable(entry.title or backend),
        dtype=entry.dtypes[0],
        path=plugins.path_of(backend),
        shown={name: code for name, code in shown.items() if code},
    )


def _template(document: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SOURCES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown of our own, and nothing from outside
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    return environment.get_template(f"{document}.md")


def chapter_nine(backend: str) -> dict[int, str]:
    """The cells of chapter 9 in object style, by number, in a backend's framework.

    Raises:
        RequestError: they are not written in this one yet.
    """
    path = cell_file(backend)
    if not path.exists():
        there = ", ".join(name for name in BACKENDS if cell_file(name).exists())
        raise RequestError(f"seed document 003 is not written in {backend} yet; it is in {there}")
    _, *parts = CELL.split(path.read_text(encoding="utf-8"))
    return {int(number): code.strip() for number, code in zip(parts[::2], parts[1::2], strict=True)}


def cell_file(backend: str) -> Path:
    """The place of these cells: those of both engines are one file."""
    folder = BACKENDS[backend].module.split(".")[1]
    return SOURCES / "chapter_nine" / f"{folder}.py"


def framework(backend: str) -> dict[str, Any]:
    """The lines of a backend's framework by name."""
    tables = _frameworks()
    lines: dict[str, Any] = {"nd": False, "flax": False}
    if like := tables[backend].pop("like", None):
        lines |= tables[like]
    lines |= tables[backend]
    return {name: _bare(value) for name, value in lines.items()}


def _frameworks() -> dict[str, dict[str, Any]]:
    return tomllib.loads((SOURCES / "frameworks.toml").read_text(encoding="utf-8"))


def _bare(value: Any) -> Any:
    """A value of several lines without the line break that it begins with."""
    return value.removeprefix("\n") if isinstance(value, str) else value


def _reached(recipe: Recipe) -> str:
    """The published figures in words, epoch by epoch."""
    parts = []
    for band in recipe.published:
        if band.low is not None:
            parts.append(f"{band.low} to {band.high} after {band.epoch}")
        if band.val_low is not None:
            parts.append(f"validation {band.val_low} to {band.val_high} after {band.epoch}")
    return "; ".join(parts)


def assemble(text: str) -> str:
    """The notebook of a Markdown text, as JSON: valid, without outputs, the same every time.

    Raises:
        RequestError: nbformat is not installed.
    """
    try:
        import nbformat
        from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    except ImportError as error:
        raise RequestError(f"nbformat not installed: {installs('notebook')}") from error

    cells = []
    for i, part in enumerate(FENCE.split(text)):
        if i % 2:
            cells.append(new_code_cell(part))
        else:
            sections = (section.strip() for section in SECTION.split(part))
            cells += [new_markdown_cell(section) for section in sections if section]
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number:03}"  # nbformat's own are random
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook).rstrip()}\n"
