"""Reports of studies: speeds machine by machine, nothing twice, nothing red that is only absent."""

import pandas as pd
import pytest

from harness.page.blocks import Details, Facts, Multiples, Note, Table, flat
from harness.study.grid import cells, load_study
from harness.study.report import told_of_study
from harness.study.run import StudyRequest
from tests.harness.made_runs import make_run, on_machine

STUDY = """
title = "Rates"
backends = ["torch"]
variants = ["scratch", "concise"]
[[grid]]
name = "rates"
question = "Does the rate matter?"
[grid.vary]
lr = [0.5, 1]
seed = [0, 1, 2]
"""
PAIRS = (("torch", "scratch"), ("torch", "concise"))
ONE, OTHER = "a" * 8, "b" * 8


@pytest.fixture
def order(tmp_path):
    """Of each rate two seeds ran on one machine, the last on another, of lr 1 a shared one."""
    file = tmp_path / "rates.toml"
    file.write_text(STUDY, encoding="utf-8")
    order = StudyRequest(load_study(file), tmp_path / "out", None, {})
    for cell in cells(order.study):
        folder, seed = order.folder(cell), cell.varied["seed"]
        make_run(folder, PAIRS, seed=seed, lr=cell.varied["lr"])
        is_shared = seed == 2 and cell.varied["lr"] == 1
        on_machine(folder, OTHER if seed == 2 else ONE, shared=is_shared)
    return order


def grid_of(order):
    return next(each for each in told_of_study(order).sections if each.name == "grid-rates")


def tables(section):
    """Every table of a section, by its caption."""
    found = {}
    for block in flat(section.blocks):
        grid = block if isinstance(block, Table) else getattr(block, "grid", None)
        if grid:
            assert grid.caption not in found, "a table stands there twice"
            found[grid.caption] = grid
    return found


def test_speeds_are_of_one_machine_each_and_perplexities_of_all(order):
    section = grid_of(order)
    found = tables(section)
    one, other = (found[f"Tokens a second in training on {host}"] for host in (ONE, OTHER))
    assert [[cell.text for cell in row[:1]] for row in one.rows] == [["0.5"], ["1"]]
    speeds = []
    for seed in (0, 1):
        folder = order.out / "rates" / f"lr=0.5,seed={seed}"
        table = pd.read_csv(folder / "summary.csv").set_index("variant")
        speeds.append(table.tokens_per_sec["scratch"])
    assert one.rows[0][1].text == f"{sum(speeds) / 2:,.0f}"
    assert other.rows[0][1].text != "-"
    assert [cell.text for cell in other.rows[1][1:]] == ["-", "-"]  # it was shared
    ends = found["Where they ended"]
    assert len(ends.rows) == 2
    assert any(isinstance(block, Multiples) for block in flat(section.blocks))
    assert "with lr 1 rather than 0.5" in section.answer
    assert "range over 6" in section.answer  # three seeds, two variants


def test_the_machines_are_listed(order):
    setup = next(each for each in told_of_study(order).sections if each.name == "setup")
    facts = next(block for block in flat(setup.blocks) if isinstance(block, Facts))
    told = {name: text for name, text in facts.pairs if name.startswith("Machine")}
    assert [*told] == [f"Machine {ONE}", f"Machine {OTHER}"]
    assert told[f"Machine {ONE}"].endswith(": 8 rows")
    assert told[f"Machine {OTHER}"].endswith(": 4 rows")
    notes = [block.text for block in setup.blocks if isinstance(block, Note)]
    assert any("Its rows ran on 2 machines." in text for text in notes)


def test_of_one_machine_nothing_is_said_of_several(order):
    for cell in cells(order.study):
        on_machine(order.folder(cell), ONE)
    assert "Tokens a second in training" in tables(grid_of(order))
    setup = next(each for each in told_of_study(order).sections if each.name == "setup")
    assert [block for block in setup.blocks if not isinstance(block, Details)] == []


def test_what_is_not_installed_is_not_red(order):
    for cell in cells(order.study):
        path = order.folder(cell) / "summary.csv"
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        absent = table.variant == "concise"
        table.loc[absent, "status"] = "unavailable" if cell.varied["lr"] == 1 else "diverged"
        table.loc[absent, ["tokens_per_sec", "parity_verdict"]] = "", "equal"
        table.to_csv(path, index=False)
    diverged, absent = (row[2] for row in tables(grid_of(order))["Where they ended"].rows)
    assert (absent.text, absent.tone) == ("unavailable (3 of 3)", "quiet")
    assert (diverged.text, diverged.tone) == ("diverged (3 of 3)", "bad")
