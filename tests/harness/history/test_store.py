"""The file of a history: added twice, nothing changes; what is none is refused in one line."""

import sqlite3
import subprocess
import sys

import pytest

from common.errors import RequestError, StorageError
from harness.history import store
from harness.history.entries import entries_below
from harness.history.store import APPLICATION, VERSION, add, read
from tests.harness.history.made_history import entry
from tests.harness.made_runs import NASTY, make_run

FIGURES = [("throughput", "torch", "scratch", "32x35x256x28", 50_000.0)]


@pytest.fixture
def db(tmp_path):
    path = tmp_path / "history.sqlite"
    assert add(path, [entry(number, FIGURES) for number in (1, 0)]) == 2
    return path


def test_added_twice_nothing_changes(db):
    before = read(db)
    content = db.read_bytes()
    assert add(db, [entry(0, FIGURES)]) == 0
    assert db.read_bytes() == content
    assert add(db, [entry(0, FIGURES), entry(2, FIGURES)]) == 1
    after = read(db)
    assert after.iloc[:2].equals(before)
    assert list(after["at"].str[:10]) == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_committed_results_become_entries_and_a_moved_folder_is_the_same(tmp_path):
    one = make_run(tmp_path / "one" / "seed-0")
    (first,) = entries_below(tmp_path / "one")
    one.rename(tmp_path / "moved")
    (again,) = entries_below(tmp_path / "moved")
    assert first.key == again.key
    assert first.at == "2026-01-02T03:04:05+00:00"
    throughput = [each for each in first.figures if each.measure == "throughput"]
    assert {(each.backend, each.variant) for each in throughput} == {
        ("mxnet-style", "scratch"),
        ("torch", "scratch"),
    }
    other = make_run(tmp_path / "seed-1", seed=1)
    (second,) = entries_below(other)
    assert second.key != first.key
    by_seed = {each.of for run in (first, second) for each in run.figures if "seed" in each.of}
    assert len(by_seed) == 2  # perplexities of two seeds are two series
    assert {each.of for each in throughput} == {
        each.of for each in second.figures if each.measure == "throughput"
    }


def test_all_or_none_is_added(db, tmp_path):
    before = db.read_bytes()
    twice = entry(5, FIGURES * 2)  # the same figure twice: the table refuses it
    with pytest.raises(RequestError, match="cannot be used: UNIQUE constraint failed"):
        add(db, [entry(4, FIGURES), twice])
    assert len(read(db)) == 2
    assert db.read_bytes() == before


def statements(path, *lines):
    file = sqlite3.connect(path)
    for line in lines:
        file.execute(line)
    file.commit()
    file.close()


def damage(path):
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\xff" * 4000
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.write_bytes(b"a text of somebody else\n" * 99), "not a history"),
        (lambda path: path.write_bytes(b""), "not a history"),
        (lambda path: path.write_bytes(path.read_bytes()[:-4096]), "damaged"),
        (damage, "damaged"),
        (lambda path: statements(path, "PRAGMA application_id = 7"), "not a history"),
        (
            lambda path: statements(path, f"PRAGMA user_version = {VERSION + 1}"),
            f"a history of version {VERSION + 1}, where this program knows {VERSION}: take a newer",
        ),
        (lambda path: statements(path, "DROP TABLE figure"), "no such table"),
        (lambda path: statements(path, "DELETE FROM figure"), "holds no figure yet"),
        (lambda path: statements(path, "UPDATE entry SET at = 'then'"), "damaged: at 'then'"),
        (lambda path: statements(path, "UPDATE figure SET value = -1"), "damaged: value '-1.0'"),
        (lambda path: (path.unlink(), path.mkdir()), "no such file"),
    ],
)
def test_what_is_no_history_is_refused_in_one_line(db, here, harm, message):
    harm(db)
    for words in (["show"], ["check"], ["site", "--out", "site"]):
        done = here("history", *words, "--db", db)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith(f"error: --db {db}: ")
        assert message in done.stderr
    assert not (db.parent / "site").exists()


