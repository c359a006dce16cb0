"""Whose a setting is, and texts that come through pipes: what is said, and what is not blamed."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from common import pipes
from common.errors import RequestError, in_one_line
from harness.cli import app

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
