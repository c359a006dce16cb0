"""Completion of the command line by the Tab key, as Cyclopts writes it for a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from common.errors import RequestError
from harness.console import printable

Shell = Literal["bash", "zsh", "fish"]

LOADED_BY = {
    "bash": "~/.bashrc loads it",
    "zsh": "~/.zshrc finds it, if compinit runs there: autoload -Uz compinit && compinit",
    "fish": "fish finds it there",
}


def install(app: App, shell: Shell | None, out: Path | None) -> None:
    """Write the completion of an app, and say where it is and what loads it.

    Args:
        app: its name is the program's: shells complete a program, not a module of Python.
        shell: None for the one that this process was started from.
        out: where to write it, and change nothing else.

    Raises:
        RequestError: it is not known which shell, or a file cannot be written.
    """
    shell = shell or _shell_around()
    try:
        path = app.install_completion(shell=shell, output=out, add_to_startup=out is None)
    except OSError as error:
        raise RequestError(f"{error.filename}: cannot be written: {error.strerror}") from error
    print(printable(f"completion of {app.name[0]} in {shell}: {path}"))
    print("source it in your startup file" if out else f"{LOADED_BY[shell]}; open a new {shell}")


def _shell_around() -> Shell:
    from cyclopts.completion.detect import ShellDetectionError, detect_shell

    try:
        found = detect_shell()
    except ShellDetectionError:
        found = None
    if found is None or found == "powershell":
        raise RequestError("--install-completion: which shell? Add --shell bash, zsh or fish")
    return found


ShellOption = Annotated[
    Shell | None, Parameter(name="--shell", help="default: the one that this is typed in")
]
OutOption = Annotated[
    Path | None,
    Parameter(
        name="--out",
        help="write the script there and change nothing else (default: where the shell looks "
        "for it; bash and zsh get a line in their startup file)",
    ),
]
