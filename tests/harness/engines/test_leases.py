"""Leases: no two hold the same CPU, whoever they are, and who is gone holds nothing."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from common.errors import RequestError
from harness.engines.leases import leased, on_cpus, on_gpus, runtime
from harness.workers.cpus import affinity

HOLD = """
import sys, time
from harness.engines.leases import leased
with leased("cpu", ["0", "1"], 2):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_never_hold_the_same_and_a_third_waits():
    order = []
    with leased("cpu", ["0", "1", "2"], 2) as one:
        thread = threading.Thread(target=wait_for, args=[order, 2])
        with leased("cpu", ["0", "1", "2"], 1) as other:
            assert not {*one.names} & {*other.names}
            thread.start()
            order.append("both")
    thread.join()
    assert order == ["both", "third"]


def wait_for(order, count):
    with leased("cpu", ["0", "1", "2"], count):
        order.append("third")


def test_what_a_killed_process_held_is_free():
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    order = []
    thread = threading.Thread(target=wait_for, args=[order, 3])
    thread.start()
    thread.join(0.5)
    assert order == []
    os.kill(holder.pid, signal.SIGKILL)
    thread.join()
    assert order == ["third"]
    holder.communicate()


def test_who_is_alone_holds_all_and_is_given_what_he_asked_for():
    order = []
    with leased("cpu", ["0", "1", "2"], 1, alone=True) as lease:
        assert lease == (["0"], False)
        thread = threading.Thread(target=wait_for, args=[order, 1])
        thread.start()
        thread.join(0.5)
        assert order == []
    thread.join()


def test_fewer_than_were_asked_for_are_shared():
    with leased("cpu", ["0", "1"], 3) as lease:
        assert lease == (["0", "1"], True)


def test_a_process_runs_on_what_it_holds_and_afterwards_as_before():
    before = affinity()
    with on_cpus(1, alone=False) as lease:
        assert affinity() == [int(lease.names[0])]
    assert affinity() == before


def test_a_cell_sees_its_gpus_and_without_any_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-abc")
    with on_gpus(1) as one, on_gpus(0) as none:
        assert one.names == ["3"]
        assert none.names == []
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3, GPU-abc"


@pytest.mark.parametrize("how", ["a link", "open to all"])
def test_a_folder_that_somebody_else_may_write_is_refused(runtime_folder, how):
    folder = runtime_folder / f"rnn-rosetta-{os.getuid()}"
    if how == "a link":
        (runtime_folder / "elsewhere").mkdir()
        folder.symlink_to(runtime_folder / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(RequestError, match="not ours alone"):
        runtime()
