"""Records: they vouch for the files beside them, from their ending on."""

import json

import pytest

from common.errors import RequestError
from harness.records.facts import Record, check_unedited, replacing


@pytest.fixture
def record(tmp_path):
    for name in ("a.csv", "b.csv", ".hidden.csv"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    return Record(tmp_path / "it.json", {"of": "it"})


def told(record):
    return json.loads(record.path.read_text(encoding="utf-8"))


def test_a_record_vouches_for_its_files_once_it_has_ended(record):
    record.write("running", ["*.csv"])
    assert "files" not in told(record)
    record.write("finished", ["*.csv"])
    files = told(record)["files"]
    assert [*files] == ["a.csv", "b.csv"]
    folder = record.path.parent
    check_unedited(folder, files, ["a.csv", "b.csv", "absent.csv"])
    (folder / "b.csv").write_text("another", encoding="utf-8")
    check_unedited(folder, files, ["a.csv"])
    with pytest.raises(RequestError, match=r"b\.csv: edited since it was written"):
        check_unedited(folder, files, ["a.csv", "b.csv"])
    check_unedited(folder, {}, ["b.csv"])  # a record from before there were hashes


def test_a_file_that_is_replaced_is_vouched_for_anew(record):
    record.write("finished", ["*.csv"])
    with replacing(record.path, "b.csv"):
        assert [*told(record)["files"]] == ["a.csv"]  # killed here, nobody is accused
        (record.path.parent / "b.csv").write_text("another", encoding="utf-8")
    check_unedited(record.path.parent, told(record)["files"], ["a.csv", "b.csv"])


def test_a_record_that_vouches_for_nothing_stays_as_it_is(record):
    record.write("finished")
    before = record.path.read_bytes()
    with replacing(record.path, "b.csv"):
        pass
    assert record.path.read_bytes() == before
