"""Section 9.7, on the backends of the project."""

from rnn_rosetta_suite.test_bptt import *  # noqa: F403
