"""Submitit's executor on this machine, which is Slurm's but for the queue: the same study."""

import json

import pytest

from common.errors import RequestError
from harness.engines.choice import EngineOptions, engine_of

pytestmark = [pytest.mark.timeout(7200), pytest.mark.filterwarnings("ignore")]


def test_it_is_the_same_study(spread, in_order):
    pytest.importorskip("submitit")
    words = ("--engine", "slurm", "--slurm", "cluster=local", "--slurm", "array_parallelism=2")
    status, said, wrong = spread.run(*words)
    assert (status, wrong) == (0, ""), said
    assert spread.digits(spread.out) == in_order
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("*/*/run.json")]
    assert [fact["engine"]["name"] for fact in facts] == ["slurm"] * spread.count


def test_where_there_is_no_slurm_it_is_refused(spread):
    pytest.importorskip("submitit")
    status, _, wrong = spread.run("--engine", "slurm", "--slurm", "partition=long")
    assert (status, wrong.count("\n")) == (2, 1), wrong
    assert wrong.startswith("error: --engine slurm: ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"array_parallelism": "0"}, "--slurm array_parallelism=0: a whole number, at least 1"),
        ({"array_parallelism": "many"}, "--slurm array_parallelism=many: a whole number"),
        ({"time": "1:00:00"}, "--slurm time=1:00:00: a whole number"),
        ({"nodes": "2"}, "--slurm nodes=2: a cell is on one node"),
        ({"cpus_per_task": "2"}, "--slurm cpus_per_task=2: say it by --cpus-per-cell"),
        ({"nosuch": "2"}, "--engine slurm: NameError: Unknown argument 'nosuch'"),
    ],
)
def test_a_parameter_that_a_job_cannot_have_is_refused(given, message, tmp_path):
    pytest.importorskip("submitit")
    options = EngineOptions(slurm={"cluster": "local"} | given, folder=tmp_path / ".jobs")
    with pytest.raises(RequestError, match=message) as refused:
        engine_of("slurm", options)
    assert "\n" not in str(refused.value)
    assert [*tmp_path.iterdir()] == []
