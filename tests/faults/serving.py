"""A server that has imported the harness, its worker and one backend.

For every line of JSON on standard input it forks a process that runs one command, and answers with
its exit status; that process forks its workers. To start Python anew each time would take several
times as long as the commands do.
"""

import json
import os
import signal
import sys
import threading
import traceback

import sitecustomize  # of the folder "injected"

import backends.mxnet_style.backend  # noqa: F401
import harness.__main__
import harness.page.write
import harness.report.build
import harness.start_worker
import harness.worker
from harness.workers import group


def remember(module, name):
    """Have a function answer every command as it answered the first of its name in this process."""
    real, kept = getattr(module, name), {}

    def known(*given):
        command = sys.argv[1]
        if command not in kept:
            kept[command] = real(*given)
        return kept[command]

    setattr(module, name, known)


def serve():
    """Run the commands that standard input asks for, each in a fork of this process.

    The first of a name runs here, aside. The others have its page and its pictures, which take most
    of the time and touch nothing below the command's folder: nobody looks at them.
    """
    remember(harness.report.build, "sections")
    for name in ("draw", "page"):
        remember(harness.page.write, name)
    answers, known = os.fdopen(os.dup(1), "w"), set()
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        command, *options, _ = request["line"]
        if command not in known:
            known.add(command)
            answer([command, *options, f"aside-{command}"])
            group.start = fork
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
            continue
        os.environ.update(request["environment"])
        said = os.open(request["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sitecustomize.install()
        status = answer(request["line"])
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def fork(command, log, environment, opened):
    """Stand in for `harness.workers.group.start`: a worker has its modules from this process."""
    import harness.start_worker
    import harness.worker

    (stdin, write), (read, stdout), (lifeline, ours) = os.pipe(), os.pipe(), os.pipe()
    assert threading.active_count() == 1
    if pid := os.fork():
        for theirs in (stdin, stdout, lifeline):
            os.close(theirs)
        opened.callback(os.close, ours)
        return Forked(pid, write, read)
    os.setsid()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    for number, file in enumerate((stdin, stdout, log.fileno())):
        os.dup2(file, number)
    os.dup2(lifeline, 3)
    os.closerange(4, 1024)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [*command[3:], "--lifeline", "3"]
    try:
        harness.start_worker.main()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


class Forked:
    """A worker that was forked, as a ``subprocess.Popen`` is of one that was started."""

    returncode = None

    def __init__(self, pid, stdin, stdout):
        self.pid, self.stdin, self.stdout = (
            pid,
            os.fdopen(stdin, "wb", 0),
            os.fdopen(stdout, "rb", 0),
        )

    def poll(self, how=os.WNOHANG):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self):
        return self.poll(0)


def answer(line):
    """Exit status of a command in this process; 99 for a traceback."""
    sys.argv = ["harness", *line]
    try:
        harness.__main__.main()
        return 0
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 99


if __name__ == "__main__":
    serve()
