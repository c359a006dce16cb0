"""A Python in which reports are sketched; it imports this where the folder is on ``PYTHONPATH``."""

from harness.page import write
from tests.serving.sketching import sketch

write.draw = sketch
