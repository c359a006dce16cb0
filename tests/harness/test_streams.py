"""Output never ends a run, in whatever encoding the terminal is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = "分开 不分开 naïve Ω ١٢ 😀 the quick brown fox jumps over the lazy dog\n" * 30


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii", "koi8-r", "latin-1"])
def test_a_run_goes_on_and_its_json_is_json(tmp_path, encoding):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    small = "--backend mxnet-style --num-epochs 1 --num-hiddens 8 --batch-size 2 --num-steps 5"
    command = [sys.executable, "-m", "harness", "--corpus", str(tmp_path / "text.txt")]
    command += [*small.split(), "--prefix", "分开", "--pred-period", "1"]
    # as the terminal, not as PYTHONUTF8, says
    given = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for number, options in enumerate([[], ["--json"]]):
        out = tmp_path / str(number)
        done = subprocess.run(
            [*command, "--out", str(out), *options], cwd=ROOT, env=given, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode(encoding, "replace")
        said = done.stdout.decode(encoding)
        if options:
            assert json.loads(said)["rows"][0]["status"] == "ok"
        else:
            assert "分开" in said or r"\u5206\u5f00" in said
            assert "report.html" in said
        assert "分开" in (out / "samples.csv").read_text(encoding="utf-8")
