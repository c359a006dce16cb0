"""Going on from any step, on the backends of the project."""

from rnn_rosetta_suite.test_going_on import *  # noqa: F403
