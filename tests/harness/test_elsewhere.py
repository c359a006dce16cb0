"""Other systems: commands run without what POSIX, or Linux alone, has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from harness.paths import ROOT

ELSEWHERE = Path(__file__).with_name("elsewhere")

PROGRAM = """
import json, sys
from harness.__main__ import main
from harness.page import write
from tests.serving.sketching import sketch

for words in json.loads(sys.argv[1]):
    sys.argv = ["harness", *words.split()]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    write.draw = sketch  # once is enough
"""

TINY = "--max-tokens 500 --batch-size 4 --num-steps 20 --num-hiddens 4 --num-epochs 2 "
TINY += "--pred-period 1 --num-preds 3"
COMMANDS = [
    f"run --backend mxnet-style --variant scratch,fused {TINY} --out run",
    "report run",
    "compare run run",
    "predict --checkpoint run/checkpoints/mxnet-style-fused-0.safetensors --backend mxnet-style",
    "parity --backend mxnet-style --variant fused --dtype float64 --steps 2 --out parity",
    "corpus embedded --out corpus",
]


def test_commands_without_what_posix_has(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(COMMANDS)],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(ELSEWHERE), str(ROOT)]),
            "PYTHONWARNDEFAULTENCODING": "1",
            "VECLIB_MAXIMUM_THREADS": "7",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [*pd.read_csv(tmp_path / "run" / "summary.csv").status] == ["ok", "ok"]
    assert pd.read_csv(tmp_path / "parity" / "parity.csv").ok.all()
    assert (tmp_path / "run" / "report.html").is_file()
