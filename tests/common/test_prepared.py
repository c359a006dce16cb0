"""Large texts: their indices in the cache are those of the text, and are made anew if damaged."""

import os
import time

import numpy as np
import pytest

from common import indices, prepared, sources
from common.corpus import Cut, encode
from common.errors import RequestError
from common.experiment import Experiment
from common.indices import FileIndices
from common.inputs import load_batches, read_inputs
from common.prepared import open_prepared, prepare
from common.text import Text

TEXT = "Some words, some more words; and naïve ones, 分开 and 不分开.\n" * 40 + "end "
CUTS = [
    Cut(),
    Cut("word"),
    Cut(max_tokens=100),
    Cut(min_freq=41),
    Cut("word", 30, "object"),
    Cut(max_tokens=70, edition="lyrics"),
    Cut(edition="functional"),
]


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch, tmp_path):
    monkeypatch.setattr(prepared, "SMALL", 0)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(prepared, "cache", lambda: tmp_path / "cache")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def files(tmp_path):
    return sorted((tmp_path / "cache" / "texts").iterdir())


@pytest.fixture
def reads(monkeypatch):
    """Names of the texts whose files were gone through."""
    found, blocks = [], Text._blocks

    def counted(self):
        found.append(self.name)
        return blocks(self)

    monkeypatch.setattr(Text, "_blocks", counted)
    return found


@pytest.mark.parametrize("how", CUTS, ids=repr)
def test_the_indices_in_the_cache_are_those_of_the_text(path, how, reads):
    expected, vocab = encode(sources.read(path), how)
    sha256 = sources.read(path).sha256
    reads.clear()
    for _ in ("made", "found"):
        found = prepare(sources.read(path), how)
        assert len(reads) == 1  # numbered and hashed at once; then hashed alone
        reads.clear()
        opened, its_vocab = open_prepared(found.path, str(path), how)
        for given, of in ((found.indices, found.vocab), (opened, its_vocab)):
            np.testing.assert_array_equal(given, expected)
            assert given.dtype == expected.dtype
            assert of.idx_to_token == vocab.idx_to_token
            assert of.token_freqs == vocab.token_freqs
        assert (found.num_chars, found.sha256) == (len(TEXT), sha256)
        if how.edition is None:
            assert found.num_tokens == len(TEXT.split() if how.token == "word" else TEXT)


def test_what_is_found_is_not_made_again(path, monkeypatch):
    prepare(sources.read(path), Cut())
    monkeypatch.setattr(prepared, "number", lambda *_: pytest.fail("it was made again"))
    prepare(sources.read(path), Cut())
    with pytest.raises(pytest.fail.Exception):
        prepare(sources.read(path), Cut(min_freq=2))
    path.write_text(TEXT.replace("end", "END"), encoding="utf-8")  # as long as before
    with pytest.raises(pytest.fail.Exception):
        prepare(sources.read(path), Cut())


def flip(path):
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, empty, os.remove])
@pytest.mark.parametrize("which", [".npy", ".json"])
def test_what_is_damaged_is_made_anew(path, tmp_path, which, damage):
    expected = np.array(prepare(sources.read(path), Cut()).indices)
    whole = {each: each.read_bytes() for each in files(tmp_path)}
    (damaged,) = (each for each in whole if each.suffix == which)
    damage(damaged)
    np.testing.assert_array_equal(prepare(sources.read(path), Cut()).indices, expected)
    assert {each: each.read_bytes() for each in files(tmp_path)} == whole


def test_leftovers_and_what_nobody_uses_are_swept(path, tmp_path):
    folder = tmp_path / "cache" / "texts"
    folder.mkdir(parents=True)
    ages = {
        ".rnn-rosetta-0123456789abcdef.part": 2 * 3600,  # of a process that was killed
        ".rnn-rosetta-fedcba9876543210.part": 60,  # of one that writes
        "unused.npy": 40 * 86400,
        "used.npy": 86400,
    }
    for name, age in ages.items():
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    prepare(sources.read(path), Cut())
    left = {each.name for each in files(tmp_path)} & {*ages}
    assert left == {".rnn-rosetta-fedcba9876543210.part", "used.npy"}


def test_nothing_is_left_of_a_text_that_is_refused(path, tmp_path):
    path.write_bytes(TEXT.encode() + b"\xff")
    with pytest.raises(RequestError, match="not UTF-8 at byte"):
        prepare(sources.read(path), Cut())
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_one_line(path, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(RequestError, match=r"cannot be kept in .*: .*; make room.*XDG_CACHE_HOME"):
        prepare(sources.read(path), Cut())


def test_a_worker_whose_file_is_gone_says_so(path, tmp_path):
    found = prepare(sources.read(path), Cut())
    for each in files(tmp_path):
        each.unlink()
    with pytest.raises(RequestError, match="is not there any more, or not whole: start again"):
        open_prepared(found.path, "mine.txt", Cut())


def test_a_small_text_that_changed_before_a_worker_read_it_is_refused(path, monkeypatch):
    monkeypatch.setattr(prepared, "SMALL", 1 << 20)
    experiment = Experiment(corpus=str(path), batch_size=2, num_steps=5)
    inputs = read_inputs(experiment)
    assert inputs.for_workers()["indices"] is None
    load_batches(experiment, **inputs.for_workers())
    path.write_text(TEXT + "more", encoding="utf-8")
    with pytest.raises(RequestError, match="it has changed since the start"):
        load_batches(experiment, **inputs.for_workers())


@pytest.mark.parametrize("sampling", ["sequential", "random", "sliding"])
def test_batches_are_the_same_in_memory_mapped_and_out_of_the_file(path, monkeypatch, sampling):
    settings = {"batch_size": 3, "num_steps": 7, "sampling": sampling, "seed": 5}
    experiment = Experiment(corpus=str(path), **settings)
    mapped, _ = load_batches(experiment, **read_inputs(experiment).for_workers())
    monkeypatch.setattr(indices, "_address_space", lambda: 1000)
    in_file, _ = load_batches(experiment, **read_inputs(experiment).for_workers())
    monkeypatch.setattr(prepared, "SMALL", 1 << 20)
    in_memory, _ = load_batches(experiment)
    assert isinstance(in_file.corpus, FileIndices)
    assert not mapped.corpus.flags.owndata
    assert len({len(loader) for loader in (mapped, in_file, in_memory)}) == 1
    for loader in (mapped, in_file):
        for epoch in (1, 2):
            pairs = zip(loader.epoch(epoch), in_memory.epoch(epoch), strict=True)
            for (X, Y), (expected_X, expected_Y) in pairs:
                np.testing.assert_array_equal(X, expected_X)
                np.testing.assert_array_equal(Y, expected_Y)
        pairs = zip(loader.validation(), in_memory.validation(), strict=True)
        for batch, expected in pairs:
            np.testing.assert_array_equal(batch, expected)


def test_a_file_of_indices_that_is_cut_short_is_one_line(path, monkeypatch):
    monkeypatch.setattr(indices, "_address_space", lambda: 1000)
    found = prepare(sources.read(path), Cut())
    os.truncate(found.path, 200)
    with pytest.raises(RequestError, match="cut short while it was read; start again"):
        found.indices[50:100]
