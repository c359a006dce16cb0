"""One writer a folder, whatever becomes of the writer."""

import fcntl
import json
import os
import signal
import subprocess
import sys

import pytest

from common.errors import RequestError
from harness.lock import LOCK, begun, locked
from tests.harness.holding import HOLD, holder

CONTEND = """
import random, sys, time
from pathlib import Path
from common.errors import RequestError
from harness.lock import locked
folder, taken = Path(sys.argv[1]), 0
while taken < 40:
    try:
        with locked(folder):
            (folder / "alone").mkdir()
            (folder / "alone").rmdir()
            taken += 1
    except RequestError as refused:
        assert "is writing here" in str(refused), refused
    time.sleep(random.random() / 1000)
"""


def test_who_writes_there_is_told_and_the_folder_is_free_when_he_is_gone(tmp_path):
    folder = tmp_path / "new" / "run"
    with holder(folder) as process:
        told = rf"new/run: host .+, process {process.pid} is writing here since .+: wait for it"
        with pytest.raises(RequestError, match=told), locked(folder):
            pass
        assert not begun(folder)
    assert not (tmp_path / "new").exists()  # nothing was written, nothing is left


def test_a_killed_writer_holds_nothing_though_its_number_lives_on(tmp_path):
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / LOCK).exists()
    told = json.loads((tmp_path / LOCK).read_text("utf-8"))
    (tmp_path / LOCK).write_text(json.dumps(told | {"pid": os.getpid()}), encoding="utf-8")
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_process_may_take_its_own_lock_again(tmp_path):
    with locked(tmp_path):
        with locked(tmp_path / "." / "cell" / ".."):
            pass
        with holder(tmp_path / "another"):
            pass
        assert (tmp_path / LOCK).exists()
        process = subprocess.run([sys.executable, "-c", HOLD, tmp_path], capture_output=True)
        assert b"is writing here" in process.stderr
    assert not (tmp_path / LOCK).exists()


def test_of_many_one_is_there_at_a_time(tmp_path):
    """Each makes and removes the folder and the file at every turn."""
    folder = tmp_path / "run"
    several = [
        subprocess.Popen([sys.executable, "-c", CONTEND, folder], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [(process.communicate()[1], process.returncode) for process in several] == [("", 0)] * 4
    assert not (folder / LOCK).exists()


def test_a_lock_of_a_file_that_its_holder_has_just_removed_is_none(tmp_path, monkeypatch):
    lock = fcntl.flock

    def after_the_holder_left(file, operation):
        monkeypatch.undo()
        (tmp_path / LOCK).unlink()
        lock(file, operation)

    monkeypatch.setattr("fcntl.flock", after_the_holder_left)
    with locked(tmp_path):
        process = subprocess.run([sys.executable, "-c", HOLD, tmp_path], capture_output=True)
        assert b"is writing here" in process.stderr


def test_what_cannot_be_a_lock_is_one_line(tmp_path):
    (tmp_path / "other").write_text("mine", encoding="utf-8")
    (tmp_path / LOCK).symlink_to(tmp_path / "other")
    with pytest.raises(RequestError, match="cannot be written"), locked(tmp_path):
        pass
    assert (tmp_path / "other").read_text("utf-8") == "mine"
    with pytest.raises(RequestError, match="cannot be written"), locked(tmp_path / "other"):
        pass


def test_a_file_system_without_locks_is_told_of(tmp_path, monkeypatch, capsys):
    def none(file, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    with locked(tmp_path):
        pass
    assert "knows no locks" in capsys.readouterr().err
