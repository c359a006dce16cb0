"""A run on several devices: simulated ones are no speed, who has one device says so."""

import pandas as pd
from rich.console import Console

from common.experiment import Experiment
from harness.records.reading import read_run
from harness.report.build import write_report
from harness.run.progress import Live
from harness.run.tables import comparison
from harness.run.train import RunRequest, run


def test_simulated_devices_are_never_shown_as_speed(registered, tmp_path, capsys):
    name = registered("pass", devices="together")
    small = {"max_tokens": 2000, "num_hiddens": 8, "num_epochs": 2, "prefixes": ("a",)}
    asked = Experiment(**small, devices=2, device="cpu")
    console = Console(width=200)
    out = tmp_path / "run"
    with Live(console, 2, 1) as display:
        result = run(RunRequest("quickstart", asked, (name, "mxnet-style"), out=out), display)
    alone, both = sorted(result.rows, key=lambda row: row.backend)
    assert (both.status, both.device) == ("ok", "cpu, as 2 simulated devices")
    assert both.tokens_per_sec is None
    assert alone.status == "unavailable"
    assert alone.reason.startswith("mxnet-style has one device: --devices 2 is for ")
    console.print(comparison(result.rows, 200))
    assert "each on cpu, as 2 simulated devices" in " ".join(capsys.readouterr().out.split())
    summary = pd.read_csv(out / "summary.csv").set_index("backend")
    assert pd.isna(summary.loc["own"].tokens_per_sec)
    assert read_run(out).facts["experiment"]["devices"] == 2
    write_report([out], tmp_path)
    said = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Nobody has earned a throughput" in said
    assert "tokens/s in training" not in said
