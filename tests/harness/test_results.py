"""Finished results: no command touches them before it has something better, and is told to."""

import os

import pytest

from common.errors import RequestError
from harness.cli import app

COMMANDS = {
    "bench": ("bench.json", "--backend mxnet-style --variant fused --shape 2x2x2x2 --rounds 2"),
    "bptt": ("bptt.json", "--recipe quickstart --backend mxnet-style --num-epochs 1 --draws 2"),
    "sequence": ("sequence.json", "--backend mxnet-style --num-points 120 --num-train 60"),
    "corpus": ("corpus.json", "embedded --token char --max-tokens 2000"),
    "parity": ("parity.csv", "--backend mxnet-style --variant fused --steps 2 --dtype float64"),
}
"""The file that every result of a command has, and a small request."""

MEASURED_BY = {
    "bench": "harness.benchrun.time_shape",
    "bptt": "harness.bptt.measure",
    "sequence": "harness.sequence.study",
    "corpus": "harness.corpus.write",
    "parity": "harness.parity.compare",
}


def run(command, *options):
    line = [command, *COMMANDS[command][1].split(), *options]
    return app(line, exit_on_error=False, result_action="return_value")


def held(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=COMMANDS)
def finished(request, tmp_path, capsys):
    """A command, and a folder that holds its finished result and a file of somebody else."""
    out = tmp_path / "out"
    assert run(request.param, "--out", str(out)) == 0
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    return request.param, out


def test_a_finished_result_stays_unless_it_is_to_be_replaced(finished, monkeypatch, capsys):
    command, out = finished
    before, written = held(out), (out / COMMANDS[command][0]).stat().st_mtime_ns
    with pytest.raises(RequestError, match=f"{COMMANDS[command][0]} already: give another --out"):
        run(command, "--out", str(out))
    assert held(out) == before

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as half_way:
        half_way.setattr(MEASURED_BY[command], interrupted)
        with pytest.raises(SystemExit, match="130"):
            run(command, "--out", str(out), "--force")
    assert held(out) == before

    assert run(command, "--out", str(out), "--force") == 0
    after = held(out)
    assert after.keys() == before.keys()
    assert after[out / "notes.txt"] == b"mine"
    assert (out / COMMANDS[command][0]).stat().st_mtime_ns > written


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_folder_a_result_gets_a_new_one(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(command) == 0
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    assert folder.name.endswith(f"-{command}")
    assert any(COMMANDS[command][0] in files for _, _, files in os.walk(folder))
