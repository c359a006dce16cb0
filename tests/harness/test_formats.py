"""Results for other programs: what GitHub and CI servers read is well formed, whatever it says."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from harness.console import titled
from harness.formats import Outcome, Sheet, in_markdown, junit, tell, workflow_commands
from tests.harness.made_runs import NASTY, make_parity, make_run

FOUND = [
    Outcome("float64", "torch scratch", "passed", "all well", 1.25, "backends/torch/scratch.py"),
    Outcome("float64", "jax scratch", "failed", "100% off, by: 1\nand more", file="a,b:c.py"),
    Outcome("float32", "mxnet scratch", "skipped", "not installed"),
]


def test_junit_counts_what_passed_and_says_why_not():
    root = ET.fromstring(junit("parity", FOUND))
    assert root.attrib == {
        "name": "rnn-rosetta parity", "tests": "3", "failures": "1", "errors": "0",
        "skipped": "1", "time": "1.250",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == ["float64", "float32"]
    passed, failed, skipped = root.iter("testcase")
    assert (passed.get("classname"), passed.get("time")) == ("parity.float64", "1.250")
    assert passed.find("failure") is None
    assert failed.find("failure").get("message") == "100% off, by: 1 and more"
    assert skipped.find("skipped").text == "not installed"


@given(st.text(st.characters(), max_size=60))
def test_any_text_is_well_formed_xml_and_one_annotation(text):
    outcome = Outcome(text, text, "failed", text, file=text)
    written = junit("run", [outcome])
    assert written.isascii()
    (case,) = ET.fromstring(written).iter("testcase")
    assert case.find("failure") is not None
    (line,) = workflow_commands("run", [outcome])
    properties, said = re.fullmatch(r"::error (.*?)::(.*)", line).groups()
    assert "\n" not in line
    assert "\r" not in line
    for each in properties.split(","):
        assert re.fullmatch("(file|title)=[^,:]*", each), line
    assert re.fullmatch(r"(?:[^%]|%25|%0A|%0D)*", said)


def test_an_annotation_stands_at_its_file_escaped_as_github_wants_it():
    (line,) = workflow_commands("parity", FOUND)
    assert line == (
        "::error file=a%2Cb%3Ac.py,title=parity%3A float64%2C jax scratch::"
        "100%25 off, by: 1 and more"
    )


def test_of_many_failures_the_last_annotation_says_how_many_more():
    many = [Outcome("rows", str(number), "failed", "no") for number in range(25)]
    lines = workflow_commands("run", many)
    assert len(lines) == 10
    assert lines[-1] == "::error title=run::16 more failed, see the summary"
    assert len(workflow_commands("run", many[:10])) == 10


def test_a_sheet_keeps_tables_and_lines_as_github_shows_them():
    sheet = Sheet()
    table = titled("One | two")
    table.add_column("name")
    table.add_column("tokens/s", justify="right")
    table.add_row(Text("a|b"), "1,000")
    table.add_row("[bold]c[/]", Text("2", "red"))
    sheet.print(table)
    sheet.print("[red]said[/] <b>")
    assert sheet.blocks == [
        "**One \\| two**\n\n| name | tokens/s |\n| :-- | --: |\n| a\\|b | 1,000 |\n| c | 2 |",
        "said &lt;b&gt;",
    ]
    assert in_markdown(NASTY).count("|") == in_markdown(NASTY).count("\\|") == 1
    assert "<" not in in_markdown(NASTY)


def test_github_writes_its_summary_where_it_is_told(tmp_path, monkeypatch, capsys):
    sheet, summary = Sheet(), tmp_path / "summary.md"
    sheet.print("a line")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    tell("github", "run", FOUND, sheet)
    assert "### run\n\na line" in capsys.readouterr().out
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    tell("github", "run", FOUND, sheet)
    assert capsys.readouterr().out.startswith("::error file=a%2Cb%3Ac.py")
    assert summary.read_text("utf-8") == "before\n### run\n\na line\n\n"


@pytest.fixture
def runs(tmp_path):
    """Two runs of one experiment, of which the second lost a row."""
    make_parity(make_run(tmp_path / "old"))
    make_run(tmp_path / "new", failed=[("torch", "scratch")])
    return tmp_path


def test_a_regression_fails_in_every_form(runs, here, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    forms = {form: here("compare", "old", "new", "--format", form) for form in FORMS}
    assert {form: done.returncode for form, done in forms.items()} == dict.fromkeys(FORMS, 1)
    assert "regression: torch scratch seed 0: was ok, is diverged" in forms["markdown"].stdout
    assert "| mxnet-style | scratch |" in forms["markdown"].stdout
    (failed,) = ET.fromstring(forms["junit"].stdout).iter("failure")
    assert failed.get("message").startswith("was ok, is diverged")
    first, *page = forms["github"].stdout.splitlines()
    title = "title=compare%3A rows%2C torch scratch seed 0"
    assert first.startswith(f"::error file=backends/torch/scratch.py,{title}::was ok, is diverged")
    for text in ("\n".join(page), forms["markdown"].stdout, forms["junit"].stdout):
        assert "\x1b" not in text
        assert "<script" not in text


FORMS = ("markdown", "junit", "github")


def test_one_form_at_a_time(runs, here):
    done = here("compare", "old", "old", "--json", "--format", "junit")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --json and --format junit: give one of them\n"
    done = here("compare", "old", "old", "--format", "junt")
    assert done.returncode == 2
    assert "junit" in done.stderr
