"""The command line: every command by its name, and how a command ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Literal, NoReturn

from cyclopts import App, CycloptsError, Group
from pydantic import ValidationError

from common.errors import RequestError, fault_of, in_one_line
from harness import interrupts
from harness.about import NAME, version
from harness.bench.command import bench
from harness.bptt.command import bptt
from harness.compare.command import compare
from harness.completion import OutOption, ShellOption, install
from harness.corpus.command import corpus
from harness.listing.command import list_
from harness.notebook.command import notebook
from harness.parity.command import parity
from harness.predict.command import predict
from harness.report.command import report
from harness.run.command import run
from harness.sequence.command import sequence
from harness.streams import make_streams_last, output_was_lost
from harness.study.command import study
from harness.workers.errors import WorkerError

COMMANDS: dict[str, Callable[..., int | None]] = {
    "run": run,
    "list": list_,
    "parity": parity,
    "predict": predict,
    "bench": bench,
    "report": report,
    "compare": compare,
    "study": study,
    "sequence": sequence,
    "bptt": bptt,
    "corpus": corpus,
    "notebook": notebook,
}

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
    made.default(run)
    for command, function in COMMANDS.items():
        made.command(function, name=command)
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
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(status)


def main() -> None:
    """Run the command line: 0 all well, 1 something failed, 2 the request was wrong.

    Output never ends a run, whatever becomes of the stream.
    """
    make_streams_last()
    try:
        status = app(exit_on_error=False, print_error=False, result_action="return_value")
    except RequestError as error:
        fail(str(error), 2)
    except WorkerError as error:
        fail(str(error), 1)
    except (OSError, MemoryError) as error:
        fail(in_one_line(error), 1)
    except CycloptsError as error:
        if isinstance(error.__cause__, ValidationError):
            fail(fault_of(error.__cause__), 2)
        fail(" ".join(str(error).split()), 2)
    if interrupts.heard():
        interrupts.end()
    raise SystemExit(status or output_was_lost())
