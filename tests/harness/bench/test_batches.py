"""Contests on a GPU that cannot hold all workers at once."""

import pytest
from rich.console import Console

from harness.bench import rounds, turns
from harness.bench.contenders import Contest, contenders
from harness.bench.printing import show
from harness.bench.ratios import ShapeResult, ratio
from harness.bench.tables import bench_table
from harness.bench.turns import time_shape
from harness.bench.twins import with_twins
from tests.harness.fake_machine import Framework, set_up

SHAPE = "2x3x4x5"


@pytest.fixture
def contest(monkeypatch):
    """Time two backends of three variants each on a GPU with room for so many networks."""

    def time(room, variants=("scratch", "fused", "concise"), twin=False):
        machine = [
            Framework(name, gpus=1, room=room, variants=variants) for name in ("torch", "jax")
        ]
        set_up(monkeypatch, *machine)
        monkeypatch.setattr(turns, "TURN_SECONDS", 0.002)
        order = []
        take_turn = rounds._take_turn
        monkeypatch.setattr(
            rounds,
            "_take_turn",
            lambda each, *rest: (order.append(each), take_turn(each, *rest)),
        )
        asked = Contest((), (), 2, {"device": "gpu"}, {})
        found, _ = contenders(asked)
        found = with_twins(found) if twin else found
        time_shape(asked, SHAPE, found, lambda said: None)
        assert not machine[0].held
        return {each.name: each for each in found}, [each.name for each in order]

    return time


def test_all_take_turns_together_where_they_fit(contest):
    found, order = contest(room=6)
    assert {each.batch for each in found.values()} == {1}
    assert all(
        not each.reason and each.device_memory_mb == 7 for each in found.values() if each.is_network
    )
    rounds = [order[:7], order[7:]]
    assert [sorted(each) for each in rounds] == [sorted(found)] * 2


def test_a_backend_waits_whole_for_the_next_batch(contest):
    found, order = contest(room=4)
    batches = {name: each.batch for name, each in found.items()}
    assert {batches[f"torch {v}"] for v in ("scratch", "fused", "concise")} == {1}
    assert {batches[f"jax {v}"] for v in ("scratch", "fused", "concise")} == {2}
    assert all(not each.reason and len(each.turns) == 2 for each in found.values())
    assert max(i for i, name in enumerate(order) if "torch" in name) < min(
        i for i, name in enumerate(order) if "jax" in name
    )
    console = Console(width=200, record=True, quiet=False)
    result = ShapeResult(SHAPE, list(found.values()))
    show(console, result, bench_table(SHAPE, result.found))
    assert "in 2 batches, for its device could not hold all at once" in console.export_text()


def test_two_batches_are_compared_as_separate_runs(contest):
    found, _ = contest(room=4)
    assert not ratio(found["torch fused"], found["jax fused"]).known  # of two rounds
    for each in (found["torch fused"], found["jax fused"]):
        each.turns *= 5
    assert ratio(found["torch fused"], found["jax fused"]).known


def test_a_twin_without_room_costs_the_others_nothing(contest):
    found, _ = contest(room=3, twin=True)
    assert "it does not fit" in found["torch fused again"].reason
    assert all(not found[f"torch {v}"].reason for v in ("scratch", "fused", "concise"))
    assert ShapeResult(SHAPE, list(found.values())).twin is None


def test_what_does_not_fit_says_so_and_costs_nobody_else(contest):
    found, _ = contest(room=2)
    for name in ("torch", "jax"):
        assert found[f"{name} scratch"].reason == found[f"{name} fused"].reason == ""
        assert found[f"{name} concise"].reason == (
            "it does not fit beside the other variants of its backend: no memory left on its "
            "device: CUDA out of memory. Tried to allocate 20.00 GiB. See the manual"
        )
