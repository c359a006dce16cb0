"""Ray: nodes that die, come, or are not like the driver, and drivers that are killed."""

import json
import platform
import random
import signal
import subprocess
import time

import pandas as pd
import psutil
import pytest

from common.errors import RequestError
from harness.engines.choice import EngineOptions, engine_of
from tests.engines.conftest import ended
from tests.faults.kills import left

pytestmark = [pytest.mark.timeout(7200), pytest.mark.filterwarnings("ignore")]


def ray(cluster):
    return "--engine", "ray", "--address", cluster.address


def test_a_node_is_killed_while_it_works_and_another_comes(spread, cluster, in_order):
    """With --whole: 24 cells of every backend, on 3 nodes, one killed, one added: each once."""
    nodes = [cluster.add_node(num_cpus=1) for _ in range(3 if spread.count > 4 else 2)]
    process = spread.start(*ray(cluster))
    spread.at_work(2)  # a machine of two CPUs has no more
    cluster.remove_node(nodes[0], allow_graceful=False)
    cluster.add_node(num_cpus=1)
    status, said, wrong = ended(process)
    assert (status, wrong) == (0, ""), said
    done = [line for line in said.splitlines() if f" of {spread.count}: " in line]
    assert len(done) == spread.count  # each once
    assert done[-1].startswith(f"{spread.count} of {spread.count}: ")
    assert said.count(" ok") == spread.count * len(spread.backends)
    assert "to be tried again" in said
    assert spread.digits(spread.out) == in_order
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("*/*/run.json")]
    assert len(facts) == spread.count
    print(f"{spread.count} of {spread.count} cells, each once, of {', '.join(spread.backends)}")
    assert {fact["engine"]["name"] for fact in facts} == {"ray"}
    assert 2 in {fact["engine"]["attempt"] for fact in facts}


def test_a_node_of_another_source_is_refused_and_the_rest_goes_on(
    spread, cluster, copied_source, in_order
):
    cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(copied_source)})
    cluster.add_node(num_cpus=1)
    status, said, wrong = spread.run(*ray(cluster))
    assert (status, wrong) == (0, ""), said
    assert "other source: " in said
    assert spread.digits(spread.out) == in_order


def test_a_node_on_which_the_project_does_not_run_is_named_and_takes_no_more(
    spread, cluster, tmp_path, in_order
):
    broken = tmp_path / "broken" / "harness"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('half installed')\n", encoding="utf-8")
    bad = cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(broken.parent)})
    cluster.add_node(num_cpus=1)
    status, said, wrong = spread.run(*ray(cluster))
    assert (status, wrong) == (0, ""), said
    assert f"the project does not run on {platform.node()}: " in said
    assert "half installed" in said
    assert 0 < said.count("to be tried again") < 4, said  # those that were there already
    assert spread.digits(spread.out) == in_order
    cluster.remove_node(bad, allow_graceful=False)


def test_a_row_that_the_machine_kills_is_tried_again(spread, cluster, in_order):
    def own(told):
        of_ours = (told["environ"] or {}).get("TMPDIR") == str(spread.folder / "tmp")
        return of_ours and "harness.start_worker" in (told["cmdline"] or ())

    cluster.add_node(num_cpus=1)
    process = spread.start(*ray(cluster))
    spread.at_work(1)
    workers = []
    while not workers and process.poll() is None:  # one may just have ended
        workers = [each for each in psutil.process_iter(["cmdline", "environ"]) if own(each.info)]
    workers[0].kill()  # as a system does that has no memory left
    status, said, wrong = ended(process)
    assert (status, wrong) == (0, ""), said
    told = " ".join(said.split())  # lines are wrapped
    assert "its process ended with signal SIGKILL" in told
    assert told.count("to be tried again") == 1
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("*/*/run.json")]
    assert sorted(fact["engine"]["attempt"] for fact in facts)[-2:] == [1, 2]
    assert spread.digits(spread.out) == in_order


