"""Every command of the README, given no ``--out``, writes into ``runs``: committed results stay."""

import re
import shlex

import pytest

from harness import paths
from harness.cli import COMMANDS, app
from harness.paths import ROOT
from tests.harness.made_runs import make_run

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"(?m)^python -m harness(.*?)(?:#.*)?$", README)
LISTED = re.findall(r"(?m)^\| `python -m harness ?([^`]*)`", README)

MEANT = {
    "FOLDER...": "{run} {run}",
    "OLD NEW": "{run} {run}",
    "FILE": "seeds.toml",
    r"[NAME\|PATH]": "embedded",
    "--resume PATH --num-epochs N": "",
    "--checkpoint PATH --backend NAME --prefix TEXT": "--checkpoint {run}/none --backend jax",
    "--seed-document 000 --backend NAME OUT.ipynb": "--seed-document 000 --backend jax new.ipynb",
    'my-novel.txt --prefix "It was" --num-epochs 200': "novel.txt",
}
"""What stands for something of the reader's own, and a request that a test can make of it."""

LOOK = {"list", "compare", "predict", "notebook", "history"}
"""Commands that write nothing, only where they are told, or quickly: those are run below."""


class Asked(BaseException):
    """The folder that a command would write into, before it does."""


def command(line):
    words = line.split()
    return words[0] if words and words[0] in {*COMMANDS, "history"} else "run"


def requested(line, run):
    for shown, request in MEANT.items():
        line = line.replace(shown, request)
    return shlex.split(line.format(run=run))


def test_the_readme_names_every_command():
    assert {*map(command, SHOWN + LISTED)} >= {*COMMANDS}


@pytest.mark.parametrize("line", dict.fromkeys(each for each in SHOWN + LISTED))
def test_a_command_of_the_readme_writes_into_runs_alone(
    line, tmp_path, tmp_path_factory, monkeypatch, capsys
):
    def asked(folder):
        raise Asked(folder)

    monkeypatch.chdir(tmp_path)
    novel = (ROOT / "common" / "data" / "embedded.txt").read_text(encoding="utf-8")
    (tmp_path / "novel.txt").write_text(novel, encoding="utf-8")
    words = requested(line, make_run(tmp_path / "mine"))
    if command(line) in LOOK:
        return
    cache = tmp_path_factory.mktemp("cache")  # environments are no results
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr("harness.lock._taken", asked)
    with pytest.raises(Asked) as found:
        app(words, exit_on_error=False, print_error=False, result_action="return_value")
    (folder,) = found.value.args
    assert folder.parts[0] == "runs" or cache in folder.parents, folder
    assert "runs/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "novel.txt"]


def test_the_report_of_a_committed_result_goes_into_runs(tmp_path, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr("harness.page.write.write_told", lambda _, out: seen.append(out) or out)
    committed = make_run(tmp_path / "results" / "study" / "seed-0")
    own = make_run(tmp_path / "own")
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    for folders in ([committed], [own], [own, own]):
        app(["report", *map(str, folders)], exit_on_error=False, result_action="return_value")
    assert [path.parts[0] == "runs" for path in seen] == [True, False, True]
    assert seen[1] == own


def test_a_history_and_what_looks_leave_the_working_folder_alone_but_for_runs(tmp_path, here):
    make_run(tmp_path / "mine")
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    lines = ["history add mine", "history show", "history check", "history site"]
    for line in [*lines, "compare mine mine", "list --help"]:
        done = here(*line.split())
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "runs"]
    written = {path.relative_to(tmp_path).parts[1] for path in (tmp_path / "runs").rglob("*")}
    assert written == {"history.sqlite", "history"}
    assert {path: path.read_bytes() for path in before} == before
