"""A Python with one backend, whose benchmarks take short turns; other libraries multiply nothing.

Python imports this module where its folder is on ``PYTHONPATH``, so workers have it too.
"""

import harness.bench.turns
import harness.bench.worker
from backends import BACKENDS

for name in BACKENDS.keys() - {"mxnet-style"}:
    del BACKENDS[name]
harness.bench.turns.TURN_SECONDS = 0.01
harness.bench.worker.PRODUCT_SECONDS = 0.001
