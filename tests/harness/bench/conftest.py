import math

import pytest

from harness.bench import quiet


@pytest.fixture(autouse=True)
def undisturbed(monkeypatch):
    """A machine on which nothing counts as a disturbance, for other tests run beside these."""
    monkeypatch.setattr(quiet, "DISTURBED", math.inf)
