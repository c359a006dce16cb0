"""The composite action: its steps, run as a shell runs them, without GitHub."""

import json
import os
import re
import subprocess
import sys

import pytest

from harness.paths import ROOT
from tests.serving.door import door

ACTION = ROOT / ".github" / "actions" / "compare"


@pytest.fixture
def step(tmp_path):
    """Runs a script of the action as a step does; the folder of its results is ``work``."""
    settings = {
        "WORK": str(tmp_path / "work"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "BACKENDS": "mxnet-style",
        "VARIANTS": "fused",
        "SHAPES": "2x2x2x2",
        "ROUNDS": "6",
        "TURNS": "2",
        "THRESHOLD": "0.9",  # such a shape is all noise
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "SETUP": "",
    }
    (tmp_path / "summary.md").touch()

    def run(name, cwd=ROOT, **others):
        env = os.environ | settings | others
        command = ["bash", ACTION / f"{name}.sh"]
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env)

    return run


def test_every_step_has_its_script_and_every_setting_its_input():
    told = (ACTION / "action.yml").read_text("utf-8")
    inputs = re.findall(r"(?m)^  ([a-z]+):\n    description:", told.partition("outputs:")[0])
    assert {*re.findall(r"inputs\.(\w+)", told)} == {*inputs}
    scripts = re.findall(r'bash "\$GITHUB_ACTION_PATH/(\w+)\.sh"', told)
    assert scripts == ["prepare", "parity", "bench", "judge"]
    steps = told.partition("runs:")[2].split("- shell: bash")
    for name, of_step in zip(scripts, [steps[0], *steps[1:]], strict=True):
        script = (ACTION / f"{name}.sh").read_text("utf-8")
        used = {*re.findall(r"\$\{?([A-Z]+)\b", script)} - {"BASH", "PYTHONPATH"}
        assert used <= {*re.findall(r"(?m)^ +([A-Z]+):", of_step)}, name
    page = (ROOT / "docs" / "ci.md").read_text("utf-8").partition("## Base")[2]
    assert {*re.findall(r"(?m)^\| `([a-z]+)` \|", page)} == {*inputs}


def test_two_pythons_are_proved_timed_in_turns_and_judged(step, tmp_path, alone):
    """They are the same, so head is no slower."""
    path = f"{os.environ['PYTHONPATH']}{os.pathsep}{ROOT}"
    with door(tmp_path) as python:
        given = {"PYTHON": str(python), "PYTHONPATH": path}
        sides = {"BASE": sys.executable, "HEAD": sys.executable}
        several = [step(name, **given, **sides) for name in "prepare parity bench judge".split()]
    for done in several:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "::error" not in done.stdout
    assert (tmp_path / "output").read_text("utf-8") == f"folder={tmp_path / 'work'}\n"
    for folder in ("base-1", "head-1", "base-2", "head-2"):
        assert json.loads((tmp_path / "work" / folder / "bench.json").read_bytes())["status"]
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert "### parity" in summary
    assert "all equal to the reference" in summary
    assert re.search(r"\| 2x2x2x2 \| mxnet-style \| fused \| \d\.\d{3} \|", summary)


def test_git_refs_become_working_trees_with_an_environment_each(step, tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--shared", ROOT, clone], check=True)
    author = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run(
        ["git", *author, "commit", "-q", "--allow-empty", "-m", "head"], cwd=clone, check=True
    )
    setup = f"mkdir -p .venv/bin; printf '#!/bin/sh\\nexec {sys.executable} \"$@\"\\n' > "
    setup += ".venv/bin/python; chmod +x .venv/bin/python"
    done = step("prepare", clone, BASE="HEAD~1", HEAD="HEAD", SETUP=setup, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    program = 'cd "$1"; . ./side.sh; harness head --version; cat "$WORK/base.tree"'
    work = tmp_path / "work"
    said = subprocess.run(
        ["bash", "-euc", program, "-", ACTION],
        capture_output=True, text=True, check=True, env=os.environ | {"WORK": str(work)},
    )  # fmt: skip
    version, tree = said.stdout.splitlines()
    assert version.count(".") == 2
    assert tree == str(work / "base")
    heads = [
        subprocess.run(
            ["git", "rev-parse", f"{ref}^{{commit}}"], cwd=of, capture_output=True, check=True
        ).stdout
        for ref, of in (("HEAD", work / "base"), ("HEAD~1", work / "head"))
    ]
    assert heads[0] == heads[1]
    refused = step("prepare", clone, BASE="no-such-ref", HEAD="HEAD", SETUP=setup)
    assert refused.returncode != 0


def turn(path, ratios, regressed, lost=None):
    changes = [
        {
            "measure": "32x35x256x28", "backend": "torch", "variant": variant, "ratio": ratio,
            "verdict": "slower" if slow else "tie", "regressed": slow,
        }
        for (variant, ratio), slow in zip(ratios.items(), regressed, strict=True)
    ]  # fmt: skip
    told = {"format": 1, "threshold": 0.05, "changes": changes, "lost": lost or {}}
    path.write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize(
    ("second", "lost", "failed"),
    [
        ([True, False], None, ["fused"]),
        ([False, False], None, []),
        ([False, True], None, []),
        ([False, False], {"torch concise 32x35x256x28": "crashed: <gone>"}, ["concise"]),
    ],
)
def test_a_regression_is_what_every_turn_shows(tmp_path, second, lost, failed):
    turn(tmp_path / "1.json", {"fused": 0.85, "scratch": 1.0}, [True, False])
    turn(tmp_path / "2.json", {"fused": 0.9, "scratch": 0.9}, second, lost)
    summary = tmp_path / "summary.md"
    summary.touch()
    done = subprocess.run(
        [sys.executable, ACTION / "judge.py", tmp_path / "1.json", tmp_path / "2.json"],
        capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(summary)},
    )  # fmt: skip
    assert done.returncode == bool(failed), done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("::error")] == [
        line for line in done.stdout.splitlines() if line
    ]
    assert len(done.stdout.splitlines()) == len(failed)
    assert all(name in done.stdout for name in failed)
    page = summary.read_text("utf-8")
    assert "| 32x35x256x28 | torch | fused | 0.875 | 0.850, 0.900 |" in page
    assert "<gone>" not in page