def test_a_file_of_somebody_else_is_not_added_to(db, tmp_path):
    for name, content in (("text", b"hello\n" * 300), ("other.sqlite", None)):
        path = tmp_path / name
        if content is None:
            statements(path, "CREATE TABLE mine (a)")
            content = path.read_bytes()
        else:
            path.write_bytes(content)
        with pytest.raises(RequestError, match="not a history"):
            add(path, [entry(0, FIGURES)])
        assert path.read_bytes() == content


HOLDER = """
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def test_of_two_writers_one_is_told_to_wait(db, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE_SECONDS", 0.01)
    command = [sys.executable, "-c", HOLDER, str(db)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        for attempt in (lambda: add(db, [entry(9, FIGURES)]), lambda: read(db)):
            with pytest.raises(RequestError, match="another process is writing it: wait for it"):
                attempt()
        holder.stdin.close()
        holder.wait()
    assert add(db, [entry(9, FIGURES)]) == 1


def test_a_full_disk_is_an_error_of_the_disk(db, monkeypatch):
    connect = sqlite3.connect

    def small(*words, **options):
        file = connect(*words, **options)
        (pages,) = file.execute("PRAGMA page_count").fetchone()
        file.execute(f"PRAGMA max_page_count = {pages}")
        return file

    monkeypatch.setattr(sqlite3, "connect", small)
    many = [(name, "torch", "scratch", "32x35x256x28", 1.0) for name in map(str, range(3000))]
    with pytest.raises(StorageError):
        add(db, [entry(9, many)])
    monkeypatch.undo()
    assert len(read(db)) == 2


def test_a_folder_without_results_and_one_that_was_edited_are_refused(tmp_path, here):
    (tmp_path / "empty").mkdir()
    run = make_run(tmp_path / "run")
    (run / "summary.csv").write_text("backend\n", encoding="utf-8")
    for folder, message in (
        ("empty", "empty: holds no finished run, benchmark or parity"),
        ("absent", "absent: no such folder"),
        ("run", "summary.csv: it has no column"),
    ):
        done = here("history", "add", folder, "--db", "h.sqlite")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert message in done.stderr
    assert not (tmp_path / "h.sqlite").exists()


def test_a_run_that_has_not_ended_is_left_out(tmp_path, here):
    make_run(tmp_path / "runs" / "done")
    going = make_run(tmp_path / "runs" / "going") / "run.json"
    told = going.read_text("utf-8").replace('"status": "finished"', '"status": "running"')
    going.write_text(told, encoding="utf-8")
    done = here("history", "add", "runs", "--db", "deep/h.sqlite")
    assert (done.returncode, done.stdout) == (0, "deep/h.sqlite: 1 added\n")
    assert "going: has not ended, says its run.json: left out" in done.stderr
    assert here("history", "add", "runs", "--db", "deep/h.sqlite").stdout.endswith(
        "0 added, 1 known before\n"
    )


def test_whatever_a_history_holds_is_shown_as_text(tmp_path, here, monkeypatch):
    names = [(NASTY[:90], "[red]scratch", "<b>32x35</b>", value) for value in (1.0, 2.0)]
    for number, figure in enumerate(names):
        whose = [("throughput", *figure)]
        add(tmp_path / "h", [entry(number, whose, f"<i>{NASTY}</i>", folder=NASTY)])
    shown = here("history", "show", "--db", "h")
    assert shown.returncode == 0, shown.stderr
    assert "[red]s" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert "\u202e" not in shown.stdout
    assert here("history", "site", "--db", "h", "--out", "site").returncode == 0
    for page in (tmp_path / "site").iterdir():
        text = page.read_text("utf-8")
        assert "<script" not in text
        assert "<b>" not in text.replace("<b>1 t", "").replace("<b>2 t", "")
        assert "\u202e" not in text
    assert int.from_bytes(b"RNNR") == APPLICATION
