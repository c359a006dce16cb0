"""A dry run: it leaves nothing, and estimates all from one cell."""

import re

from harness.study.progress import lasting
from tests.faults.kills import STUDY


def test_a_dry_run_says_what_the_study_takes_and_leaves_nothing(here, tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY, encoding="utf-8")
    done = here("study", "tiny.toml", "--out", "out", "--dry-run", "--jobs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"2 cells: 2 in rates\n"
        r"measured rates, lr=0.5: \d+ s, \d+ MB\n"
        r"2 to run: about \d+ s one after the other; \d+ MB of memory\n",
        done.stdout,
    )
    assert not (tmp_path / "out").exists()


def test_times_are_told_in_two_figures():
    assert [lasting(each) for each in (3.2, 89, 300, 7200)] == ["3 s", "89 s", "5 min", "2.0 h"]
