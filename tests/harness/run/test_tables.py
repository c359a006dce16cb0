"""The table of a run on a terminal: what matters fits into 80 columns."""

import io

import pytest
from rich.console import Console

from harness.run.row import Row
from harness.run.tables import comparison

MATTERS = ["backend", "variant", "status", "perplexity", "tokens/s"]
REST = ["of best", "compile s", "train s", "MB"]


def made(backend, validated):
    return Row(
        backend,
        "scratch",
        0,
        "float32",
        28,
        10,
        "ok",
        perplexity=5.6427,
        val_perplexity=7.1234 if validated else None,
        compile_seconds=3.9,
        train_seconds=124.3,
        tokens=23_000_000,
        peak_memory_mb=1234.0,
    )


@pytest.mark.parametrize("validated", [False, True])
def test_eighty_columns_hold_what_matters_and_say_what_is_left_out(validated):
    rows = [made(name, validated) for name in ("mxnet-style", "torch@2.13.0", "tensorflow")]
    told = io.StringIO()
    Console(file=told, width=80).print(comparison(rows, 80))
    head = told.getvalue().splitlines()[1]
    assert all(name in head for name in [*MATTERS, *["validation"] * validated])
    assert max(map(len, told.getvalue().splitlines())) <= 80
    assert "…" not in told.getvalue()
    hint = told.getvalue().splitlines()[-1].strip()
    assert "summary.csv" in hint
    assert [name for name in REST if name not in head] == hint.rsplit("shows ")[1].split(", ")


def test_a_wide_terminal_shows_all():
    told = io.StringIO()
    Console(file=told, width=120).print(comparison([made("torch", False)], 120))
    assert all(name in told.getvalue().splitlines()[1] for name in MATTERS + REST)
    assert "summary.csv" not in told.getvalue()
