"""Texts of records on a page: nobody's home, no more of a long one than can be read, none lost."""

import csv
import json

import pytest

from harness.page.shown import LONGEST, shown
from harness.report.build import write_report
from harness.report.curves import HIGHEST
from tests.harness.made_runs import make_run

HOMES = ["/home/alice", "/Users/bob", "/root", "/home/émile.w"]


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize(
    "text",
    ["{}/novel.txt", "--out={}/x", "torch={}/env/bin/python", "'{}/a b'", "{}", "no {}/x"],
)
def test_a_home_is_told_by_a_tilde(home, text):
    assert shown(text.format(home)) == text.format("~")


@pytest.mark.parametrize("text", ["/data/home/x", "/rooted/x", "a/home/alice", "/home", "~/x", "/"])
def test_any_other_path_is_told_as_it_is(text):
    assert shown(text) == text


def edit(path, change):
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def test_no_home_of_an_old_run_is_published(tmp_path):
    folder = make_run(tmp_path / "run", failed=[("torch", "scratch")])

    def at_home(text):
        facts = json.loads(text)
        facts["command"] = ["--corpus", "/home/alice/novel.txt", "--out=/home/alice/runs/it"]
        facts["corpus"]["name"] = facts["experiment"]["corpus"] = "/home/alice/novel.txt"
        facts["resumed"] = "/home/alice/old/it.safetensors"
        return json.dumps(facts)

    edit(folder / "run.json", at_home)
    edit(folder / "samples.csv", lambda text: text.replace("and on", "and to /home/bob"))
    edit(
        folder / "summary.csv", lambda text: text.replace("document.title", "/home/alice/env/x.py")
    )
    page = write_report([folder], folder)
    for text in (page.read_text("utf-8"), (folder / "report.md").read_text("utf-8")):
        assert "alice" not in text
        assert "~/novel.txt" in text
        assert "--out=~/runs/it" in text
        assert "and to /home/bob" in text  # what a network wrote stays as it wrote it


def test_a_text_without_end_is_cut_with_a_mark(tmp_path):
    folder = make_run(tmp_path / "run", said=" on" * 500_000, failed=[("torch", "scratch")])
    edit(folder / "summary.csv", lambda text: text.replace("document.title", "x" * 1_000_000))
    page = write_report([folder], folder).read_text("utf-8")
    text = (folder / "report.md").read_text("utf-8")
    for told in (page, text):
        assert "more characters are left out)" in told
        assert "x" * LONGEST not in told
        assert " on" * 10_000 not in told
    assert len(text) < 500_000


def test_a_perplexity_of_any_size_is_told_and_what_is_beyond_reading_is_not_drawn(tmp_path):
    folder = make_run(tmp_path / "run")
    with (folder / "epochs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[3][4], rows[4][4], rows[5][4] = "6.7e194", "1.7e308", "inf"
    with (folder / "epochs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    write_report([folder], folder)
    said = f"Perplexities above {HIGHEST:g}, in 3 epochs, are not drawn."
    assert said in (folder / "report.md").read_text("utf-8").replace("\\", "")
