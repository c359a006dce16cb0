"""Start of a node process of the engine ``local``: it is bound to the life of its driver.

It reads requests, a line of JSON each, and answers each with the length of an outcome and its
bytes. See `harness.start_worker` for how it ends when its driver does.
"""

from __future__ import annotations

import argparse
import os
import threading
from queue import SimpleQueue

from harness.start_worker import read_requests, watch


def main() -> None:
    """Run one cell after the other for as long as the driver lives."""
    parser = argparse.ArgumentParser(prog="harness.start_node")
    parser.add_argument("--lifeline", type=int)
    lifeline = parser.parse_args().lifeline
    if lifeline is not None:
        watch(lifeline)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=read_requests, args=[requests], daemon=True).start()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what is printed goes to the log

    from harness.engines.local import LENGTH
    from harness.engines.node import work

    for request in iter(requests.get, None):
        answer = memoryview(work(request.decode()))
        answer = memoryview(len(answer).to_bytes(LENGTH) + answer)
        while answer:
            answer = answer[answers.write(answer) :]


if __name__ == "__main__":
    main()
