"""A Python without what POSIX, or Linux alone, has: as on Windows and, in part, on macOS.

Python imports this module where its folder is on ``PYTHONPATH``, so workers have it too. A text
file of ours that is opened without an encoding is an error.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import types
import warnings

import psutil  # knows its own system

sys.modules["msvcrt"] = windows = types.ModuleType("msvcrt")
windows.LK_NBLCK = fcntl.LOCK_EX | fcntl.LOCK_NB
windows.locking = lambda file, how, size, lock=fcntl.flock: lock(file, how)
for module in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[module] = None
ABSENT = {
    os: "O_NOFOLLOW fork getpgrp killpg pread sched_getaffinity sched_setaffinity set_blocking "
    "setsid waitid WNOWAIT",
    select: "poll",
    signal: "SIGALRM SIGHUP setitimer",
}
for module, names in ABSENT.items():
    for name in names.split():
        delattr(module, name)

start = subprocess.Popen.__init__


def start_as_windows_does(self, *arguments, **named):
    refused = {"pass_fds", "preexec_fn"} & named.keys()
    assert not refused, refused
    start(self, *arguments, **named)


subprocess.Popen.__init__ = start_as_windows_does
warnings.filterwarnings("error", category=EncodingWarning, module=r"(common|harness|backends)\b")
psutil.Process().name()
