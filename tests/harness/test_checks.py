"""Whose a setting is, and texts that come through pipes: what is said, and what is not blamed."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from common import pipes
from common.errors import RequestError, in_one_line
from common.experiment import Experiment
from common.inputs import read_inputs
from harness.checks import first_words
from harness.cli import app
from harness.recipes import experiment_of
from harness.run import train

ROOT = Path(__file__).parents[2]
SMALL = "--backend mxnet-style --num-hiddens 8 --num-preds 3 --quiet".split()


def run(*options):
    epochs = [] if "--num-epochs" in options else ["--num-epochs", "1"]
    return app(
        ["run", *SMALL, *epochs, *options], exit_on_error=False, result_action="return_value"
    )


@pytest.fixture
def text(tmp_path):
    """A text that the recipe's prefixes cannot be spelled in."""
    path = tmp_path / "text.txt"
    path.write_text("абвгд еёжзи " * 200, encoding="utf-8")
    return path


def test_a_default_prefix_that_cannot_be_spelled_is_the_texts_own_beginning(text, tmp_path, capsys):
    assert run("--corpus", str(text), "--out", str(tmp_path / "run")) == 0
    said = capsys.readouterr().err
    assert "no --prefix was given: continuing the text's first words, 'абвгд еёжзи абвгд'" in said
    samples = pd.read_csv(tmp_path / "run" / "samples.csv")
    assert set(samples.prefix) == {"абвгд еёжзи абвгд"}
    with pytest.raises(RequestError, match=r"prefix '' holds no char: give at least one$"):
        run("--corpus", str(text), "--prefix", "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], r"\(--sampling, --batch-size, --num-steps: from recipe quickstart, not given\)"),
        (["--batch-size", "32"], r"\(--sampling, --num-steps: from recipe quickstart, not given\)"),
        (
            ["--sampling", "sequential", "--batch-size", "32", "--num-steps", "35"],
            "give more text or smaller batches$",
        ),
    ],
)
def test_what_the_user_did_not_give_is_not_blamed_on_the_user(tmp_path, options, told):
    (tmp_path / "short.txt").write_text("too short", encoding="utf-8")
    with pytest.raises(RequestError, match=told):
        run("--corpus", str(tmp_path / "short.txt"), *options)
    with pytest.raises(RequestError, match=r"--num-steps: from recipe quickstart, made smaller"):
        app(
            ["bptt", "--recipe", "quickstart", "--corpus", str(tmp_path / "short.txt")],
            exit_on_error=False,
            result_action="return_value",
        )


def test_a_resumed_run_says_whence_the_name_of_its_corpus_comes(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--corpus", "text.txt", "--out", "run") == 0
    checkpoint = tmp_path / "run" / "checkpoints" / "mxnet-style-scratch-0.safetensors"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(RequestError, match=r"corpus text.txt: .*--corpus: from checkpoint .*/run/"):
        run("--resume", str(checkpoint), "--num-epochs", "2")


def test_a_study_names_the_recipe(tmp_path):
    (tmp_path / "short.txt").write_text("too short", encoding="utf-8")
    study = f'title = "S"\n[settings]\ncorpus = "{tmp_path}/short.txt"\nbatch_size = 32\n'
    study += '[[grid]]\nname = "a"\nquestion = "b?"\n[grid.vary]\nseed = [0]\n'
    (tmp_path / "s.toml").write_text(study, encoding="utf-8")
    with pytest.raises(RequestError, match=r"\(--sampling, --num-steps: from recipe quickstart"):
        app(["study", str(tmp_path / "s.toml"), "--out", str(tmp_path / "s")], exit_on_error=False)


def test_a_text_through_a_pipe_is_kept_for_everyone(text, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    os.mkfifo(tmp_path / "pipe")

    def write():
        (tmp_path / "pipe").write_bytes(text.read_bytes())

    threading.Thread(target=write).start()
    kept = pipes.kept(str(tmp_path / "pipe"))
    assert Path(kept).read_bytes() == text.read_bytes()
    assert pipes.kept("embedded") == "embedded"
    assert pipes.kept(str(text)) == str(text)
    assert pipes.kept("no/such/file") == "no/such/file"
    with pytest.raises(RequestError, match="that is a device; name a text file, or pipe one in"):
        pipes.kept("/dev/null")


@pytest.mark.parametrize("given", ["a pipe", "a file"])
def test_standard_input_is_a_corpus(text, tmp_path, given):
    """The worker's own standard input is another: it gets the file that the text was kept in."""
    command = [sys.executable, "-m", "harness", *SMALL, "--corpus", "/dev/stdin"]
    command += ["--num-epochs", "1", "--out", str(tmp_path / "run")]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with open(text, "rb") as file:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            **({"stdin": file} if given == "a file" else {"input": text.read_bytes()}),
        )
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "run" / "report.html").exists()


def test_no_error_is_told_without_a_reason():
    for raised in (AssertionError(), ValueError("  "), OSError("one\n two")):
        try:
            raise raised
        except Exception as error:
            said = in_one_line(error)
        assert said.startswith(type(raised).__name__)
        assert ("raise raised" in said) == (not str(raised).strip())
        assert "\n" not in said


