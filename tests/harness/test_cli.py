"""Bad requests: one line that says what and how to mend it, exit status 2, nothing written."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from common.checkpoint import Checkpoint, save_checkpoint
from common.experiment import Experiment
from common.vocab import Vocab
from common.weights import draw_weights
from harness.about import version
from harness.cli import COMMANDS
from tests.harness.made_runs import make_run

ROOT = Path(__file__).parents[2]


def harness(*arguments, cwd, **env):
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | env,
        timeout=280,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--backend troch", "did you mean 'torch'"),
        ("list torch", "list torch: one word too many; see python -m harness list --help"),
        ("compare taken", "NEW requires an argument; see python -m harness compare --help"),
        ("--recipe time-machin", "did you mean 'time-machine'"),
        ("--corpus embeded", "did you mean 'embedded'"),
        ("--device gpuu", 'Did you mean "gpu"'),
        ("--variant scrach", "did you mean 'scratch'"),
        ("--sampling slidin", "sliding"),
        ("--lr 0", "--lr 0: input should be greater than 0"),
        ("--lr nan", "--lr nan"),
        ("--clip-theta -1", "--clip-theta -1: input should be greater than or equal to 0"),
        ("--num-epochs 0", "--num-epochs 0"),
        ("--num-hiddens 99999999", "--num-hiddens 99999999"),
        ("--seed -1", "--seed -1"),
        ("--threads 0", "--threads 0"),
        ("--checkpoint-seconds -1", "--checkpoint-seconds -1: from 0"),
        ("study seeds.toml --checkpoint-seconds nan", "--checkpoint-seconds nan: from 0"),
        ("study seeds.toml --engine slrum", "unknown engine 'slrum': did you mean 'slurm'?"),
        ("study seeds.toml --address auto", "--address: an option of --engine ray, not of local"),
        ("study seeds.toml --engine slurm --slurm long", "--slurm long: give it as NAME=VALUE"),
        ("study seeds.toml --jobs 0", "jobs"),
        ("--seed 1,x", "--seed x: a whole number, or several separated by commas"),
        ("--seed 1,2 --resume short.txt", "--resume: of a single run"),
        ("--seed 1,2 --out taken", "--out taken: exists already and holds no study"),
        ("--seed 1,2 --apart", "--apart: with an engine alone: give --engine NAME"),
        ("--engine slrum", "unknown engine 'slrum': did you mean 'slurm'?"),
        ("--cpus-per-cell 0", "--cpus-per-cell 0: input should be greater than"),
        ("bench --shape 2x2x2x2 --address auto", "--address: an option of --engine ray, not of"),
        ("bench --shape 2x2x2x2 --jobs 4096", "--jobs 4096: with 1 CPUs a cell"),
        ("--num-steps two", "--num-steps"),
        ("--no-such-option 1", "--no-such-option"),
        ("--prefix ''", "holds no char"),
        ("--corpus absent.txt", "no such file"),
        ("--corpus empty.txt", "is empty"),
        ("--corpus binary.txt", "zero byte"),
        ("--corpus latin1.txt", "not UTF-8 at byte"),
        ("--corpus same.txt", "nothing to learn"),
        ("--corpus short.txt", "too short"),
        ("--data-dir nowhere --recipe time-machine", "no such folder"),
        ("--recipe lyrics --prefix xyzzy", "'z'"),
        ("--out taken", "exists already"),
        ("--out empty.txt/run", "cannot be written"),
        ("predict --checkpoint absent", "no such file"),
        ("predict --checkpoint short.txt", "truncated, or not a safetensors file"),
        ("predict", "--checkpoint"),
        ("corpus embedded --max-tokens -1", "--max-tokens -1: input should be greater than"),
        ("corpus embedded --min-freq -2", "--min-freq -2: input should be greater than"),
        ("bptt --tau 0", "--tau 0: from 1"),
        ("scale --vary num_hiddens=32", "--vary num_hiddens=32: a single size shows nothing"),
        ("scale --vary hiddens=1,2", "unknown dimension 'hiddens'"),
        ("scale --seconds 0", "--seconds 0: of a size, more than 0"),
        ("scale --shape 32x35", "--shape 32x35: give batch x steps x hiddens x vocabulary"),
        ("scale --backend torhc", "did you mean 'torch'"),
        ("scale --vary corpus_size=64,128", "64 characters are too few for two batches"),
        ("bench --json --format junit", "--json and --format junit: give one of them"),
        ("history add absent", "absent: no such folder"),
        ("history show --db absent", "--db absent: no such file"),
        ("history show --db latin1.txt", "--db latin1.txt: not a history"),
        ("history ad", "Did you mean"),
        ("--backend keras-jax", "keras-jax has no variant scratch: it has concise"),
        ("--backend torch@0.1", "python -m harness env torch@0.1, or give torch@0.1=PATH"),
        ("env torch", "env torch: give a backend and a version"),
        ("notebook it.ipynb --seed-document 000 --backend keras-jax", "notebooks are of scratch"),
        ("lst", "unknown command 'lst': did you mean 'list'? (known: run, list"),
        ("--install-completion --shell tcsh", "bash"),
        ("--install-completion --shell bash --out empty.txt/there", "cannot be written"),
    ],
)
def test_a_bad_request(tmp_path, here, arguments, message):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").touch()
    contents = {
        "empty.txt": b"",
        "binary.txt": b"abc\0" * 100,
        "latin1.txt": "été".encode("latin-1") * 100,
        "same.txt": b"a" * 5000,
        "short.txt": b"abcdefgh" * 10,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    words = ["" if word == "''" else word for word in arguments.split()]
    done = here(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("path", ["x" * 300, "d/" * 3000 + "x", "~nosuchuser/x", "a\udcffb"])
@pytest.mark.parametrize(
    "words",
    [
        "run --out", "run --corpus", "run --recipe time-machine --data-dir", "run --resume",
        "predict --checkpoint", "report", "report RUN --out", "compare RUN", "study",
        "study seeds.toml --out", "corpus", "corpus embedded --out", "corpus --run",
        "history add", "history show --db", "scale --out",
        "bench --shape 2x3x4x5 --out", "parity --out", "sequence --out", "bptt --out",
        "notebook --seed-document 000 --backend torch", "run --python torch=", "list --plugin",
        "--install-completion --shell bash --out",
    ],
)  # fmt: skip
def test_no_path_is_a_traceback(tmp_path, here, words, path):
    if path.startswith("~") and "--out" in words:
        return  # a folder of this name can be made
    run = str(make_run(tmp_path / "run", epochs=10))
    given = [run if word == "RUN" else word for word in words.split()]
    given = [*given[:-1], given[-1] + path] if words.endswith("=") else [*given, path]
    before = sorted(tmp_path.rglob("*"))
    done = here(*given)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 1000
    assert sorted(tmp_path.rglob("*")) == before


def test_a_prefix_that_is_no_text_is_refused(here):
    done = here("run", "--prefix", "it \udcff")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert r"it \udcff: not UTF-8" in done.stderr


def test_an_error_turns_no_line_around(here):
    done = here("run", "--backend", "a\x1b[2J\u202eb")
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown backend 'a")
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr


def test_a_python_without_docstrings_is_refused(tmp_path):
    done = harness("list", cwd=tmp_path, PYTHONOPTIMIZE="2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: PYTHONOPTIMIZE=2 (python -OO) leaves out docstrings")
    assert done.stderr.count("\n") == 1


def test_a_bad_request_to_a_process_of_its_own(tmp_path):
    done = harness("--backend", "troch", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")
    assert "did you mean 'torch'" in done.stderr


def test_help_imports_no_framework_and_is_quick(tmp_path):
    done = harness("--help", cwd=tmp_path)
    assert done.returncode == 0
    for option in "recipe backend corpus num-epochs clip-theta prefix out json".split():
        assert f"--{option}" in done.stdout
    listing = "import sys, harness.cli; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    for module in ("torch", "jax", "tensorflow", "mxnet", "pandas", "scipy"):
        assert f"'{module}'" not in loaded


def test_version_is_that_of_pyproject(tmp_path, here):
    done = harness("--version", cwd=tmp_path)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (done.returncode, done.stdout, done.stderr) == (0, project["version"] + "\n", "")
    for command in COMMANDS:
        done = here(command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Usage: python -m harness {command}")
        assert "--version" not in done.stdout


def test_version_is_told_by_the_source_before_the_installation(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", {"rnn-rosetta": "7.0"}.get)
    file = tmp_path / "pyproject.toml"
    assert version(tmp_path) == "7.0"
    file.write_text('[project]\nname = "rnn-rosetta"\nversion = "8.0"\n', "utf-8")
    assert version(tmp_path) == "8.0"
    file.write_text('[project]\nname = "somebody-elses"\nversion = "9.0"\n', "utf-8")
    assert version(tmp_path) == "7.0"


COMPLETIONS = {
    "note": ["notebook"],
    "--num-h": ["--num-hiddens"],
    "bench --rou": ["--rounds"],
    "--sampling s": ["sequential", "sliding"],
}
"""What is typed after the program's name, and what the Tab key makes of its last word."""

