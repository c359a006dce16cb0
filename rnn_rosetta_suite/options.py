"""Options of the suite, for pytest to know before it looks for tests."""

from contextlib import suppress


def pytest_addoption(parser):
    with suppress(ValueError):  # they are there already
        parser.addoption("--backend", action="append", help="a backend that must be there")
    with suppress(ValueError):
        parser.addoption("--plugin", action="append", help="path of a plug-in that adds a backend")
