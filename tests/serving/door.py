"""A program that stands for Python where a shell starts commands: they are forked, too."""

import json
import os
import socket
import sys
import threading
from contextlib import contextmanager

from tests.serving.asking import Popen, asking, can_be_forked, received

PROGRAM = """#!{python} -IS
import json, os, socket, sys

words = [{python!r}, *sys.argv[1:]]
told = json.dumps({{"words": words, "folder": os.getcwd(), "variables": dict(os.environ)}}).encode()
with socket.socket(socket.AF_UNIX) as door:
    door.connect({place!r})
    socket.send_fds(door, [len(told).to_bytes(4, "big")], [0, 1, 2])
    door.sendall(told)
    status = door.recv(1)
if not status:
    os.execv(words[0], words)
sys.exit(status[0])
"""


@contextmanager
def door(folder):
    """The path of a program in a folder, in whose place `asking.Popen` would do the same."""
    program, place = folder / "python", folder / "door"
    program.write_text(PROGRAM.format(python=sys.executable, place=str(place)), encoding="utf-8")
    program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        threading.Thread(target=answer, args=[listening], daemon=True).start()
        yield program
        listening.shutdown(socket.SHUT_RDWR)


def answer(listening):
    """Run whatever is asked for, and tell its exit status; nothing where it is to be started."""
    while True:
        try:
            ends, _ = listening.accept()
        except OSError:
            return  # it is closed
        with ends:
            head, fds, *_ = socket.recv_fds(ends, 4, 3)
            told = json.loads(received(ends, int.from_bytes(head, "big")))
            if can_be_forked(told["words"], told["variables"]):
                more = {"numbers": [0, 1, 2], "session": False, "sketched": Popen.sketched}
                _, status = os.waitpid(asking().fork(told | more, fds), 0)
                ends.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))
            for fd in fds:
                os.close(fd)