PRESS_TAB = {
    "bash": """
        . ~/.bashrc
        COMP_WORDS=(rnn-rosetta TYPED); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _rnn_rosetta
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "fish": "complete -C 'rnn-rosetta TYPED'",
}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_the_tab_key_completes_commands_options_and_choices(tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}
    program = tmp_path / "rnn-rosetta"  # fish completes no program that is not there
    program.touch(mode=0o755)
    home["PATH"] = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = harness("--install-completion", "--shell", shell, cwd=tmp_path, **home)
    assert done.returncode == 0, done.stderr
    assert f"completion of rnn-rosetta in {shell}: {tmp_path}" in done.stdout
    for typed, expected in COMPLETIONS.items():
        found = subprocess.run(
            [shell, "-c", PRESS_TAB[shell].replace("TYPED", typed)],
            env=os.environ | home,
            capture_output=True,
            text=True,
            check=True,
        )
        offered = [line.partition("\t")[0] for line in found.stdout.splitlines()]
        assert offered == expected, found.stderr


def test_a_completion_written_elsewhere_changes_nothing_else(tmp_path):
    out = tmp_path / "script"
    done = harness(
        "--install-completion", "--shell", "zsh", "--out", out, cwd=tmp_path, HOME=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert out.read_text("utf-8").startswith("#compdef rnn-rosetta\n")
    assert [*tmp_path.iterdir()] == [out]


def test_list_says_what_is_there_and_why_not(tmp_path):
    """Frameworks are hidden from the harness's environment: list must say so.

    PyTorch is not: each takes seconds to import.
    """
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("raise ImportError('hidden by a test')")
    for name in ("tensorflow", "mxnet", "keras"):
        shutil.copytree(tmp_path / "jax", tmp_path / name)
    done = harness("list", "--json", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    found = json.loads(done.stdout)
    backends = {each["backend"]: each for each in found["backends"]}
    own = ["mxnet-style", "mxnet", "torch", "jax", "tensorflow"]
    assert list(backends) == [*own, "keras-torch", "keras-jax", "keras-tensorflow"]
    assert backends["mxnet-style"]["available"]
    assert backends["mxnet-style"]["devices"] == ["cpu"]
    assert backends["torch"]["available"] or "pip install" in backends["torch"]["reason"]
    assert not backends["jax"]["available"]
    assert "hidden by a test" in backends["jax"]["reason"] or (
        "not installed: pip install" in backends["jax"]["reason"]
    )
    assert found["corpora"]["embedded"] == "here"
    assert len(found["recipes"]) == 7
    shutil.copytree(tmp_path / "jax", tmp_path / "torch")  # asked once
    plain = harness("list", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert "quickstart" in plain.stdout
    assert "mxnet-style" in plain.stdout


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "it.safetensors"
    vocab = Vocab("abc\x1b", order="distinct")
    experiment = Experiment(num_hiddens=4, prefixes=("ab",), num_preds=6)
    save_checkpoint(path, Checkpoint(experiment, vocab, 3, draw_weights(4, 4, sigma=1.0)))
    return path


def test_predict(tmp_path, checkpoint):
    done = harness(
        "predict", "--checkpoint", checkpoint, "--backend", "mxnet-style", "--json", cwd=tmp_path
    )
    (found,) = json.loads(done.stdout)
    assert (found["backend"], found["prefix"]) == ("mxnet-style", "ab")
    assert found["text"].startswith("ab")
    assert len(found["text"]) == 8
    plain = harness("predict", "--checkpoint", checkpoint, "--backend", "mxnet-style", cwd=tmp_path)
    assert plain.stdout == "mxnet-style scratch: " + found["text"].replace("\x1b", "·") + "\n"


def test_predict_refuses_an_unseen_prefix_and_a_cut_checkpoint(here, checkpoint):
    done = here("predict", "--checkpoint", checkpoint, "--prefix", "xyz")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "'x', 'y', 'z'" in done.stderr
    checkpoint.write_bytes(checkpoint.read_bytes()[:-8])
    done = here("predict", "--checkpoint", checkpoint)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "truncated" in done.stderr


def test_starting_is_far_quicker_than_importing_torch(tmp_path, only):
    only("torch")

    def seconds(*command):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
        return time.perf_counter() - start

    def ratio():
        starting = seconds(sys.executable, "-m", "harness", "--help")
        return starting / seconds(sys.executable, "-c", "import torch")

    assert any(ratio() < 0.5 for _ in range(3))


def test_predict_decodes_as_the_command_line_says(here, checkpoint):
    def texts(*options):
        asked = ["--checkpoint", checkpoint, "--backend", "mxnet-style", "--num-preds", "40"]
        done = here("predict", *asked, *options, "--json")
        return done.returncode, done.stdout

    greedy = texts()
    sampled = texts("--decode", "sample", "--seed", "1")
    assert sampled == texts("--decode", "sample", "--seed", "1", "--alpha", "1")
    assert sampled != texts("--decode", "sample", "--seed", "2")
    assert greedy == texts("--decode", "sample", "--temperature", "1e-6")
    assert greedy != sampled
    assert texts("--temperature", "0") == (2, "")
