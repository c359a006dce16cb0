"""Texts in pieces, checked against the plain way: the whole text at once, a token at a time."""

import codecs
import hashlib
import re
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common import sources
from common import text as reading
from common.corpus import Cut, encode, load_corpus
from common.errors import RequestError
from common.text import Text

# letters and what looks like one, every kind of line break and space, one to four bytes each
TRICKY = st.text(
    st.sampled_from("aAbzZ  \n\n\r\t\v\f\x1c\x1f1.-\x85\xa0\u2028éİK分不😀\ufeff"), max_size=40
)
TEXTS = TRICKY | st.text(max_size=40)
PIECES = st.sampled_from([4, 5, 7, 11, 1 << 16])
BAD = st.sampled_from([b"\xff", b"\xe5\x88", b"\xed\xa0\x80", b"\xc0\xaf", b"\x80", b"\0"])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("text") / "mine.txt"


@pytest.fixture(autouse=True)
def pieces_as_they_were(monkeypatch):
    monkeypatch.setattr(reading, "PIECE", reading.PIECE)  # for the tests that cut finer


def plain_way(text, token, max_tokens, edition):
    """Indices, tokens by index and (token, count) pairs of a text; None if nothing to learn."""
    lines = {
        "functional": lambda: [
            re.sub("[^A-Za-z]+", " ", line).lower().strip() for line in text.splitlines()
        ],
        "object": lambda: [re.sub("[^A-Za-z]+", " ", text).lower()],
        "lyrics": lambda: [text.replace("\n", " ").replace("\r", " ")],
        "plain": lambda: [text],
    }[edition]()
    tokens = [t for line in lines for t in (line.split() if token == "word" else line)]
    counts = Counter(tokens[:max_tokens] if edition == "lyrics" else tokens)
    freqs = counts.most_common()
    if len(freqs) < 2:
        return None
    by_index = ["<unk>", *(t for t, _ in freqs if t != "<unk>")]
    if edition == "lyrics":
        by_index = sorted(counts)
    elif edition == "object":
        by_index = sorted(by_index)
    return [by_index.index(t) for t in tokens[:max_tokens]], by_index, freqs


@example("ab \nc d", "char", None, "functional", 4)  # cut within a gap
@example("a\x1cb\x85c\u2029d", "char", None, "functional", 7)  # rare line breaks
@example("\ufeffab\ufeff", "char", None, "plain", 4)  # the first is a mark, the second a character
@given(
    TEXTS,
    st.sampled_from(["char", "word"]),
    st.none() | st.integers(0, 20),
    st.sampled_from(["functional", "object", "lyrics", "plain"]),
    PIECES,
)
def test_a_text_in_pieces_gives_what_the_whole_gives(text, token, max_tokens, edition, piece):
    reading.PIECE = piece
    raw = text.encode()
    expected = plain_way(raw.decode("utf-8-sig"), token, max_tokens, edition)
    fault = fault_of(raw) or ("nothing to learn" if expected is None else None)
    if fault:
        with pytest.raises(RequestError, match=fault):
            encode(Text("mine.txt", raw), Cut(token, max_tokens, edition))
        return
    indices, vocab = encode(Text("mine.txt", raw), Cut(token, max_tokens, edition))
    assert (indices.tolist(), vocab.idx_to_token, vocab.token_freqs) == expected
    assert indices.dtype == np.uint8


@given(st.lists(TEXTS.map(str.encode) | BAD, max_size=4).map(b"".join), PIECES)
def test_a_file_is_read_or_refused_with_the_place_of_its_fault(path, raw, piece):
    reading.PIECE = piece
    path.write_bytes(raw)
    text = sources.read(path)
    if message := fault_of(raw):
        with pytest.raises(RequestError, match=message):
            "".join(text)
        return
    expected = raw.decode("utf-8-sig")
    assert "".join(text) == expected
    assert text.num_chars == len(expected)
    assert text.sha256 == sources.read(path).sha256 == hashlib.sha256(raw).hexdigest()


def fault_of(raw):
    """What is wrong with a file, and where it is wrong first; None if it is text."""
    if not raw:
        return "the file is empty"
    if not raw.strip():
        return "nothing but blanks"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "this is UTF-"
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        if b"\0" not in raw[: error.start]:
            return f"not UTF-8 at byte {error.start};|this is UTF-"
    return f"a zero byte at {raw.index(0)}:|this is UTF-" if b"\0" in raw else None


@pytest.mark.parametrize(("num_symbols", "dtype"), [(256, np.uint8), (257, np.uint16)])
def test_indices_take_the_smallest_type_that_holds_them(path, num_symbols, dtype):
    symbols = "".join(map(chr, range(0x4E00, 0x4E00 + num_symbols - 2)))  # and "a", and <unk>
    text = symbols + "a" * reading.PIECE + symbols  # a piece of its own is ASCII
    path.write_text(text, encoding="utf-8")
    indices, vocab = load_corpus(path)
    assert (indices.dtype, len(vocab)) == (dtype, num_symbols)
    assert (vocab.join(indices) == text) is True  # rather than show how two long texts differ


@pytest.mark.parametrize("text", ["Some words,\nand more.  ", "分开 不分开\n", "naïve words\n"])
@pytest.mark.parametrize("edition", ["plain", "functional", "lyrics"])
def test_memory_stays_within_six_bytes_a_character(path, text, edition):
    text *= 2_000_000 // len(text)
    path.write_text(text + "ab", encoding="utf-8", newline="")
    tracemalloc.start()
    try:
        load_corpus(path, edition=edition)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(text)
