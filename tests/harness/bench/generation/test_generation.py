"""``bench --generate``: texts in turns, each backend against its own book's loop."""

import json

import pandas as pd
import pytest

from common.errors import RequestError
from harness.bench.contenders import Contender, Contest
from harness.bench.generation.contenders import writers
from harness.bench.generation.tables import generation_table, said
from harness.bench.quiet import Quiet
from harness.bench.ratios import ShapeResult
from harness.bench.turns import time_shape
from harness.bench.twins import Twin
from harness.cli import app
from harness.records.generation import read_generation
from harness.report.build import told_of
from harness.workers.protocol import Prepared, Turn

SHAPE = "1x3x4x6"


def made_up(variant, seconds, first=2e-3, twin=False):
    turns = [Turn(seconds=s, cores_busy=1.0, first_token=first) for s in seconds]
    prepared = Prepared.model_construct(compile_seconds=0.5, device="cpu")
    kind = Twin if twin else Contender
    return kind("torch", variant, prepared, turns, peak_memory_mb=9.0, writes=True)


def test_a_ratio_is_over_the_book_in_the_same_round():
    weather = [1, 3] * 5
    found = [
        made_up("generate", [1e-5 * w for w in weather]),
        made_up("book", [5e-5 * w for w in weather], first=8e-3),
        made_up("generate", [1e-5 * w for w in weather], twin=True),
    ]
    result = ShapeResult(SHAPE, found)
    table = generation_table(result).set_index("variant")
    quick, book = table.loc["generate"], table.loc["book"]
    assert [quick.ratio_to_book, quick.ratio_low, quick.ratio_high] == pytest.approx([5, 5, 5])
    assert quick.verdict == "faster"
    assert (quick.first_token_ms, book.first_token_ms) == pytest.approx((2, 8))
    assert pd.isna(book.ratio_to_book)
    assert said(result)[0] == "Times the book's loop: PyTorch 5.00 [5.00, 5.00]."
    busy = ShapeResult(SHAPE, found, Quiet(rounds=10, disturbed=2))
    assert pd.isna(generation_table(busy).set_index("variant").loc["generate"].verdict)


def test_the_command(tmp_path, alone, capsys):
    out = tmp_path / "b"
    options = ["--generate", "--shape", SHAPE, "--seconds", "0.01", "--out", str(out), "--json"]
    app(["bench", "--backend", "mxnet-style", *options], result_action="return_value")
    printed = json.loads(capsys.readouterr().out)
    assert {row["variant"] for row in printed["figures"]} == {"generate", "book"}
    found = read_generation(out)
    assert found.facts["status"] == "finished"
    assert found.facts["rounds"] == 6
    assert found.facts["shapes"][0]["same"]["contender"] == "mxnet-style generate"
    assert found.figures.first_token_ms.gt(0).all()
    assert {*found.rounds.variant} == {"generate", "book", "generate again"}
    assert found.figures.set_index("variant").verdict["generate"] in ("faster", "tie", "slower")
    told = told_of([out])
    assert [section.name for section in told.sections] == ["generation", "reproduce"]
    assert "Times the book's loop: MXNet style" in told.answers[0].text
    assert (out / "report.html").is_file()


WRONG = """return loss, state

    def predict(self, prefix, count, vocab):
        return prefix + vocab.idx_to_token[1] * count
"""


@pytest.mark.parametrize(("code", "verdict"), [("pass", "equal"), (WRONG, "different")])
def test_a_text_that_is_not_the_networks_has_no_figure(short_turns, registered, code, verdict):
    name = registered(code)
    asked = Contest((name,), (), 2, {"device": "cpu", "devices": 1}, {})
    found, absent = writers(asked)
    assert [each.name for each in found] == [f"{name} generate"]  # it has no chapter here
    assert absent == {}
    time_shape(asked, SHAPE, found, lambda told: None)
    (own,) = found
    assert own.checked.verdict == verdict
    assert bool(own.reason) == (verdict == "different")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shape", "2x3x4x5"], "--shape 2x3x4x5: --generate writes one text, so batch is 1"),
        (["--variant", "fused"], "leave out --variant and --against"),
        (["--against", "torch"], "leave out --variant and --against"),
        (["--devices", "2"], "leave out --devices"),
    ],
)
def test_a_wrong_request_is_refused(options, message, tmp_path):
    with pytest.raises(RequestError, match=message):
        app(["bench", "--generate", "--out", str(tmp_path), *options], exit_on_error=False)
