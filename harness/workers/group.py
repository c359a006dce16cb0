"""A worker's process and its children: bound to the process that started them, and ended as one.

On POSIX they are a process group, and the system watches a pipe for them (`harness.start_worker`).
Windows has neither: there the children are looked for, and standard input alone binds them.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack, suppress
from typing import Any, BinaryIO

GROUPS = hasattr(os, "killpg")


def start(
    command: list[str], log: BinaryIO, environment: dict[str, str], opened: ExitStack
) -> subprocess.Popen[bytes]:
    """Start a worker.

    Args:
        command: to run, without the lifeline.
        log: takes its standard error.
        environment: its variables.
        opened: closes our end of what binds it.

    Raises:
        OSError: it cannot be started.
    """
    bound: dict[str, Any] = {}
    with ExitStack() as theirs:
        if GROUPS:
            lifeline, ours = os.pipe()
            theirs.callback(os.close, lifeline)
            opened.callback(os.close, ours)
            command = [*command, "--lifeline", str(lifeline)]
            bound = {"pass_fds": [lifeline], "start_new_session": True}
        else:  # either way Ctrl-C is for the harness, which ends the worker
            bound = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=log, bufsize=0, env=environment, **bound
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a worker and its children, even those that are stopped."""
    if process.returncode is not None:
        return  # the number may be another's by now
    if GROUPS:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        _end_tree(process.pid)


def end_ours() -> None:
    """End this process, which is a worker's, and the children that are left."""
    if GROUPS:
        os.killpg(0, signal.SIGKILL)
    _end_tree(os.getpid())


def _end_tree(pid: int) -> None:
    import psutil  # the start of a worker is to be quick where nobody needs it

    with suppress(psutil.Error):
        leader = psutil.Process(pid)
        for process in (*leader.children(recursive=True), leader):
            with suppress(psutil.Error):
                process.kill()
