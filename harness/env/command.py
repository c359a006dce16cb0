"""``env``: an environment for each version of a framework."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from harness.console import print_json, screen, titled
from harness.options import CHOICE, Json, split


def env(
    *versions: Annotated[str, Parameter(group=CHOICE)],
    json: Json = False,
) -> int:
    """Build environments of versions of a framework, to be held against each other.

    After `env torch@2.12 torch@2.13`, `bench --backend torch@2.12,torch@2.13` times both in turns,
    and so does any command that takes --backend. Each is a venv in the user's cache: the project's
    requirements as constraints.txt pins them, and the framework with what that version asks for.
    Without a name, those that are there.

    Parameters
    ----------
    versions
        a backend and a version of its framework, as in jax@0.9.2; one that is there is kept
    """
    from harness.env.build import build, built, check
    from harness.workers.errors import WorkerError
    from harness.workers.interpreters import environment

    names = split([*versions])
    for name in names:
        check(name)
    console, failures = Console(quiet=True) if json else screen(), {}
    for name in names:
        with console.status(f"{name}: installing, which may take minutes"):
            try:
                made = build(name)
            except WorkerError as error:
                failures[name] = str(error)
                continue
        word = "built" if made else "there already"
        console.print(Text(f"{name}: {word}: {environment(name)}"), soft_wrap=True)
    for name, reason in failures.items():
        console.print(Text(f"{name}: not built: {reason}", "red"), soft_wrap=True)
    if json:
        print_json({"environments": built(), "failures": failures})
    elif names and not failures:
        console.print(f"to compare them: python -m harness bench --backend {','.join(names)}")
    elif not names:
        table = titled("Environments")
        table.add_column("backend")
        table.add_column("folder", overflow="fold")
        for name, folder in built().items():
            table.add_row(name, folder)
        console.print(table if table.row_count else "none yet: such as env torch@2.12 torch@2.13")
    return 1 if failures else 0