def test_a_framework_that_breaks_without_a_word_gets_a_reason(registered, tmp_path):
    name = registered("assert not loss, ''")
    assert (
        app(
            [
                "run",
                "--backend",
                name,
                *SMALL[2:],
                "--num-epochs",
                "1",
                "--out",
                str(tmp_path / "run"),
            ],
            exit_on_error=False,
            result_action="return_value",
        )
        == 1
    )
    (row,) = pd.read_csv(tmp_path / "run" / "summary.csv").itertuples()
    assert row.status == "failed"
    assert "AssertionError in " in row.reason
    assert "assert not loss" in row.reason


BOOK = "Once upon a time there was a river.\nIt went to the sea, and the sea was wide. " * 200


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text(BOOK, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "told", "kept"),
    [
        ([], f"trained on all {len(BOOK):,} characters of ", len(BOOK)),
        (["--max-tokens", "5000"], f"trained on 5,000 of {len(BOOK):,} characters of ", 5000),
        (
            ["--sampling", "sliding", "--num-steps", "20", "--batch-size", "2048"],
            f"trained on 10,020 and validated on 5,020 of {len(BOOK):,} characters of ",
            len(BOOK),
        ),
    ],
)
def test_a_text_of_ones_own_is_used_whole_and_the_table_says_so(
    book, tmp_path, capsys, options, told, kept
):
    assert run("--corpus", str(book), "--out", str(tmp_path / "run"), *options) == 0
    out, said = capsys.readouterr()
    assert told + str(book) in out
    assert (
        "note: no --prefix was given: continuing the text's first words, 'Once upon a time'" in said
    )
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert (facts["corpus"]["tokens"], facts["corpus"]["of_tokens"]) == (kept, len(BOOK))
    assert facts["experiment"]["prefixes"] == ["Once upon a time"]


def test_the_corpus_of_a_recipe_stays_as_the_recipe_has_it(tmp_path, capsys):
    assert run("--out", str(tmp_path / "run")) == 0
    out, said = capsys.readouterr()
    assert "trained on 10,000 of 34,618 characters of embedded" in out
    assert "prefix" not in said
    assert experiment_of("quickstart", {"corpus": "time-machine"}).max_tokens == 10_000


@pytest.mark.parametrize(
    ("text", "token", "words"),
    [
        ("\n\n  Chapter 1\nIt was a bright day", "char", "Chapter 1"),
        ("A sentence that is longer than that", "char", "A sentence that is"),
        ("Donaudampfschifffahrtsgesellschaft", "char", "Donaudampf"),
        ("分开不分开分开不分开分开不分开分开不分开分开", "char", "分开不分开分开不分开"),
        (" \n" * 50, "char", " "),
        ("one two three four", "word", "one two three"),
    ],
)
def test_the_first_words_of_a_text(text, token, words, tmp_path):
    (tmp_path / "text.txt").write_text(text + "\nab ba" * 20, encoding="utf-8")
    experiment = Experiment(
        corpus=str(tmp_path / "text.txt"), token=token, batch_size=2, num_steps=4
    )
    inputs = read_inputs(experiment)
    assert first_words(inputs) == words
    inputs.vocab.check_prefix(words)
    assert not inputs.vocab.unseen(words)


def test_what_a_prefix_has_and_the_text_lacks_is_named(book, tmp_path, capsys):
    run("--corpus", str(book), "--prefix", "Über Zebras", "--out", str(tmp_path / "run"))
    said = "note: --prefix holds what the text never shows: 'Ü', 'b', 'Z': each is read as <unk>\n"
    assert said in capsys.readouterr().err
    checkpoint = tmp_path / "run" / "checkpoints" / "mxnet-style-scratch-0.safetensors"
    asked = ["predict", "--checkpoint", str(checkpoint), "--backend", "mxnet-style"]
    for prefix, told in (("Über Zebras", said), ("the river", "")):
        app([*asked, "--prefix", prefix], exit_on_error=False, result_action="return_value")
        assert capsys.readouterr().err == told


def test_baselines_come_after_training_or_not_at_all(book, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        train, "try_baselines", lambda *_: seen.append((tmp_path / "run/epochs.csv").read_text())
    )
    assert run("--corpus", str(book), "--out", str(tmp_path / "run")) == 0
    (epochs,) = seen
    assert len(epochs.splitlines()) == 2
    assert run("--corpus", str(book), "--baselines", "off", "--out", str(tmp_path / "off")) == 0
    assert len(seen) == 1
    assert (tmp_path / "off" / "report.html").exists()


def test_a_run_stands_without_baselines_that_there_is_no_memory_for(tmp_path, monkeypatch, capsys):
    def refused(*_):
        raise MemoryError

    monkeypatch.setattr("harness.run.baselines.NGrams", refused)
    assert run("--out", str(tmp_path / "run")) == 0
    assert "no baselines: no memory is left to count n-grams" in capsys.readouterr().err
    assert (tmp_path / "run" / "report.html").exists()
