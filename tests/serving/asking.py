"""Processes that are forked from a warm Python: to start one takes longer than most commands do.

`Popen` stands in for `subprocess.Popen`. Where the program is ``python -m harness``, a node, or a
worker, it asks `tests.serving.forking`, a process that has imported the harness and no framework,
to fork one. That is our child, and has the arguments, folder, variables, streams and open files of
one that is started. Everything else is started.

It differs in this: its modules are imported already, so a signal finds nothing half imported; its
sets of texts have the order of the process that forked it; and it ignores no signal from the start.
"""

import atexit
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALONE = Path(__file__).with_name("alone")
SKETCHED = Path(__file__).with_name("sketched")
"""Folders for ``PYTHONPATH``: one backend, in short benchmarks; reports without drawings."""

START = subprocess.Popen
ONE_AT_A_TIME = threading.Lock()
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
MARK = "RNN_ROSETTA_KILLS"
"""Variable by which a process is known for one of a case, whoever its parent is by now."""


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
VARIABLES = os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
"""Of the process that forks: those of Python have done their work when it was started."""


def heard_by_default():
    """A shell's background job, such as these tests may be, hands on a SIGINT that is ignored."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def adopt(orphans):
    """Have the system make orphans among our descendants our children, or no longer."""
    ctypes.CDLL(None).prctl(SUBREAPER, int(orphans))


def received(ends, size):
    """So many bytes."""
    content = b""
    while len(content) < size:
        if not (chunk := ends.recv(size - len(content))):
            raise EOFError
        content += chunk
    return content


class Asking:
    """Our end of a process that forks."""

    def __init__(self, ends):
        self.ends = ends

    def fork(self, program, fds):
        """Id of a process, our child, that runs a program with these files."""
        told = json.dumps(program).encode()
        with ONE_AT_A_TIME:
            adopt(True)  # it is forked by one that has ended since
            try:
                socket.send_fds(self.ends, [len(told).to_bytes(4, "big")], fds)
                self.ends.sendall(told)
                return int.from_bytes(received(self.ends, 4), "big")
            finally:
                adopt(False)


def asking():
    """The process that forks for this one, which is started when it is first asked."""
    with ONE_AT_A_TIME:
        if Popen.asking is None:
            ours, theirs = socket.socketpair()
            process = START(
                [sys.executable, "-P", "-m", "tests.serving.forking", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=VARIABLES,
                preexec_fn=heard_by_default,
            )
            theirs.close()
            Popen.asking = Asking(ours)
            atexit.register(lambda: (ours.close(), process.wait()))
        return Popen.asking


def can_be_forked(words, variables):
    """True of a command, a node and a worker in this very Python."""
    if sys.platform != "linux" or isinstance(words, str) or words[0] != sys.executable:
        return False
    for name in variables.keys() - {"PYTHON", "PYTHONPATH", "PYTHONIOENCODING"}:
        if name.startswith("PYTHON") and variables[name] != VARIABLES.get(name):
            return False
    match [word for word in words[1:] if word != "-P"]:
        case ["-m", "harness" | "harness.start_node" | "harness.start_worker", *_]:
            return True
    return False


class Popen(START):
    """A process that is forked where that can be, else started."""

    asking = None
    sketched = True

    def _execute_child(self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *rest):
        _, _, shell, *pipes = rest[:9]
        *_, new_session, process_group = rest
        variables = dict(os.environ if env is None else env)
        plain = preexec_fn in (None, heard_by_default) and process_group == -1
        if shell or executable or not plain or not can_be_forked(args, variables):
            given = args, executable, preexec_fn, close_fds, pass_fds, cwd, env
            return super()._execute_child(*given, *rest)
        p2cread, _, _, c2pwrite, _, errwrite = pipes
        streams = [n if fd == -1 else fd for n, fd in enumerate((p2cread, c2pwrite, errwrite))]
        program = {
            "words": [os.fspath(word) for word in args],
            "folder": os.fspath(cwd or os.getcwd()),
            "variables": variables,
            "numbers": [0, 1, 2, *pass_fds],
            "session": new_session,
            "sketched": self.sketched,
        }
        self.pid = asking().fork(program, [*streams, *pass_fds])
        self._child_created = True
        self._close_pipe_fds(*pipes)
        return None
