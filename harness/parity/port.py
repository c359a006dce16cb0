"""``parity --model``: a user's own training step against the reference, and the likely causes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from common.causes import PortParity, Quantity, parity_of
from common.errors import RequestError, in_one_line, unknown
from harness.console import titled


def compare_port(model: str) -> PortParity:
    """Compare the function that ``--model`` names; whatever it prints goes to standard error.

    Raises:
        RequestError: there is none, it raises, or it gives something that is not meant.
    """
    with _named(model), redirect_stdout(sys.stderr):
        return parity_of(_loaded(model))


@contextmanager
def _named(model: str) -> Iterator[None]:
    """Put the option before what is said of it."""
    try:
        yield
    except RequestError as error:
        raise RequestError(f"--model {model}: {error}") from error


def _loaded(model: str) -> Callable[..., Any]:
    """The function of ``PATH:FUNCTION``, whose file is run as a module of its own folder."""
    name, _, function = model.rpartition(":")
    path = Path(name)
    if not name or not function:
        raise RequestError("PATH:FUNCTION is meant, such as port.py:step")
    spec = spec_from_file_location("model_of_the_user", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise RequestError(f"no such file of Python: {path}")
    module = sys.modules[spec.name] = module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # anybody's own, whatever it is
        raise RequestError(f"it does not import: {in_one_line(error)}") from error
    functions = {name: each for name, each in vars(module).items() if callable(each)}
    if function not in functions:
        raise unknown("function", function, functions)
    found: Callable[..., Any] = functions[function]
    return found


def facts(result: PortParity) -> dict[str, Any]:
    """The result for programs."""
    rows = [asdict(quantity) | {"wrong": quantity.wrong} for quantity in result.quantities]
    first = result.first.name if result.first else None
    return {"equal": result.equal, "first": first} | asdict(result) | {"quantities": rows}


def show(console: Console, result: PortParity) -> None:
    """Print every quantity, which is wrong first, and the likely causes."""
    table = titled(f"the port against the reference, in {result.dtype}")
    for name in ("quantity", "error", "tolerance", "wrong from", ""):
        table.add_column(name, justify="left" if name in ("quantity", "") else "right")
    for each in result.quantities:
        words = [f"{each.error:.1e}", f"{each.tolerance:.0e}"]
        words += [f"minibatch {each.minibatch}", times(each)] if each.wrong else ["", ""]
        table.add_row(each.name, *words, style="red" if each.wrong else "")
    console.print(table)
    if result.not_given:
        console.print(Text(f"not given: {', '.join(result.not_given)}"))
    if not result.first:
        console.print("equal to the reference in all that was given")
        return
    first = result.first
    console.print(
        Text(f"first wrong: {first.name}, in minibatch {first.minibatch}, by {first.error:.1e}")
    )
    console.print("likely causes:" if result.causes else "no fault that is known looks like it")
    for i, cause in enumerate(result.causes, start=1):
        how = "explains all that was given" if cause.explains else f"{cause.likeness:.0%} alike"
        console.print(Text(f"{i}. {cause.cause} ({how})"))


def times(quantity: Quantity) -> str:
    """The multiple that a wrong quantity is of the right one, in words."""
    return "" if quantity.ratio is None else f"{quantity.ratio:.4g} times what it should be"
