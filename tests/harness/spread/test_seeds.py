"""Several seeds: a study made on the spot, the same in order and by an engine."""

import json

import pandas as pd
import pytest

from harness.records.reading import read_run
from harness.workers.cpus import usable_cpus
from tests.harness.engines.conftest import runtime_folder as runtime_folder

SMALL = (
    "run --backend mxnet-style --num-epochs 2 --num-hiddens 4 --max-tokens 300 --batch-size 16 "
    "--num-steps 10 --pred-period 2 --threads 1 --seed 3,1"
)


def digits(out):
    """All that is the same each time, by seed."""
    found = {}
    for seed in (3, 1):
        data = read_run(out / "seeds" / f"seed={seed}")
        saved = {path.name: path.read_bytes() for path in data.folder.glob("*/*.safetensors")}
        found[seed] = data.epochs.perplexity.tolist(), data.samples.text.tolist(), saved
    return found


def test_several_seeds_are_one_folder_in_order_and_by_an_engine(here, tmp_path):
    jobs = min(2, len(usable_cpus()))
    done = here(*SMALL.split(), "--out", "order")
    assert (done.returncode, done.stderr) == (0, "")
    assert "quickstart, seeds 3, 1: medians over seeds" in done.stdout
    assert "2 ok" in done.stdout
    spread = here(*SMALL.split(), "--out", "spread", "--jobs", jobs, "--cpus-per-cell", 1)
    assert (spread.returncode, spread.stderr) == (0, "")
    assert digits(tmp_path / "order") == digits(tmp_path / "spread")
    tables = [pd.read_csv(tmp_path / name / "cells.csv") for name in ("order", "spread")]
    assert list(tables[0]) == list(tables[1])
    assert tables[1].seed.tolist() == [3, 1]
    for name in ("order", "spread"):
        assert {path.name for path in (tmp_path / name).iterdir()} == {
            "cells.csv", "figures", "report.html", "report.md", "seeds", "study.json"
        }  # fmt: skip
        assert json.loads((tmp_path / name / "study.json").read_bytes())["status"] == "finished"
    engines = [
        read_run(tmp_path / "spread" / "seeds" / f"seed={n}").facts["engine"] for n in (3, 1)
    ]
    assert [(each["name"], len(each["cpus"])) for each in engines] == [("local", 1)] * 2
    again = here(*SMALL.split(), "--out", "spread", "--cpus-per-cell", 1)
    assert again.stdout.count("done before") == 2
    other = here(*SMALL.split(), "--lr", 2, "--out", "spread")
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert "holds a run of other settings" in other.stderr


def test_a_text_of_ones_own_is_continued_from_its_first_words(here, tmp_path):
    (tmp_path / "mine.txt").write_text("Öd und leer war das Meer. " * 200, encoding="utf-8")
    done = here(*SMALL.split(), "--corpus", "mine.txt", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "continuing the text's first words, 'Öd und leer war das'" in done.stderr
    samples = read_run(tmp_path / "out" / "seeds" / "seed=1").samples
    assert {*samples.prefix} == {"Öd und leer war das"}


def test_what_was_asked_for_by_name_and_is_not_there_is_a_failure(here, monkeypatch):
    for module in ("run.train", "study.run"):
        monkeypatch.setattr(f"harness.{module}.missing", lambda name, given: "not installed")
    done = here(*SMALL.split(), "--out", "out")
    assert (done.returncode, done.stderr) == (1, "")
    assert "2 unavailable" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--resume x", "--resume: of a single run: give one --seed, and no engine"),
        ("--baselines off", "--baselines off: of a single run"),
        ("--format junit", "--format: of a single run"),
        ("--apart", "--apart: with an engine alone: give --engine NAME"),
    ],
)
def test_what_is_of_one_run_is_refused(here, words, message):
    done = here(*SMALL.split(), *words.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr
