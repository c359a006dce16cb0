"""``list``: for what a backend was built, and why it computes on no GPU."""

import pytest
from rich.console import Console

from backends import installs
from harness.listing.listing import listing, show
from harness.workers import gpus
from tests.harness.fake_machine import GPU, Framework, set_up


@pytest.mark.parametrize(
    ("there", "framework", "said"),
    [
        (True, Framework("torch"), f"it is built for the CPU alone: {installs('cuda')}"),
        (True, Framework("mxnet"), "there is no build of it for one"),
        (False, Framework("torch"), "there is none here"),
        (True, Framework("jax", build_for="cuda 13"), "it sees none: is there one, with a driver"),
        (True, Framework("torch", gpus=1, build_for="rocm 6.4"), ""),
    ],
)
def test_why_a_backend_computes_on_no_gpu(there, framework, said, monkeypatch):
    set_up(monkeypatch, framework)
    monkeypatch.setattr(gpus, "may_have_one", lambda: there)
    found = listing(None, {})
    console = Console(width=200, record=True)
    show(console, found)
    shown = console.export_text()
    assert framework.build_for in shown
    assert (f"no GPU for {framework.name}: {said}" in shown) == bool(said)
    assert ("no GPU for" in shown) == bool(said)
    assert (GPU in shown) == bool(framework.gpus)
