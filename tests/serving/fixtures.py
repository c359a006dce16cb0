"""Fixtures: whatever can be forked is, but in tests that are marked ``started``."""

import gc
import subprocess

import pytest

from tests.serving.asking import START, Popen
from tests.serving.memory import remember


@pytest.fixture(scope="session", autouse=True)
def warm():
    """Commands and workers are forked, for fixtures of modules and sessions too."""
    subprocess.Popen = Popen
    remember()
    gc.collect()
    gc.freeze()  # what is imported stays: nobody need look through it again and again
    yield
    subprocess.Popen = START


@pytest.fixture(autouse=True)
def cold(request, warm, monkeypatch):
    """Or are started, and draw charts, where a test is marked so."""
    if "started" in request.keywords:
        monkeypatch.setattr(subprocess, "Popen", START)
    monkeypatch.setattr(Popen, "sketched", "drawn" not in request.keywords)
