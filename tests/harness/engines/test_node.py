"""A node's side: what comes back is the very run, or a reason that says whose fault it was."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from common.errors import RequestError, StorageError
from common.sources import EMBEDDED
from harness.engines.archive import unpack_run
from harness.engines.node import work
from harness.engines.request import Share, versions_of
from harness.engines.task import Outcome
from harness.records.reading import read_run
from harness.run.progress import Silent
from harness.run.train import RunRequest, run


def worked(request, text=None):
    return Outcome.of(work(request.model_dump_json(), text))


def unpacked(request, outcome, folder):
    unpack_run(outcome.archive, folder, request.experiment.model_dump(mode="json"))
    return read_run(folder)


def same(one, other):
    columns = ["backend", "variant", "seed", "epoch", "perplexity"]
    assert one.epochs[columns].equals(other.epochs[columns])
    assert one.samples.equals(other.samples)
    assert weights(one.folder) == weights(other.folder) != {}


def weights(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*/*.safetensors")}


def by_hand(request, folder):
    run(RunRequest(request.recipe, request.experiment, request.backends, out=folder), Silent())
    return read_run(folder)


def test_a_cell_comes_back_whole_and_says_where_it_ran(asked, tmp_path, runtime_folder):
    request = asked(attempt=2, engine="ray")
    outcome = worked(request)
    assert outcome.header.ending == "done"
    found = unpacked(request, outcome, tmp_path / "there")
    same(found, by_hand(request, tmp_path / "here"))
    facts = found.facts
    assert facts["command"] == ["study", "small.toml"]
    assert (facts["engine"]["name"], facts["engine"]["attempt"]) == ("ray", 2)
    assert len(facts["engine"]["cpus"]) == 1
    assert not facts["engine"]["shared"]
    assert {*found.summary.machine} == {facts["engine"]["host"]} == {outcome.header.host}
    assert [*(runtime_folder.glob("*/cells/*"))] == []


def test_a_cell_whose_folder_was_half_removed_is_done_again(asked, monkeypatch, runtime_folder):
    """As after a kill at the very end, when its archive was lost with its process."""
    remove = shutil.rmtree

    def interrupted(folder, **named):
        if (facts := Path(folder) / "run.json").exists():
            facts.unlink()
            raise KeyboardInterrupt
        remove(folder, **named)

    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worked(asked())
    assert worked(asked()).header.ending == "done"
    assert [*(runtime_folder.glob("*/cells/*"))] == []


def test_a_node_that_is_not_the_drivers_like_refuses(asked, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for request, reason in (
        (asked(source="0" * 64), "other source: "),
        (asked(versions={"numpy": "1.0"}), "other numpy: "),
        (asked(corpus="0" * 64), "another text embedded on "),
        (asked(share=Share(cpus=1, gpus=1)), "fewer GPUs than a cell is to have on "),
    ):
        header = worked(request).header
        assert (header.ending, header.reason[: len(reason)]) == ("refused", reason)
        assert "\n" not in header.reason


def test_what_would_fail_everywhere_is_told_apart_from_what_a_machine_did(asked, monkeypatch):
    for error, ending in (
        (RequestError("no such thing"), "failed"),
        (ValueError("a fault of ours"), "failed"),
        (MemoryError(), "lost"),
        (StorageError(Path("x"), OSError(28, "No space left on device")), "lost"),
    ):

        def broken(*_, error=error):
            raise error

        monkeypatch.setattr("harness.run.train.train_rows", broken)
        header = worked(asked()).header
        assert header.ending == ending
        assert header.reason.count("\n") == 0 < len(header.reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "its process ended with signal",
        ),
        ("raise MemoryError", "no memory left"),
        ("raise RuntimeError('a fault of ours')", ""),
    ],
)
def test_a_row_that_its_machine_killed_is_told_apart(asked, registered, code, reason):
    names = (registered(code),)
    header = worked(asked(backends=names, versions=versions_of(names))).header
    assert (header.ending, header.reason) == ("done", "")
    assert header.killed[: len(reason) or 1] == reason


def test_a_text_goes_to_a_node_that_lacks_it(asked, tmp_path):
    path = tmp_path / "only-here.txt"
    shutil.copy(EMBEDDED, path)
    request = asked({"corpus": str(path)})
    path.unlink()
    assert worked(request).header.ending == "failed"
    outcome = worked(request, EMBEDDED.read_bytes())
    assert outcome.header.ending == "done", outcome.header
    assert unpacked(request, outcome, tmp_path / "there").facts["experiment"]["corpus"] == str(path)
    assert worked(request, b"x" * 5000).header.ending == "done"  # it has the text by now


def test_a_cell_that_was_cut_off_goes_on_where_it_stood(asked, tmp_path, monkeypatch, capsys):
    request = asked({"num_epochs": 4}, checkpoint_seconds=0)
    left = [8]

    def interrupted(self, row, event):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as control_c:
        control_c.setattr(Silent, "event", interrupted)
        header = worked(request).header
    assert (header.ending, header.reason) == ("lost", "interrupted")
    found = unpacked(request, worked(request), tmp_path / "there")
    assert "goes on: mxnet-style scratch after" in capsys.readouterr().err
    same(found, by_hand(request, tmp_path / "here"))


def edited(archive, name, change):
    """An archive in which a file is another."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
        new.writestr(*change(old.read(name) if name in old.namelist() else b""))
    return changed.getvalue()


def unfinished(content):
    return "run.json", json.dumps(json.loads(content) | {"status": "interrupted"})


WRONG = {
    "an edited table": ("epochs.csv", lambda c: ("epochs.csv", c + b" "), "not those that"),
    "a table too few": ("epochs.csv", lambda c: ("other.csv", c), "not those that"),
    "no end": ("run.json", unfinished, "has not ended"),
    "no record": ("run.json", lambda c: ("run.txt", c), "not a run folder"),
    "a file outside": ("x", lambda _: ("../x", b""), "a file '../x'"),
    "a hidden file": ("x", lambda _: (".lock", b""), "a file '.lock'"),
    "a file of the system": ("x", lambda _: ("/tmp/x", b""), "a file '/tmp/x'"),
}


def test_an_archive_that_is_not_the_run_is_refused(asked, tmp_path):
    request = asked()
    sent = worked(request)
    experiment = request.experiment.model_dump(mode="json")
    for number, (name, change, message) in enumerate(WRONG.values()):
        with pytest.raises(RequestError, match=message):
            unpack_run(edited(sent.archive, name, change), tmp_path / str(number), experiment)
    with pytest.raises(RequestError, match="of another run"):
        unpack_run(sent.archive, tmp_path / "other", experiment | {"seed": 7})
    with pytest.raises(RequestError, match="none"):
        unpack_run(sent.archive[:-30], tmp_path / "cut", experiment)
    for damaged in (sent.sent()[:-1], b"", b"no header\n"):
        assert Outcome.of(damaged).header.ending == "lost"
