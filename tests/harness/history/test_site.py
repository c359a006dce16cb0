"""The site: every entry and every figure, on pages that connect to nothing."""

import re

import numpy as np
import pytest

from harness.history.store import add
from tests.harness.history.made_history import CONTENDERS, SHAPES, entries, entry, slowed


@pytest.fixture
def logs():
    rng = np.random.default_rng(5)
    return np.log(50_000) + rng.normal(0, 0.01, (len(SHAPES) * len(CONTENDERS), 12))


def test_check_fails_on_a_step_for_the_worse_alone(tmp_path, here, logs):
    add(tmp_path / "flat", entries(logs))
    add(tmp_path / "slow", entries(slowed(logs, 1, 0.1, 9)))
    add(tmp_path / "fast", entries(slowed(logs, 1, -0.1, 9)))
    flat, slow, fast = (here("history", "check", "--db", name) for name in ("flat", "slow", "fast"))
    assert (flat.returncode, flat.stdout.count("\n")) == (0, 1)
    assert flat.stdout.startswith(
        "no step for the worse at the newest entries of 30 series; 0 more"
    )
    assert (slow.returncode, slow.stdout.count("worse: throughput of mxnet-style fused")) == (1, 5)
    assert "since 2026-01-10 (0000abc9): from 49," in slow.stdout
    assert (fast.returncode, fast.stdout.count("better: throughput of mxnet-style fused")) == (0, 5)
    assert here("history", "check", "--db", "slow", "--threshold", "0.2").returncode == 0
    assert here("history", "check", "--db", "slow", "--backend", "torch,jax").returncode == 0
    assert here("history", "check", "--db", "slow", "--case", "x1027").stdout.count("worse: ") == 1
    done = here("history", "check", "--db", "slow", "--measure", "thruput")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "did you mean 'throughput'" in done.stderr


def test_show_draws_a_trend_a_line(tmp_path, here, logs):
    add(tmp_path / "h", entries(slowed(logs, 1, 0.1, 9)))
    done = here(
        "history", "show", "--db", "h", "--backend", "mxnet-style", "--case", "32x35x256x28"
    )
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if "fused" in line]
    shown = r"mxnet-style +fused +[▆▇█]{9}[▁▂]{3} +44,\d{3} +-9.\d% +-9.\d% at 0000abc9"
    assert re.match(shown, line)
    told = here("history", "show", "--db", "h", "--json").stdout
    assert '"format": 1' in told


def test_the_site_has_a_page_a_case_and_every_link_leads_to_one(tmp_path, here, logs):
    db, other = (
        tmp_path / "h",
        [("perplexity", "torch", "scratch", "quickstart #12345678, seed 3", 5.6)],
    )
    add(db, [*entries(slowed(logs, 1, 0.1, 9)), entry(50, other, "another machine", "run")])
    done = here("history", "site", "--db", db, "--out", "site")
    assert (done.returncode, done.stderr) == (0, "")
    site = tmp_path / "site"
    index = " ".join(re.sub("</?time>", "", (site / "index.html").read_text("utf-8")).split())
    assert "5 figures got worse" in index
    assert "13 entries from 2026-01-01 to 2026-02-20, on 2 machines" in index
    assert "30 of 31 figures have the 6 entries that it takes to tell" in index
    names = {path.name for path in site.iterdir()}
    assert len(names) == 1 + len(SHAPES) + 1
    linked = set()
    for name in names:
        text = (site / name).read_text("utf-8")
        assert "default-src 'none'" in text
        assert "<script" not in text
        assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
        linked |= {link for link in re.findall(r'href="([^"#]+)"', text) if link != "data:,"}
    assert linked == names
    (page,) = (
        text for n in names if (text := (site / n).read_text("utf-8")) and "32x35x512x28" in n
    )
    assert page.count("<polyline") == len(CONTENDERS)
    assert page.count('<circle class="hit"') == len(CONTENDERS) * 12
    assert page.count('class="step worse"') == 1


def test_a_page_of_somebody_else_is_not_replaced(tmp_path, here):
    add(tmp_path / "h", [entry(0, [("throughput", "torch", "scratch", "2x2x2x2", 1.0)])])
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("my own page", encoding="utf-8")
    done = here("history", "site", "--db", "h", "--out", "site")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "index.html: is not of a history: give another --out" in done.stderr
    assert (tmp_path / "site" / "index.html").read_text("utf-8") == "my own page"
    for _ in range(2):  # ours is
        assert here("history", "site", "--db", "h", "--out", "ours").returncode == 0