def test_a_driver_that_is_killed_loses_nothing(spread, cluster, request, tmp_path, in_order):
    cluster.add_node(num_cpus=1)
    store = tmp_path / "store"
    words = (*ray(cluster), "--store", store)
    source = random.Random(request.config.getoption("seed"))
    for _ in range(10 if request.config.getoption("whole") else 1):
        process = spread.start(*words)
        done = len([*store.glob("*.cell")]) if store.exists() else 0
        if done == spread.count:
            break
        while len([*store.glob("*.cell")]) <= done and process.poll() is None:
            time.sleep(0.02)
        try:
            process.wait(source.random())
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        for path in spread.out.glob("*/*/run.json"):
            assert json.loads(path.read_bytes())["status"] == "finished"
    before = {path: path.stat().st_mtime_ns for path in store.glob("*.cell")}
    assert before
    status, said, wrong = spread.run(*words)
    assert (status, wrong) == (0, ""), said
    assert said.count("from the store") + said.count("done before") >= len(before)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len([*store.glob("*.cell")]) == spread.count
    assert spread.digits(spread.out) == in_order
    assert [path for path in spread.out.rglob(".*") if path.name != ".lock"] == []


def test_control_c_ends_what_runs_on_the_nodes(spread, cluster):
    cluster.add_node(num_cpus=1)
    process = spread.start(*ray(cluster))
    spread.at_work(1)
    process.send_signal(signal.SIGINT)
    status, _, wrong = ended(process)
    assert (status, wrong) == (130, "interrupted\n")
    assert left(spread.mark) == []
    assert [*(spread.out.glob("*/*/run.json"))] == []


def test_seeds_of_a_run_are_spread_with_each_backend_where_there_is_room(spread, cluster):
    cluster.add_node(num_cpus=1)
    words = "run --backend mxnet-style --num-epochs 2 --num-hiddens 4 --max-tokens 2000 --seed 1,2"
    status, said, wrong = spread.command(*words.split(), "--apart", *ray(cluster))
    assert (status, wrong) == (0, ""), said
    assert said.count("mxnet-style scratch ok") == 2
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("seeds/*/run.json")]
    assert [fact["engine"]["name"] for fact in facts] == ["ray"] * 2


def test_shapes_of_a_benchmark_are_timed_where_there_is_room(spread, cluster):
    cluster.add_node(num_cpus=1)
    words = "bench --backend mxnet-style --variant scratch --rounds 2 --shape 2x3x4x5,3x2x4x5"
    status, said, wrong = spread.command(*words.split(), *ray(cluster))
    assert (status, wrong) == (0, ""), said
    facts = json.loads((spread.out / "bench.json").read_bytes())
    assert (facts["status"], facts["failures"]) == ("finished", {})
    assert [each["shape"] for each in facts["shapes"]] == ["2x3x4x5", "3x2x4x5"]
    assert {each["engine"]["name"] for each in facts["shapes"]} == {"ray"}
    assert {each["engine"]["host"] for each in facts["shapes"]} == {
        *pd.read_csv(spread.out / "bench.csv").machine
    }


def test_a_bad_request_is_refused_in_one_line(spread, cluster, monkeypatch):
    cluster.add_node(num_cpus=1)
    status, _, wrong = spread.run(*ray(cluster), "--cpus-per-cell", 64)
    assert (status, wrong.count("\n")) == (2, 1), wrong
    assert "none of its nodes has 64 CPUs and 0 GPUs" in wrong
    monkeypatch.setattr("harness.engines.ray.PROBE_SECONDS", 3)
    with pytest.raises(RequestError, match=r"--address 127\.0\.0\.1:1: no Ray cluster") as refused:
        engine_of("ray", EngineOptions(address="127.0.0.1:1"))
    assert "\n" not in str(refused.value)
    with pytest.raises(RequestError, match="--address local: Ray would start a cluster"):
        engine_of("ray", EngineOptions(address="local"))
