"""The driver's share of a study of many cells: ``python -m tests.engines.scale COUNT FOLDER``.

Prints what it took as JSON. `docs/scale.md` has the figures.
"""

import json
import resource
import sys
import time
from pathlib import Path

from harness.study.ending import finish
from harness.study.grid import load_study
from harness.study.run import StudyRequest
from harness.study.spread import spread_study
from tests.engines.simulated import Simulated

STUDY = """
title = "Many"
backends = ["mxnet-style"]
[settings]
num_epochs = 2
num_hiddens = 4
max_tokens = 2000
pred_period = 2
threads = 1
[[grid]]
name = "search"
question = "Which of many?"
sample = {count}
[grid.ranges]
lr = {{ low = 0.001, high = 10.0, log = true }}
clip_theta = {{ low = 0.1, high = 10.0 }}
"""

LOST = 0.01
"""Part of the tries that are lost."""


def main(count, folder):
    """Run a study of so many cells on the simulated engine."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "many.toml"
    file.write_text(STUDY.format(count=count), encoding="utf-8")
    start = time.monotonic()
    order = StudyRequest(load_study(file), folder / "out", None, {})
    engine = Simulated(LOST, seed=0)
    loaded = time.monotonic()
    assert spread_study(order, lambda line: None, engine)
    spread = time.monotonic()
    reason = finish(order, "")
    finished = time.monotonic()
    out = order.out
    told = {
        "cells": count,
        "tries": engine.tries,
        "load_seconds": loaded - start,
        "spread_seconds": spread - loaded,
        "table_seconds": finished - spread,
        "cpu_seconds": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "request_bytes": engine.bytes_there / engine.tries,
        "archive_bytes": engine.bytes_back / count,
        "files_of_a_cell": len(engine.files),
        "rows": (out / "cells.csv").read_text(encoding="utf-8").count("\n") - 1,
        "table_mb": (out / "cells.csv").stat().st_size / 2**20,
        "reason": reason,
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
