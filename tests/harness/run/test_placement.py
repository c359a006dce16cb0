"""Placement of a run: kept when it goes on, whole where a row is run again, told where it mixes."""

import json

import pytest
from rich.console import Console

from common.experiment import Experiment
from harness.bench import turns
from harness.bench.contenders import Contest
from harness.bench.measure import run_contest
from harness.parity.measure import compare
from harness.records.reading import read_bench, read_run
from harness.report.build import write_report
from harness.run.progress import Silent
from harness.run.tables import comparison
from harness.run.train import RunRequest, run
from harness.study.again import run_again
from tests.harness.fake_machine import Framework, set_up
from tests.harness.run.test_device_table import CUDA, FIRST, SMALL, two


class Interrupts(Silent):
    """Ctrl-C at the first event."""

    def event(self, row, event):
        raise KeyboardInterrupt


def request(tmp_path, **settings):
    return RunRequest("quickstart", Experiment.of(SMALL | settings), out=tmp_path / "run")


@pytest.mark.parametrize("recorded", [True, False])
def test_a_run_goes_on_where_it_was_placed(recorded, monkeypatch, tmp_path):
    """A record from before placements were decided has none, and is placed anew."""
    set_up(monkeypatch, *two(CUDA, {}))
    assert run(request(tmp_path), Interrupts()).status == "interrupted"
    path = tmp_path / "run" / "run.json"
    facts = json.loads(path.read_text())
    assert facts["placement"]["device"] == "cpu"
    assert facts["experiment"]["device"] == "auto"
    if not recorded:
        del facts["placement"], facts["gpus"], facts["experiment"]["deterministic"]
        path.write_text(json.dumps(facts))
    set_up(monkeypatch, *two(CUDA, CUDA))
    rows = run(request(tmp_path), Silent()).rows
    assert {row.device for row in rows} == {"cpu" if recorded else FIRST}
    assert read_run(tmp_path / "run").facts["placement"]["device"] == ("cpu" if recorded else "gpu")


def test_a_row_that_is_run_again_is_placed_with_the_others(monkeypatch, tmp_path):
    set_up(monkeypatch, *two({}, CUDA))
    run(request(tmp_path), Silent())
    assert run_again(request(tmp_path), tmp_path / "run", [("jax", "scratch")]) == ["ok"]
    assert {*read_run(tmp_path / "run").summary.device} == {"cpu"}


def test_rows_on_different_devices_are_not_ranked(monkeypatch, tmp_path):
    machine = [*two(CUDA, CUDA), Framework("tensorflow"), Framework("mxnet")]
    set_up(monkeypatch, *machine)
    result = run(request(tmp_path, device="mixed"), Silent())
    console = Console(width=200, record=True)
    console.print(comparison(result.rows, 200))
    head, *lines = console.export_text().splitlines()[1:]
    assert "device" in head
    assert [FIRST in line for line in lines] == [True, True, False, False]
    assert " 1.00 " in lines[0]  # each device has a fastest row
    assert " 1.00 " in lines[2]
    write_report([tmp_path / "run"], tmp_path)
    said = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Rows on different devices: each is compared with those on its own device alone" in said
    for device in ("cpu", FIRST):
        assert f"Throughput in training on {device}, by the median epoch" in said
    assert "of its device, MB" in said
    assert "Seconds until each" not in said


def test_a_benchmark_is_placed_and_one_that_mixes_has_no_floor(monkeypatch, tmp_path):
    set_up(monkeypatch, *two(CUDA, {}))
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.002)
    for device, expected in (("auto", {"cpu"}), ("mixed", {"cpu", FIRST})):
        settings = {"dtype": "float32", "device": device, "threads": None}
        folder = tmp_path / device
        folder.mkdir()
        contest = Contest((), (), 2, settings, {})
        assert (
            run_contest(contest, ("2x3x4x5",), folder, Console(quiet=True), True).exit_status == 0
        )
        found = read_bench(folder).figures.set_index("backend")
        assert {*found.device[["torch", "jax"]]} == expected


def test_parity_refuses_products_that_may_be_rounded(monkeypatch):
    set_up(monkeypatch, Framework("torch"), Framework("jax", tf32=True))
    found = compare((), (), ["float64"], 1, "cpu", 1, {})
    assert found.failures == {"jax scratch": "RuntimeError: it may round products to TF32"}
    assert {*found.table.backend} == {"torch"}
