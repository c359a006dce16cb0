"""Output that lasts: no encoding, no reader that goes and no full disk ends a run."""

import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from harness.console import WIDEST, Screen, figure, in_brief, note, print_json, titled
from harness.paths import ROOT
from harness.run.progress import Live
from harness.run.row import Row
from harness.streams import ANOTHER_WAY
from harness.workers.protocol import Sample
from tests.serving.asking import SKETCHED

PATH = os.pathsep.join([str(SKETCHED), str(ROOT)])
TEXT = "分开 été · ␣ שלום 😀 "
COMMAND = [sys.executable, "-m", "harness"]
OPTIONS = "--corpus mine.txt --backend mxnet-style --num-epochs 2 --pred-period 1 --num-hiddens 4"
OPTIONS += " --batch-size 2 --num-steps 5 --num-preds 20 --out run --prefix 分开"


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A folder with a text in it that no small encoding holds."""
    (tmp_path / "mine.txt").write_text(TEXT * 10, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def status_of(folder):
    return json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))["status"]


@pytest.mark.parametrize(
    ("encoding", "sample", "mark"),
    [
        ("ascii", r"epoch 1: \u5206\u5f00", "_"),
        ("cp1252", r"epoch 1: \u5206\u5f00", "_"),
        ("koi8-r", r"epoch 1: \u5206\u5f00", "_"),
        ("gb18030", "epoch 1: 分开", "␣"),
    ],
)
def test_no_encoding_ends_a_command(there, here, encoding, sample, mark):
    def said(*words):
        done = here(*words, encoding=encoding)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    no_encoding_ends_a_command(there, said, sample, mark)


def test_no_encoding_ends_a_process(there):
    """Its streams are those that Python opens; what other commands print is shown above."""
    # UTF-8 mode off: what the C locale of a container or a Windows terminal amounts to
    utf8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C.UTF-8"}
    given = os.environ | utf8 | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": PATH}
    done = subprocess.run([*COMMAND, *OPTIONS.split()], capture_output=True, env=given)
    assert (done.returncode, done.stderr) == (0, b"")
    assert r"epoch 1: \u5206\u5f00" in done.stdout.decode("ascii")
    assert status_of(there) == "finished"


def no_encoding_ends_a_command(there, said, sample, mark):
    assert sample in said(*OPTIONS.split())
    assert status_of(there) == "finished"
    (checkpoint,) = (there / "run" / "checkpoints").iterdir()
    asked = ["--checkpoint", str(checkpoint), "--backend", "mxnet-style"]
    (found,) = json.loads(said("predict", *asked, "--json"))
    assert found["text"].startswith("分开")
    assert "mxnet-style scratch: " in said("predict", *asked)
    table = said("corpus", "mine.txt", "--out", "counted")
    (frequent,) = [line for line in table.splitlines() if line.startswith("most frequent")]
    assert mark in frequent.split()


def test_a_run_outlives_its_reader_and_a_full_disk(there):
    process = subprocess.Popen(
        [*COMMAND, *OPTIONS.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()  # as `| head` does once it has enough
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, b"")
    assert status_of(there) == "finished"
    (there / "run").rename(there / "before")
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *OPTIONS.split()], stdout=full, stderr=subprocess.PIPE)
    assert done.stderr == b"error: standard output cannot be written: No space left on device\n"
    assert done.returncode == 1
    assert status_of(there) == "finished"
    (there / "run").rename(there / "full")
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, *OPTIONS.split()]
    closed = subprocess.run(command, env=os.environ | {"PYTHONPATH": PATH})
    assert closed.returncode == 0
    assert status_of(there) == "finished"


def test_no_file_of_ours_gets_the_number_of_a_closed_stream():
    code = "from harness.streams import make_streams_last as last; last(); "
    code += "raise SystemExit(open('/dev/null').fileno())"
    command = [sys.executable, "-c", code]
    for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *command], cwd=ROOT)
        assert done.returncode > 2, closed


def narrow(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding, ANOTHER_WAY)


def test_progress_in_a_narrow_encoding():
    screen = narrow("ascii")
    row = Row("torch", "scratch", 0, "float32", 28, 0)
    with Live(Console(file=screen, force_terminal=True, width=100), 1, 1) as live:
        live.started(row)
        live.event(row, Sample(epoch=1, prefix="", text=TEXT))
        live.ended(row)
    screen.seek(0)
    assert r"\u5206\u5f00" in screen.read()


@example(1.797693134862316e306, ".2%")
@given(st.floats(), st.sampled_from([",.0f", ".4f", ".2%", ".6g", ".1e", "+.1f"]))
def test_a_number_of_any_size_fits_its_column(value, form):
    text = figure(value, form)
    assert 0 < len(text) <= WIDEST
    if text != "-":
        # Decimal: the largest numbers, rounded, are beyond every float.
        number = Decimal(text.rstrip("%").replace(",", "")) / (100 if form.endswith("%") else 1)
        assert number == value or abs(float(number - Decimal(value))) <= max(0.6, 0.06 * abs(value))


ATTACK = "a\x1b[31m\x9b2J\u202eb\x07\rc\u2066\nd"
"""Colours, an empty screen, a line turned around, a bell, a line written over."""


def test_nothing_from_outside_moves_the_cursor_or_turns_a_line_around(capsys):
    stream = io.StringIO()
    screen = Screen(file=stream, width=70, force_terminal=True)
    table = titled(ATTACK)
    table.add_column(ATTACK)
    table.add_row(Text(ATTACK, "green"))
    for shown in (table, Text(ATTACK), ATTACK):
        screen.print(shown)
    own = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())  # the colours of this program
    assert all(char.isprintable() or char == "\n" for char in own)
    assert "a·[31m·2J·bc·\nd\n" in own
    print_json({ATTACK: [ATTACK]})
    said = capsys.readouterr().out
    assert all(char.isprintable() or char == "\n" for char in said)
    assert json.loads(said) == {"format": 1, ATTACK: [ATTACK]}
    note(ATTACK)
    assert capsys.readouterr().err == "note: a·[31m·2J·b· c· d\n"


def test_what_is_long_is_told_in_brief():
    path = "/" + "very-long/" * 500 + "run.json"
    said = in_brief(f"{path}: File name too long")
    assert said.startswith("/very-long/very-long/")
    assert said.endswith("/run.json: File name too long")
    assert len(said) < 200
