"""``list``: for what a backend was built, and why it computes on no GPU."""

from pathlib import Path

import pytest
from rich.console import Console

import backends
from backends import installed, installs
from common.interface import Description
from harness.listing.listing import available, listing, show
from harness.worker import answer
from harness.workers import gpus
from harness.workers.requests import Describe
from harness.workers.session import Session
from tests.harness.fake_machine import GPU, Framework, set_up

NUMPY_ALONE = Description({"numpy": "2"}, ("cpu",), None, False, note=installed.NOT_IMPORTED)


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


def test_what_metadata_tells_starts_no_worker(monkeypatch):
    """A backend of this Python that is built for the CPU alone is not asked."""
    asked = []

    def described(name, pythons, briefly):
        asked.append((name, briefly))
        return Description({"it": "1"}, ("cpu",), None, False)

    monkeypatch.setattr("harness.listing.listing.described", described)
    monkeypatch.setattr("harness.listing.listing.missing", lambda name, pythons: None)
    monkeypatch.setattr(
        installed, "described", lambda name: None if name == "torch" else NUMPY_ALONE
    )
    found = {each["backend"]: each for each in listing(None, {"jax": Path("another")})["backends"]}
    assert sorted(asked) == [("jax", True), ("mxnet", True), ("torch", True)] or sorted(asked) == [
        ("jax", True),
        ("torch", True),
    ]  # where MXNet has its environment beside us, it is another Python's too
    assert available(found["mxnet-style"]) == "installed"
    assert available(found["torch"]) == "yes"
    assert found["mxnet-style"]["note"] == installed.NOT_IMPORTED


def test_a_worker_describes_by_metadata_without_an_import(monkeypatch):
    """Where it does not tell enough, the framework is imported after all."""
    monkeypatch.setattr(backends, "load", lambda name: pytest.fail("imported"))
    monkeypatch.setattr(installed, "described", lambda name: NUMPY_ALONE)
    *_, said, done = answer(Session("torch"), Describe(briefly=True))
    assert (said.description, done.event) == (NUMPY_ALONE, "done")
    monkeypatch.setattr(installed, "described", lambda name: None)
    with pytest.raises(pytest.fail.Exception):
        list(answer(Session("torch"), Describe(briefly=True)))
