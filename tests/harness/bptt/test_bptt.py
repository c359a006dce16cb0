"""``bptt``, end to end: what it writes, what it refuses, and that a wrong gradient fails it."""

import json
import re

import pandas as pd
import pytest

import backends
from harness.bptt.measure import NORMS, SPECTRUM, TRUNCATION
from harness.cli import app
from harness.paths import ROOT

TINY = "--corpus embedded --num-steps 6 --num-hiddens 6 --num-epochs 2 --draws 30 --tau 1 --tau 3"
TINY += " --pi 0.5"


def bptt(out, options=TINY, backend="mxnet-style"):
    command = ["bptt", "--backend", backend, *options.split(), "--out", str(out)]
    return app(command, result_action="return_value", exit_on_error=False, print_error=False)


@pytest.mark.drawn
def test_measures_and_writes(tmp_path, capsys):
    assert bptt(tmp_path) == 0
    said = capsys.readouterr().out
    assert "truncated to 3" in said
    norms, spectrum, truncation = (
        pd.read_csv(tmp_path / f"{name}.csv") for name in ("norms", "spectrum", "truncation")
    )
    assert [list(each.columns) for each in (norms, spectrum, truncation)] == [
        NORMS,
        SPECTRUM,
        TRUNCATION,
    ]
    networks = {(a, clip, epoch) for a in ("tanh", "relu") for clip in (0, 1) for epoch in range(3)}
    rows = zip(spectrum.activation, spectrum.clip_theta, spectrum.epoch, strict=True)
    assert set(rows) == networks
    assert len(norms) == 6 * len(networks)
    whole = truncation[(truncation.epoch == 2) & (truncation.quantity == "gradient")]
    by = whole[whole.draws == whole.groupby("strategy").draws.transform("max")]
    errors = by.set_index(["strategy", "tau"]).error
    assert errors["full"].item() == 0
    assert errors["truncated", 1] > errors["truncated", 3] > 0
    exact = truncation[truncation.quantity.isin(["W_hq", "b_q"])]
    assert (exact.error < 1e-14).all()
    facts = json.loads((tmp_path / "bptt.json").read_text())
    assert facts["status"] == "finished"
    assert facts["worst_error"]["mxnet-style"] < 1e-12
    assert {each.name for each in (tmp_path / "figures").iterdir()} == {
        "norm-by-distance.png",
        "radius-by-epoch.png",
        "error-by-tau.png",
        "error-by-draws.png",
    }
    told = (tmp_path / "report.md").read_text()
    assert "Is randomized truncation unbiased?" in told
    page = (tmp_path / "report.html").read_text()
    assert "Who is right?" in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_network_that_diverges_is_told(tmp_path, capsys):
    assert bptt(tmp_path, f"{TINY} --lr 1e6 --json") == 0
    spectrum = pd.read_csv(tmp_path / "spectrum.csv")
    lost = spectrum[spectrum.status == "diverged"]
    assert len(lost)
    assert set(lost.clip_theta) >= {0.0}
    norms = pd.read_csv(tmp_path / "norms.csv")
    keys = ["activation", "clip_theta", "epoch"]
    assert lost.merge(norms, on=keys).empty
    assert "diverged by epoch" in (tmp_path / "report.md").read_text()
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "finished"
    assert {row["strategy"] for row in found["truncation"]} == {
        "full",
        "truncated",
        "randomized",
        "biased",
    }


def test_where_nothing_is_left_to_chance_nothing_is_drawn(tmp_path):
    assert (
        bptt(tmp_path, "--corpus embedded --num-steps 6 --num-hiddens 4 --num-epochs 1 --pi 1") == 0
    )
    assert not (tmp_path / "figures" / "error-by-draws.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--num-steps 6 --tau 7", "--tau 7: from 1 to the 6 steps"),
        ("--num-steps 6 --tau 0", "--tau 0: from 1"),
        ("--pi 0", "--pi 0: a probability"),
        ("--pi 1.5", "--pi 1.5: a probability"),
        ("--pi nan", "--pi nan: a probability"),
        ("--draws 1", "--draws 1: at least two"),
        ("--clip-theta 0", "--clip-theta 0: both are measured"),
        ("--corpus embedded --num-steps 99999", "the corpus is too short"),
        ("--corpus nowhere.txt", "nowhere.txt"),
        ("--recipe nothing", "unknown recipe 'nothing'"),
    ],
)
def test_a_wrong_request_is_one_line(tmp_path, options, said):
    with pytest.raises(ValueError, match=said) as caught:
        bptt(tmp_path / "out", options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def planted(tmp_path, monkeypatch, old, new):
    """The MXNet-style backend under another name, but for one line of its ``bptt.py``."""
    folder = tmp_path / "path" / "planted"
    folder.mkdir(parents=True)
    text = (ROOT / "backends" / "mxnet_style" / "bptt.py").read_text()
    assert old in text
    (folder / "bptt.py").write_text(text.replace(old, new))
    (folder / "__init__.py").write_text("")
    (folder / "backend.py").write_text(
        "from backends.mxnet_style.backend import build, compilations, describe\n"
    )
    own = backends.Entry("planted.backend", sections=("bptt",))
    (tmp_path / "path" / "sitecustomize.py").write_text(
        f"from backends import BACKENDS, Entry\nBACKENDS['own'] = {own!r}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    monkeypatch.setitem(backends.BACKENDS, "own", own)


def test_a_wrong_gradient_fails_the_command(tmp_path, monkeypatch, capsys):
    planted(tmp_path, monkeypatch, "factor * (H - H.detach())", "(H - H.detach())")
    assert bptt(tmp_path / "out", backend="own") == 1
    said = capsys.readouterr().out
    assert "over tolerance: own: gradient W_hh" in said
    assert "over tolerance: own: full" not in said
    facts = json.loads((tmp_path / "out" / "bptt.json").read_text())
    assert facts["status"] == "failed"
    assert "NOT all" in (tmp_path / "out" / "report.md").read_text()


def test_a_backend_that_breaks_down_fails_the_command(tmp_path, monkeypatch, capsys):
    planted(tmp_path, monkeypatch, "l.backward()", "raise OSError('no tape')")
    assert bptt(tmp_path / "out", backend="own,mxnet-style") == 1
    assert "own: not measured: OSError: no tape" in capsys.readouterr().out
    facts = json.loads((tmp_path / "out" / "bptt.json").read_text())
    assert facts["status"] == "failed"
    assert list(facts["worst_error"]) == ["mxnet-style"]
