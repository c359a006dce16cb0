"""Section 9.1, on the backends of the project."""

from rnn_rosetta_suite.test_sequence import *  # noqa: F403
