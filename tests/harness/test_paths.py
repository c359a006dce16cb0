"""Finished results: no command touches them before it has something better, and is told to."""

import json
import os

import pytest

from common import sources
from common.errors import RequestError
from harness.cli import app
from harness.page.drawing import DrawingError
from harness.paths import result_folder
from harness.study.again import sweep
from tests.harness.holding import holder
from tests.harness.made_runs import make_run

COMMANDS = {
    "bench": ("bench.json", "--backend mxnet-style --variant fused --shape 2x2x2x2 --rounds 2"),
    "scale": (
        "scale.json",
        "--backend mxnet-style --variant fused --shape 2x2x2x2 --seconds 0.01 "
        "--vary num_hiddens=2,4",
    ),
    "bptt": (
        "bptt.json",
        "--recipe quickstart --backend mxnet-style --num-epochs 1 --draws 2 --num-steps 8 "
        "--num-hiddens 8 --tau 2 --pi 0.7",
    ),
    "sequence": ("sequence.json", "--backend mxnet-style --num-points 120 --num-train 60"),
    "corpus": ("corpus.json", "embedded --token char --max-tokens 2000"),
    "parity": ("parity.csv", "--backend mxnet-style --variant fused --steps 2 --dtype float64"),
}
"""The file that every result of a command has, and a small request."""

MEASURED_BY = {
    "bench": "harness.bench.measure.time_shape",
    "scale": "harness.scale.measure.time_sizes",
    "bptt": "harness.bptt.measure.measure",
    "sequence": "harness.sequence.measure.study",
    "corpus": "harness.corpus.measure.write",
    "parity": "harness.parity.measure.compare",
}


def run(command, *options):
    line = [command, *COMMANDS[command][1].split(), *options]
    return app(line, exit_on_error=False, result_action="return_value")


def held(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_finished_result_gets_a_new_folder_and_stays_unless_it_is_to_be_replaced(
    command, alone, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run(command) == 0
    (out,) = (tmp_path / "runs").iterdir()
    assert out.name.endswith(f"-{command}")
    (out / "notes.txt").write_text("mine", encoding="utf-8")  # a file of somebody else
    before, written = held(out), (out / COMMANDS[command][0]).stat().st_mtime_ns
    with pytest.raises(RequestError, match=f"{COMMANDS[command][0]} already: give another --out"):
        run(command, "--out", str(out))
    assert held(out) == before

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as half_way:
        half_way.setattr(MEASURED_BY[command], interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(command, "--out", str(out), "--force")
    assert held(out) == before

    assert run(command, "--out", str(out), "--force") == 0
    after = held(out)
    assert after.keys() == before.keys()
    assert after[out / "notes.txt"] == b"mine"
    assert (out / COMMANDS[command][0]).stat().st_mtime_ns > written


OTHERS = {
    "report": "report {run} --out {out}",
    "baselines": "corpus --run {run}",
    "notebook": "notebook {out}/new.ipynb --seed-document 000 --backend torch",
}


@pytest.mark.parametrize("command", [*COMMANDS, *OTHERS])
def test_while_somebody_writes_there_it_is_refused(command, tmp_path, monkeypatch, capsys):
    def undrawn(figures):
        raise DrawingError("not wanted here")

    out, finished = tmp_path / "out", make_run(tmp_path / "run")
    record = finished / "run.json"
    facts = record.read_text("utf-8").replace("0" * 64, sources.read("embedded").sha256)
    record.write_text(facts, encoding="utf-8")
    monkeypatch.setattr("harness.page.write.draw", undrawn)
    before = held(finished)
    own = f"{command} {COMMANDS.get(command, [''])[-1]} --out {out}"
    line = OTHERS.get(command, own).format(run=finished, out=out).split()
    with (
        holder(finished if command == "baselines" else out) as writer,
        pytest.raises(RequestError, match=f"process {writer.pid} is writing here"),
    ):
        app(line, exit_on_error=False, result_action="return_value")
    assert not out.exists()
    assert held(finished) == before


def test_a_result_that_failed_does_not_replace_a_sound_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("sequence", "--out", "out") == 0
    before = held(tmp_path / "out")
    monkeypatch.setattr("harness.workers.pool.missing", lambda name, given: "not installed")
    assert run("sequence", "--out", "out", "--force") == 1
    assert held(tmp_path / "out") == before
    assert "it failed, so what out held stays" in capsys.readouterr().err
    (failed,) = (tmp_path / "runs").iterdir()
    assert json.loads((failed / "sequence.json").read_text("utf-8"))["status"] == "failed"


def test_what_was_killed_may_be_replaced(tmp_path):
    (tmp_path / "bench.json").write_text('{"status": "running"}', encoding="utf-8")
    with result_folder(tmp_path, "bench.json", force=False) as place:
        assert place.path == tmp_path
    (tmp_path / "bench.json").write_text("damaged", encoding="utf-8")
    with pytest.raises(RequestError), result_folder(tmp_path, "bench.json", force=False):
        pass


def test_killed_while_files_change_places_it_is_made_up_for(tmp_path, monkeypatch):
    for name in ("a.csv", "b.csv", "x.json"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    replace, done = os.replace, []

    def killed(source, target):
        if len(done) == 3:  # the folder, and two of the files
            raise KeyboardInterrupt
        done.append(target)
        replace(source, target)

    def replaced():
        with result_folder(tmp_path, "x.json", force=True) as place:
            for name in ("a.csv", "b.csv", "x.json"):
                (place.path / name).write_text("new", encoding="utf-8")
            death.setattr(os, "replace", killed)

    with monkeypatch.context() as death, pytest.raises(KeyboardInterrupt):
        replaced()
    assert not (tmp_path / "x.json").exists()  # no record vouches for tables of two results
    with pytest.raises(RequestError), result_folder(tmp_path, "x.json", force=False):
        pass
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == dict.fromkeys(
        ("a.csv", "b.csv", "x.json"), "new"
    )


def test_a_run_folder_that_was_about_to_change_places_is_put_back(tmp_path):
    for name, content in ((".run.old", "old"), (".run.merged", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content, encoding="utf-8")
    sweep(tmp_path / "run")
    assert (tmp_path / "run" / "run.json").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
