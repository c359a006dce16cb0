import hashlib

import numpy as np
import pytest

from common import sources
from common.corpus import (
    Cut,
    encode,
    load_corpus,
    load_data_jay_lyrics,
    load_data_time_machine,
)
from common.downloads import PublishedText
from common.errors import RequestError
from common.text import Text

# Facts of the published files; the counts are of the book's own preprocessing.


def test_time_machine_functional():
    indices, vocab = load_corpus("time-machine")
    assert (len(indices), len(vocab)) == (170_580, 28)
    assert vocab.idx_to_token[:4] == ["<unk>", " ", "e", "t"]
    assert indices.dtype == np.uint8


def test_time_machine_object():
    indices, vocab = load_corpus("time-machine", edition="object")
    assert (len(indices), len(vocab)) == (173_428, 28)
    assert vocab.idx_to_token[:3] == [" ", "<unk>", "a"]
    assert vocab.join(indices[:16]) == "the time machine"


def test_lyrics():
    assert [len(each) for each in load_corpus("lyrics")] == [63_282, 2_582]
    text = sources.read("lyrics")
    assert text.sha256 == sources.PUBLISHED["lyrics"].sha256  # of the file that it is packed in
    indices, char_to_idx, idx_to_char, vocab_size = load_data_jay_lyrics()
    assert (len(indices), vocab_size) == (10_000, 1_027)
    assert len(char_to_idx) == len(idx_to_char) == vocab_size
    assert "<unk>" not in char_to_idx
    assert indices.dtype == np.uint16


@pytest.mark.parametrize(("name", "expected"), [("time-machine", 17.41), ("lyrics", 270.3)])
def test_unigram_perplexity(name, expected):
    indices, _ = load_corpus(name, max_tokens=10_000)
    p = np.bincount(indices) / len(indices)
    assert np.exp(-np.sum(p[p > 0] * np.log(p[p > 0]))) == pytest.approx(expected, rel=1e-3)


def test_words_of_the_time_machine():
    indices, vocab = load_corpus("time-machine", token="word", max_tokens=1000)
    assert len(indices) == 1000
    assert vocab.join(indices[:5]) == "the time machine by h"
    assert vocab.token_freqs[0] == ("the", 2261)


def test_the_embedded_text_is_large_enough():
    text = sources.read("embedded")
    assert text.num_chars >= 30_000
    assert "".join(text).isascii()
    indices, vocab = load_corpus("embedded")
    assert len(vocab) == 28
    assert len(indices) >= 30_000


def test_load_data_time_machine_is_two_lines_of_the_book():
    train_iter, vocab = load_data_time_machine(32, 35)
    X, Y = next(iter(train_iter))
    assert X.shape == Y.shape == (32, 35)
    assert len(vocab) == 28
    random_iter, _ = load_data_time_machine(32, 35, use_random_iter=True)
    assert random_iter.sampling == "random"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "holds nothing but blanks"),
        ("déjà vu".encode("utf-16"), r"this is UTF-16, not UTF-8; convert it: iconv -f UTF-16 -t"),
        ("a text".encode("utf-16-le"), "this is UTF-16-LE, not UTF-8; .*read_text..UTF-16-LE"),
        ("a text".encode("utf-16-be"), "this is UTF-16-BE"),
        ("a text".encode("utf-32"), "this is UTF-32,"),
        ("a text".encode("utf-32-le"), "this is UTF-32-LE"),
        ("a text".encode("utf-32-be"), "this is UTF-32-BE"),
        (b"abc\0def", "zero byte at 3"),
        (b"abc\xff\xfe", "not UTF-8 at byte 3"),
        (b"aaaaaaaaaa", "nothing to learn"),
    ],
)
def test_what_is_not_a_text_is_refused(tmp_path, content, message):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=message):
        load_corpus(path)


def test_a_letters_only_edition_of_a_text_without_letters_is_refused():
    text = Text("mine.txt", b"1234\n5678")
    with pytest.raises(RequestError, match="nothing to learn"):
        encode(text, Cut(edition="object"))


def test_unknown_names_get_the_near_miss(tmp_path):
    with pytest.raises(RequestError, match="did you mean 'time-machine'"):
        load_corpus("time-machin")
    with pytest.raises(RequestError, match="no such file"):
        load_corpus(tmp_path / "absent.txt")
    with pytest.raises(RequestError, match="is a folder"):
        load_corpus(tmp_path)


def test_a_published_file_with_another_hash_is_refused(tmp_path):
    (tmp_path / "timemachine.txt").write_text("not the book")
    with pytest.raises(RequestError, match="this is another file"):
        load_corpus("time-machine", data_dir=tmp_path)


def test_the_folder_is_asked_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path / "nothing-here"))
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    content = b"a published text"
    monkeypatch.setitem(
        sources.PUBLISHED,
        "time-machine",
        PublishedText("f.txt", hashlib.sha1(content).hexdigest(), "http://localhost:1/f.txt"),
    )
    with pytest.raises(RequestError, match=r"f\.txt.*SHA-1.*put the file|cannot download f\.txt"):
        load_corpus("time-machine")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "f.txt").write_bytes(content)
    _, vocab = load_corpus("time-machine", data_dir=tmp_path / "given")
    assert "p" in vocab.token_to_idx
    with pytest.raises(RequestError, match="no such folder"):
        load_corpus("time-machine", data_dir=tmp_path / "typo")


@pytest.mark.parametrize("token", ["char", "word"])
def test_rare_tokens_become_unk(tmp_path, token):
    path = tmp_path / "text.txt"
    path.write_text("a a b a b c a " if token == "word" else "aabdabca")
    indices, vocab = load_corpus(path, token, min_freq=2)
    assert vocab.idx_to_token == ["<unk>", "a", "b"]
    expected = [1, 1, 2, 1, 2, 0, 1] if token == "word" else [1, 1, 2, 0, 1, 2, 0, 1]
    assert indices.tolist() == expected
    with pytest.raises(RequestError, match=r"--min-freq 9: no .* is that frequent"):
        load_corpus(path, token, min_freq=9)
    with pytest.raises(RequestError, match=r"--min-freq 2: .* has no <unk>"):
        load_corpus(path, token, min_freq=2, edition="lyrics")
