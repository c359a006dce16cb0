"""What counting alone reaches, in a report: which rules are drawn, and who is said to beat it."""

import json
import math
import re

import pytest

from common.errors import RequestError
from harness.page.blocks import Chart, Table
from harness.page.drawing import draw
from harness.records.reading import read_run
from harness.records.schemas import BaselineTable
from harness.report.counting import REACH, Baseline, baselines, best, stretched
from harness.report.groups import gather
from harness.report.learning_curves import learning_curves as learn
from tests.harness.made_runs import make_run, write_csv

SMOOTH = {"unigram": 17.0, "bigram": 9.5, "trigram": 5.0, "4-gram": 4.9, "5-gram": 0.5}


def with_baselines(folder, smooth=SMOOTH, val=None, tokens=None, **settings):
    """A made run whose baselines are these; without smoothing they are a tenth better."""
    make_run(folder, **settings)
    rows = []
    for n, (model, figure) in enumerate(smooth.items(), 1):
        on_val = val and val[model]
        rows.append([model, n, "none", figure * 0.9, on_val and math.inf, tokens])
        rows.append([model, n, "kneser-ney", figure, on_val, tokens])
    write_csv(folder / "baselines.csv", BaselineTable, rows)
    return folder


def told(folder):
    section = learn(gather([folder]).groups[0])
    charts = {b.figure.name: b.figure for b in section.blocks if isinstance(b, Chart)}
    return section, charts, next(b for b in section.blocks if isinstance(b, Table))


def drawn(figure):
    """The models whose rules a chart holds, and the names that are written on them."""
    text = json.dumps(figure.chart.to_dict()["datasets"])
    rows = re.findall(r'"model": "([^"]*)", "label": "([^"]*)"', text)
    return [model for model, _ in rows], [label for _, label in rows if label]


def test_the_rules_within_the_range_are_drawn_and_near_ones_share_a_name(tmp_path):
    _, charts, _ = told(with_baselines(tmp_path / "run"))
    models, labels = drawn(charts["perplexity-by-epoch-1"])
    assert models == ["unigram", "bigram", "trigram", "4-gram"]  # a 0.5 would squash the rest
    assert labels == ["unigram", "bigram", "trigram"]
    assert "Kneser-Ney" in json.dumps(draw([charts["perplexity-by-epoch-1"]]).vega)


def test_a_run_without_baselines_has_no_rules_and_says_nothing(tmp_path):
    section, charts, grid = told(make_run(tmp_path / "run"))
    assert "datasets" not in charts["perplexity-by-epoch-1"].chart.to_dict()
    assert "ount" not in section.answer
    assert not any("after" in head for head in grid.heads)


def test_the_first_epoch_below_the_best_is_named(tmp_path):
    smooth = {"unigram": 17.0, "bigram": 9.5, "trigram": 11.0}
    run = with_baselines(tmp_path / "run", smooth)
    curve = read_run(run).epochs.query("backend == 'torch'").set_index("epoch").perplexity
    first = next(epoch for epoch, figure in curve.items() if figure < 9.5)
    assert curve[first - 1] > 9.5
    section, _, grid = told(run)
    assert f"beats counting after epoch {first}: " in section.answer
    assert "9.50 (bigram, Kneser-Ney)" in section.answer
    assert grid.heads[-1] == "below the bigram's 9.50 after"
    assert {row[-1].text for row in grid.rows} == {f"epoch {first}"}


def test_a_sample_that_was_counted_is_told_and_the_whole_is_not(tmp_path):
    whole = read_run(make_run(tmp_path / "made")).facts["corpus"]["tokens"]
    for tokens, said in ((500, f"counted on the first 500 of {whole:,} tokens"), (whole, "")):
        section, _, _ = told(with_baselines(tmp_path / f"of {tokens}", tokens=tokens))
        assert said in section.answer
        assert ("counted on" in section.answer) == bool(said)


def test_validation_is_what_counts_where_there_is_one(tmp_path):
    val = dict.fromkeys(SMOOTH, 1.01) | {"trigram": 1.0}
    run = with_baselines(tmp_path / "run", val=val, sampling="sliding")
    section, charts, grid = told(run)
    (study,) = gather([run]).groups
    assert best(study) == Baseline("trigram", 1.0, math.inf)
    assert (
        "none gets below the best n-gram's 1.00 (trigram, Kneser-Ney) on the val" in section.answer
    )
    assert {row[-1].text for row in grid.rows} == {"never"}
    assert '"plain": "impossible"' in json.dumps(
        charts["val-perplexity-by-epoch-1"].chart.to_dict()
    )
    assert [each.smoothed for each in baselines(study, "perplexity")] == [*SMOOTH.values()]


@pytest.mark.parametrize(
    ("figures", "low"),
    [
        ([5.0], 2.0),
        ([1.9, 1.8], 1.9),
        ([1.0], 2.0),
        ([], 2.0),
        ([2.0 * 10**-REACH], 2.0 * 10**-REACH),
    ],
)
def test_a_chart_reaches_down_to_the_nearest_only(figures, low):
    found = [Baseline(str(figure), figure, figure) for figure in figures]
    assert stretched(2.0, 20.0, found) == pytest.approx(low)


def test_damaged_baselines_are_refused(tmp_path):
    run = with_baselines(tmp_path / "run")
    text = (run / "baselines.csv").read_text()
    (run / "baselines.csv").write_text(text.replace("kneser-ney", "kneser", 1))
    with pytest.raises(RequestError, match=r"baselines\.csv.*smoothing 'kneser'"):
        read_run(run)


@pytest.mark.drawn
def test_pictures_show_what_layers_hold(tmp_path):
    """The rules' own data are not lost when the chart's table is put in."""
    _, plain, _ = told(make_run(tmp_path / "plain"))
    _, ruled, _ = told(with_baselines(tmp_path / "ruled", {"unigram": 17.0}))
    name = "perplexity-by-epoch-1"
    assert draw([plain[name]]).pictures != draw([ruled[name]]).pictures
