"""Submitit's executor on this machine, which is Slurm's but for the queue: the same study."""

import json

import pytest

pytestmark = [pytest.mark.timeout(7200), pytest.mark.filterwarnings("ignore")]


def test_it_is_the_same_study(spread, in_order):
    pytest.importorskip("submitit")
    words = ("--engine", "slurm", "--slurm", "cluster=local", "--slurm", "array_parallelism=2")
    status, said, wrong = spread.run(*words)
    assert (status, wrong) == (0, ""), said
    assert spread.digits(spread.out) == in_order
    facts = [json.loads(path.read_bytes()) for path in spread.out.glob("*/*/run.json")]
    assert [fact["engine"]["name"] for fact in facts] == ["slurm"] * spread.count


def test_a_parameter_that_slurm_does_not_have_is_refused(spread):
    pytest.importorskip("submitit")
    status, _, wrong = spread.run("--engine", "slurm", "--slurm", "partition=long")
    assert (status, wrong.count("\n")) == (2, 1), wrong
    assert wrong.startswith("error: --engine slurm: ")
