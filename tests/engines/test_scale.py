"""A study of very many cells: what the driver alone takes. A few of them, or with --whole all."""

import json
import subprocess
import sys

import pytest

from harness.paths import ROOT


@pytest.mark.timeout(1800)
def test_a_study_of_many_cells_ends_with_a_whole_table(tmp_path, request):
    whole = request.config.getoption("whole")
    count = 100_000 if whole else 200
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.scale", str(count), str(tmp_path / "many")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert (told["cells"], told["rows"]) == (count, count)
    assert told["tries"] > count
    assert told["peak_mb"] < 1024
    if whole:  # a quiet machine's
        assert told["load_seconds"] + told["spread_seconds"] + told["table_seconds"] < 600
    print(done.stdout)
