"""The suite on every backend there is, or on those that ``--backend`` names."""

from pathlib import Path

import backends
from backends import plugins
from rnn_rosetta_suite.fixtures import backend as backend
from rnn_rosetta_suite.fixtures import parametrize
from rnn_rosetta_suite.haste import hasty as hasty


def pytest_configure(config):
    config.addinivalue_line("markers", "variants(*names): of these variants of the network alone")
    plugins.add([*map(Path, config.getoption("plugin") or ())], backends.taken())


def pytest_generate_tests(metafunc):
    parametrize(metafunc, metafunc.config.getoption("backend") or backends.by_default())
