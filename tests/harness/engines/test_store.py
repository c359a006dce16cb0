"""The store: what is found is what was asked for, from wherever it is asked."""

import json
import shutil

import pytest

from harness.engines.archive import unpack_run
from harness.engines.node import work
from harness.engines.store import Store
from harness.engines.task import Outcome

pytest.importorskip("fsspec")


def worked(request, folder):
    """Do a cell, and see that it is that which was asked for."""
    outcome = Outcome.of(work(request.model_dump_json()))
    assert outcome.header.ending == "done", outcome.header
    unpack_run(outcome.archive, folder, request.experiment.model_dump(mode="json"))
    return outcome


def test_another_cell_or_a_damaged_one_is_not_what_was_asked_for(asked, tmp_path):
    place = tmp_path / "store"
    one, other = (asked({"seed": seed}, store=str(place)) for seed in (1, 2))
    first = worked(one, tmp_path / "one")
    assert Store(str(place)).get(one.key) == first
    assert [path.name for path in place.iterdir()] == [f"{one.key}.cell"]
    kept = place / f"{other.key}.cell"
    shutil.copy(place / f"{one.key}.cell", kept)
    assert Store(str(place)).get(other.key) is None
    worked(other, tmp_path / "other")
    assert Store(str(place)).get(other.key) is not None  # mended
    header, _, archive = kept.read_bytes().partition(b"\n")
    elsewhere = json.dumps(json.loads(header) | {"stored": True}).encode()
    for damaged in (header + b"\n" + archive[:-1], header, b"", elsewhere):
        kept.write_bytes(damaged)
        assert Store(str(place)).get(other.key) is None


def test_a_folder_is_the_same_for_a_node_that_stands_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = Store("cells").address
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Store(address).put("key", Outcome.ended("lost", "x"))
    assert [path.name for path in (tmp_path / "cells").iterdir()] == ["key.cell"]
    assert Store("memory://cells").address == "memory://cells"
