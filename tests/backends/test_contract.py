"""The contract suite, on the backends of the project."""

from rnn_rosetta_suite.test_contract import *  # noqa: F403
