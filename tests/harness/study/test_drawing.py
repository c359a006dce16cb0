"""Cells that are drawn: the same ones each time, each once, spread over their ranges."""

import pytest

from common.errors import RequestError
from harness.study.drawing import Range, drawn
from harness.study.grid import cells, load_study

CHOICES = {
    "lr": Range(low=0.01, high=10.0, log=True),
    "num_hiddens": Range(low=8, high=11),
    "activation": ["tanh", "relu"],
}


@pytest.mark.parametrize("draw", ["sobol", "random"])
def test_a_sample_is_the_same_each_time_and_within_its_ranges(draw):
    found = [*drawn(CHOICES, 100, draw, 3)]
    assert found == [*drawn(CHOICES, 100, draw, 3)]
    assert found != [*drawn(CHOICES, 100, draw, 4)]
    assert len({str(each) for each in found}) == 100
    assert all(0.01 <= each["lr"] <= 10 for each in found)
    assert {each["num_hiddens"] for each in found} == {8, 9, 10, 11}
    assert {each["activation"] for each in found} == {"tanh", "relu"}
    below = sum(each["lr"] < 0.1 for each in found)  # a third of the range by its logarithm
    assert (32 <= below <= 35) if draw == "sobol" else (15 <= below <= 51)


def test_no_cell_is_drawn_twice_and_too_many_are_told():
    few = {"seed": Range(low=0, high=3), "activation": ["tanh", "relu"]}
    assert len({str(each) for each in drawn(few, 8, "sobol", 0)}) == 8
    with pytest.raises(RequestError, match="only 8 cells that differ were found for a sample of 9"):
        list(drawn(few, 9, "sobol", 0))


STUDY = """
title = "Search"
backends = ["mxnet-style"]
[[grid]]
name = "search"
question = "Which is best?"
sample = 1500
[grid.ranges]
lr = { low = 0.1, high = 3.0, log = true }
[grid.vary]
activation = ["tanh", "relu"]
"""


def test_a_grid_that_is_drawn_may_have_more_cells_than_combinations(tmp_path):
    file = tmp_path / "search.toml"
    file.write_text(STUDY, encoding="utf-8")
    found = cells(load_study(file))
    assert len(found) == 1500
    assert {*found[0].varied} == {"lr", "activation"}


WRONG = {
    "a range without a sample": ("sample = 1500\n", "", "ranges have no end of values"),
    "the wrong way round": ("low = 0.1, high = 3.0", "low = 3.0, high = 0.1", "low is to be below"),
    "a logarithm of nothing": ("low = 0.1", "low = 0.0", "log is for ranges above 0"),
    "no such draw": ("sample = 1500", 'sample = 5\ndraw = "halton"', "grid.0.draw: input"),
    "both": ("activation = [", "lr = [1]\nactivation = [", "lr is varied and a range"),
    "no such rate": ("low = 0.1, high = 3.0, log = true", "low = -1, high = 3", "search: --lr"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG.values(), ids=WRONG)
def test_a_grid_that_cannot_be_drawn_is_refused(tmp_path, old, new, message):
    file = tmp_path / "search.toml"
    assert old in STUDY
    file.write_text(STUDY.replace(old, new), encoding="utf-8")
    with pytest.raises(RequestError, match=message) as refused:
        load_study(file)
    assert "\n" not in str(refused.value)
