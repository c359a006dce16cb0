"""A Python in which reports are sketched; it imports this where the folder is on ``PYTHONPATH``."""

import sys

if "harness.start_worker" not in sys.orig_argv:
    from harness.page import write
    from tests.serving.sketching import sketch

    write.draw = sketch
