"""``corpus``: what it counts, what it writes, what it refuses; and the baselines of a run."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.batches import SeqDataLoader
from common.errors import RequestError
from common.experiment import Experiment
from common.inputs import load_batches
from common.text import Text
from harness.corpus.command import Settings, corpus
from harness.corpus.measure import Studied, add_baselines, study, write
from harness.corpus.report import told_of_corpus
from harness.page.write import write_told
from harness.records.reading import read_run
from harness.run.baselines import MODELS, baselines, texts
from harness.run.progress import Silent
from harness.run.train import RunRequest, run

FILES = "baselines corpus ngrams oov tokens zipf".split()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with validation, on a text of its own."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "mine.txt").write_text("it was a dark and stormy night, and it rained. " * 6)
    experiment = Experiment(
        corpus=str(folder / "mine.txt"),
        sampling="sliding",
        batch_size=64,
        num_steps=8,
        num_hiddens=4,
        num_epochs=1,
        prefixes=("it",),
        num_preds=0,
    )
    request = RunRequest("quickstart", experiment, ("mxnet-style",), out=folder / "run")
    assert run(request, Silent()).exit_status == 0
    return folder


@pytest.mark.drawn
def test_everything_is_written_and_the_known_figures_stand_in_it(tmp_path, capsys):
    out = tmp_path / "out"
    asked = {"token": ["char"], "settings": Settings(max_tokens=10_000), "out": out}
    assert corpus("time-machine", **asked, json=True) == 0
    (told,) = json.loads(capsys.readouterr().out)["corpora"]
    written = json.loads((out / "corpus.json").read_text(encoding="utf-8"))
    assert {*written.pop("files")} == {f"{name}.csv" for name in FILES if name != "corpus"}
    assert told | {"format": 1} == written | {"folder": str(out)}
    assert set(FILES) < {path.stem for path in out.iterdir()}
    figures = pd.read_csv(out / "baselines.csv").set_index(["model", "smoothing"])
    assert figures.perplexity["unigram", "none"] == pytest.approx(17.41, abs=0.005)
    assert figures.perplexity["bigram", "none"] == pytest.approx(9.87, abs=0.005)
    assert (figures.val_perplexity.xs("kneser-ney", level="smoothing") < 18).all()
    assert pd.read_csv(out / "tokens.csv")["count"].sum() == 10_000
    assert all(path.stat().st_size > 5_000 for path in (out / "figures").iterdir())


def test_the_table_is_printed_and_words_are_the_books(tmp_path, capsys):
    assert corpus("time-machine", token=["word"], out=tmp_path) == 0
    printed = capsys.readouterr().out
    assert re.search(r"tokens +32,775\n", re.sub(r" +\n", "\n", printed))
    assert "the i and of a to was in" in printed
    grams = pd.read_csv(tmp_path / "ngrams.csv")
    firsts = grams[grams["rank"] == 1]
    assert [*zip(firsts.text, firsts["count"], strict=True)] == [
        ("the", 2261),
        ("of the", 309),
        ("the time traveller", 59),
    ]
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "unigrams, bigrams and trigrams, a is 1.04, 0.65, 0.38" in report


def test_a_text_that_means_harm_stays_text(tmp_path):
    nasty = "<script>alert(1)</script> ``` | \x1b[31m \u202e **b** "
    (tmp_path / "nasty.txt").write_text(nasty * 30, encoding="utf-8")
    studied = study(tmp_path / "nasty.txt", ["char", "word"], 0, 0, None)
    write(studied, tmp_path / "out")
    page = write_told(told_of_corpus(studied), tmp_path / "out").read_text(encoding="utf-8")
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "<script>alert" not in page + text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not {"\x1b", "\u202e"} & {*page, *text}
    grams = pd.read_csv(tmp_path / "out" / "ngrams.csv", keep_default_na=False)
    assert "```" in set(grams.text)


def test_rare_tokens_become_one(tmp_path):
    (tmp_path / "mine.txt").write_text("a b a c a d a e b " * 3 + "z")
    (counted,) = study(tmp_path / "mine.txt", ["word"], 0, 6, None).counted
    assert dict(zip(counted.tokens.text, counted.tokens["count"], strict=True)) == {
        "a": 12,
        "<unk>": 10,
        "b": 6,
    }
    (whole,) = study(tmp_path / "mine.txt", ["word"], 0, 0, None).counted
    share = whole.oov.set_index("min_freq").share
    assert [share[k] for k in (1, 2, 5, 10)] == pytest.approx([0, 1 / 28, 10 / 28, 16 / 28])


def test_what_is_held_out_is_not_counted(tmp_path):
    (tmp_path / "mine.txt").write_text("ab" * 450 + "xy" * 50)
    (counted,) = study(tmp_path / "mine.txt", ["char"], 0, 0, None).counted
    plain, smooth = (
        counted.baselines[counted.baselines.smoothing == name] for name in ("none", "kneser-ney")
    )
    assert np.isinf(plain.val_perplexity).all()
    assert (smooth.val_perplexity > 4).all()  # worse than a guess among those that come
    assert plain.train_perplexity.iloc[0] == pytest.approx(2)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "embeded"}, "did you mean 'embedded'"),
        ({"name": "embedded", "settings": Settings(max_tokens=9)}, "too few to count"),
        ({"name": "embedded", "out": "file"}, "--out .*: cannot be written"),
        ({"name": "embedded", "run": "file"}, "leave out the others"),
        ({"run": "file"}, "no such folder"),
    ],
)
def test_a_wrong_request_is_one_line(tmp_path, asked, message):
    (tmp_path / "file").write_text("")
    paths = {key: tmp_path / asked[key] for key in ("out", "run") if key in asked}
    with pytest.raises(RequestError, match=message) as refused:
        corpus(asked.get("name"), **{k: v for k, v in asked.items() if k != "name"} | paths)
    assert "\n" not in str(refused.value)
    assert [*tmp_path.iterdir()] == [tmp_path / "file"]


@pytest.mark.parametrize("name", ["...txt", ".."])
def test_the_name_of_a_corpus_is_no_way_out_of_a_folder(name):
    assert Studied(Text(f"some/{name}", b"text"), {}, []).name == "corpus"


# baselines of a run


@settings(deadline=None)
@given(
    length=st.integers(12, 300),
    num_steps=st.integers(1, 9),
    sampling=st.sampled_from(["sliding", "sequential", "random"]),
)
def test_the_baselines_are_of_the_tokens_that_are_trained_on_and_validated_on(
    length, num_steps, sampling
):
    loader = SeqDataLoader(np.arange(length), 1, num_steps, sampling, random_offset=False)
    train, val = texts(loader, "char")
    for batches, text in ((loader.epoch(1), train), (loader.validation(), val)):
        seen = {int(token) for X, Y in batches for token in (*X.flat, *Y.flat)}
        if text is None:
            assert not seen
        elif sampling == "sliding":
            assert sorted(seen) == text.tolist()
        else:
            assert seen <= set(text.tolist())
            assert len(text) - len(seen) <= num_steps  # what no batch has room for


def test_a_run_has_the_baselines_of_its_own_text(trained):
    found = read_run(trained / "run").baselines
    assert list(found.model.unique()) == list(MODELS)
    loader, vocab = load_batches(read_run_experiment(trained / "run"))
    train, val = texts(loader, "char")
    expected = baselines(train, val, len(vocab)).assign(tokens=len(train))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert (found[found.smoothing == "kneser-ney"].val_perplexity < np.inf).all()


def read_run_experiment(folder):
    return Experiment.of(read_run(folder).facts["experiment"])


def test_validation_is_not_counted_into_training():
    train, val = np.zeros(50, int), np.ones(50, int)
    found = baselines(train, val, 2).set_index(["n", "smoothing"])
    assert found.perplexity[1, "none"] == 1
    assert np.isinf(found.val_perplexity[1, "none"])


def test_an_older_run_gets_baselines_if_its_text_is_still_the_same(trained, capsys):
    file = trained / "run" / "baselines.csv"
    whole = file.read_bytes()
    file.unlink()
    assert read_run(trained / "run").baselines is None
    assert corpus(run=trained / "run") == 0
    assert "written: " in capsys.readouterr().out
    assert file.read_bytes() == whole
    text = (trained / "mine.txt").read_text()
    (trained / "mine.txt").write_text(text + "More.")
    try:
        with pytest.raises(RequestError, match="is not what it was trained on: its SHA-256 is"):
            add_baselines(trained / "run", None)
    finally:
        (trained / "mine.txt").write_text(text)
    assert file.read_bytes() == whole
