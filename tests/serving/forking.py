"""A process that has imported the harness, and forks commands and workers; see `asking`.

A command that is forked has a process of this kind too, which forks its workers. It is forked
before the command begins, when there is one thread.
"""

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import signal
import site
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from backends import plugins
from harness import cli
from harness.page import write
from harness.records.provenance import provenance
from harness.report.build import write_report
from harness.workers import neighbours
from tests.harness.made_runs import make_run
from tests.serving import asking
from tests.serving.asking import MARK, ROOT, received
from tests.serving.memory import remember
from tests.serving.sketching import no_one, sketch

NAME = 15  # PR_SET_NAME
FAR = 200
"""The number of a file that is in nobody's way."""

PATH = [part for part in sys.path if part != str(ROOT)]

MAIN = {"harness": "harness.__main__"}
"""The module that Python runs for the name of a package."""


def warm_up():
    """Import what commands and workers import, some when they need it, and make a report."""
    for path in sorted((ROOT / "harness").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if not {"sources", "ray", "slurm", "__init__"} & {*parts}:
            importlib.import_module(".".join(parts))
    for name in ("backends.mxnet_style.backend", "backends.null"):
        importlib.import_module(name)
    remember()
    for name in cli.COMMANDS:
        cli.app[name].assemble_argument_collection()
    draw, write.draw = write.draw, sketch
    with tempfile.TemporaryDirectory() as folder:
        write_report([make_run(Path(folder, "run"))], Path(folder, "report"))
    provenance()
    write.draw, tempfile.tempdir = draw, None
    plugins._found.cache_clear()
    assert threading.active_count() == 1


def serve(ends):
    """Fork whatever is asked for, until nobody asks; in what is forked, give program and files."""
    while True:
        try:
            head, fds, *_ = socket.recv_fds(ends, 4, 16)
            program = json.loads(received(ends, int.from_bytes(head, "big")))
        except (EOFError, OSError, ValueError):
            os._exit(0)
        read, write = os.pipe()
        between = os.fork()
        if not between:
            child = os.fork()
            if not child:
                ends.detach()
                return program, fds
            os.write(write, child.to_bytes(4, "big"))
            os._exit(0)
        os.waitpid(between, 0)
        ends.sendall(os.read(read, 4))
        for fd in (read, write, *fds):
            os.close(fd)


def become(program, fds):
    """Take session, files, folder, variables and streams of a program."""
    if program["session"]:
        os.setsid()
    numbers = program["numbers"]
    far = [fcntl.fcntl(fd, fcntl.F_DUPFD, FAR) for fd in fds]
    for fd, number in zip(far, numbers, strict=True):
        os.dup2(fd, number)
    close_all_but(numbers)
    os.chdir(program["folder"])
    os.environ.clear()
    os.environ.update(program["variables"])
    if mark := os.environ.get(MARK):  # who looks at the variables sees those of the first of us
        ctypes.CDLL(None).prctl(NAME, mark.encode())
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = opened(number, name)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def close_all_but(numbers):
    """Close all files but these."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in numbers:
            with contextlib.suppress(OSError):
                os.close(int(name))


def opened(number, name):
    """A standard stream, as Python opens it."""
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    errors = errors or ("strict" if encoding else "surrogateescape")
    if name == "stderr":
        errors = "backslashreplace"
    binary = open(number, "rb" if name == "stdin" else "wb", closefd=False)  # noqa: SIM115
    newline = None if name == "stdin" else "\n"
    by_line = name == "stderr" or binary.isatty()
    return io.TextIOWrapper(binary, encoding or "utf-8", errors, newline, by_line)


def serve_workers():
    """Fork a process that forks our workers, and ask it from now on; in that one, give its end."""
    ours, theirs = socket.socketpair()
    if os.fork():
        theirs.close()
        asking.Popen.asking = asking.Asking(ours)
        subprocess.Popen = asking.Popen
        return None
    ours.detach()
    os.dup2(theirs.detach(), FAR)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    close_all_but([0, 1, 2, FAR])
    return socket.socket(fileno=FAR)


def program_of(words, variables):
    """The function that a program is, once its arguments and the path of modules are set."""
    at = words.index("-m") + 1
    module = sys.modules[MAIN.get(words[at], words[at])]
    sys.orig_argv, sys.argv = words, [module.__file__, *words[at + 1 :]]
    given = [part for part in variables.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.path[:] = [*given, *PATH]
    if any(Path(part, "sitecustomize.py").is_file() for part in given):
        sys.modules.pop("sitecustomize", None)
        site.execsitecustomize()
    if "-P" not in words[:at]:
        sys.path.insert(0, os.getcwd())
    return module.main


def run(program):
    """Run a program to its end, which is the end of this process."""
    status = 0
    try:
        program()
    except SystemExit as end:
        status = end.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def main():
    """Fork for whoever holds the other end of a socket, whose number is the argument."""
    ends = socket.socket(fileno=int(sys.argv[1]))
    warm_up()
    gc.collect()
    gc.freeze()
    while True:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when nobody asks
        program, fds = serve(ends)
        become(program, fds)
        words = program["words"]
        if "harness.start_worker" in words[:4] or not (ends := serve_workers()):
            break
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if program["sketched"]:
        write.draw = sketch
    neighbours.taken = no_one
    run(program_of(words, program["variables"]))


if __name__ == "__main__":
    main()
