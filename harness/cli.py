"""The command line: every command by its name, and how a command ends."""

from __future__ import annotations

import errno
import inspect
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Literal, NoReturn

from cyclopts import App, CycloptsError, Group
from cyclopts.exceptions import UnusedCliTokensError
from pydantic import ValidationError

from backends import plugins, taken
from common.errors import RequestError, StorageError, fault_of, in_one_line, unknown
from harness import interrupts
from harness.about import NAME, version
from harness.bptt.command import bptt
from harness.compare.command import compare
from harness.completion import OutOption, ShellOption, install
from harness.console import in_brief
from harness.corpus.command import corpus
from harness.env.command import env
from harness.history.command import history
from harness.listing.command import list_
from harness.notebook.command import notebook
from harness.options import Plugins
from harness.parity.command import parity
from harness.predict.command import predict
from harness.report.command import report
from harness.scale.command import scale
from harness.sequence.command import sequence
from harness.spread.command import bench, run
from harness.streams import make_streams_last, output_was_lost
from harness.study.command import study
from harness.workers.errors import WorkerError

COMMANDS: dict[str, Callable[..., int | None]] = {
    "run": run,
    "list": list_,
    "parity": parity,
    "predict": predict,
    "bench": bench,
    "scale": scale,
    "report": report,
    "compare": compare,
    "study": study,
    "sequence": sequence,
    "bptt": bptt,
    "corpus": corpus,
    "notebook": notebook,
    "env": env,
}


def with_plugins(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command with the option ``--plugin``: what that names is there before it begins."""

    @wraps(command)
    def plugged_in(*words: Any, plugin: list[Path] | None = None, **options: Any) -> int | None:
        plugins.add(plugin or (), taken())
        return command(*words, **options)

    own = inspect.signature(command)
    option = inspect.Parameter("plugin", inspect.Parameter.KEYWORD_ONLY, default=None)
    together = own.replace(parameters=[*own.parameters.values(), option])
    plugged_in.__signature__ = together  # type: ignore[attr-defined]
    plugged_in.__annotations__ = command.__annotations__ | {"plugin": Plugins}
    return plugged_in


SHELL = Group("Shell", sort_key=0)  # below the commands


def command_line(name: str) -> App:
    """All commands, as a program of this name."""
    made = App(
        name=name,
        help="One character-level RNN from scratch in four frameworks: the same weights, the same "
        "batches, the same numbers. Without a command, `run`.",
        help_format="plaintext",
        version=version,
        version_flags=("--version",),
        suppress_keyboard_interrupt=False,
    )
    made.default(with_plugins(run))
    for command, function in COMMANDS.items():
        made.command(with_plugins(function), name=command)
    made.command(history())
    made.command(install_completion, name="--install-completion", group=SHELL)
    return made


def install_completion(*, shell: ShellOption = None, out: OutOption = None) -> None:
    """Complete commands, options and choices of the program `rnn-rosetta` by the Tab key."""
    install(command_line(NAME), shell, out)


app = command_line("python -m harness")


def fail(message: str, status: Literal[1, 2]) -> NoReturn:
    """End with one line on standard error; where a signal came, that is why."""
    if interrupts.heard():
        interrupts.end()
    print(f"error: {in_brief(message)}", file=sys.stderr)
    raise SystemExit(status)


OF_THE_REQUEST = (
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
)
"""Errors of the system that another path mends, if they come before anything is written."""


def is_of_the_request(error: OSError | MemoryError) -> bool:
    """True if the system refused a path that was asked for."""
    if isinstance(error, StorageError | MemoryError):
        return False
    return error.errno in OF_THE_REQUEST


def check_start(words: Sequence[str]) -> None:
    """See that Python kept what help and charts are made of, and that every word is a text.

    Raises:
        RequestError: it did not, or one is none.
    """
    if sys.flags.optimize > 1:
        raise RequestError(
            "PYTHONOPTIMIZE=2 (python -OO) leaves out docstrings, which help and charts are made "
            "of: unset it, or take 1"
        )
    for word in words:
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise RequestError(
                f"{ascii(word)[1:-1]}: not UTF-8: give it another name (where it is UTF-8, the "
                "locale is not: set PYTHONUTF8=1)"
            )


def fault_in(error: CycloptsError) -> str:
    """The fault of a command line, in one line that says where help is."""
    chain = list(error.command_chain or ())
    where = " ".join(["python -m harness", *chain, "--help"])
    if isinstance(error.__cause__, ValidationError):
        return fault_of(error.__cause__)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        word = error.unused_tokens[0]
        if not chain:
            return str(unknown("command", word, [*COMMANDS, "history"]))
        return f"{' '.join(chain)} {word}: one word too many; see {where}"
    said = " ".join(str(error).split())
    helped = "Did you mean" in said or "Choose from" in said
    return said if helped else f"{said.rstrip('.')}; see {where}"


def main() -> None:
    """Run the command line: 0 all well, 1 something failed, 2 the request was wrong.

    Output never ends a run, whatever becomes of the stream.
    """
    make_streams_last()
    try:
        words = sys.argv[1:]
        check_start(words)
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except RequestError as error:
        fail(str(error), 2)
    except WorkerError as error:
        fail(str(error), 1)
    except (OSError, MemoryError) as error:
        fail(in_one_line(error), 2 if is_of_the_request(error) else 1)
    except CycloptsError as error:
        fail(fault_in(error), 2)
    if interrupts.heard():
        interrupts.end()
    raise SystemExit(status or output_was_lost())
