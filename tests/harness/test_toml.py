"""Settings in TOML: what would take all memory, or all of the stack, is refused in one line."""

import time
import tracemalloc

import pytest

from common.errors import RequestError
from harness.toml import DEEP, read_toml

WRONG = {
    "a key of many parts": ("a" + " . 'a\"'" * 9 + "=1", "a key of over 8 parts"),
    "a heading of many parts": (f"[{'.'.join('abcdefghi')}]", "a key of over 8 parts"),
    "too deep": ("a = " + "[" * 5000, "too deep to be settings"),
    "too large": ("#" * (1 << 20) + " and more", "over 1,024 kB"),
    "not UTF-8": ("a = '\udcff'", "not UTF-8 at byte 5"),
    "not TOML": ("a = ", "not TOML: Invalid value"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_wrong_is_refused(tmp_path, text, message):
    file = tmp_path / "it.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RequestError) as refused:
        read_toml(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_sound_is_read(tmp_path):
    file = tmp_path / "it.toml"
    file.write_bytes(b'a.b.c = [0.1, 1.2]\r\n"q. r. s" = "How? ... e.g. this one. That."\n')
    assert read_toml(file) == {
        "a": {"b": {"c": [0.1, 1.2]}},
        "q. r. s": "How? ... e.g. this one. That.",
    }


def test_no_file_takes_memory_by_the_square_of_its_size(tmp_path):
    file = tmp_path / "it.toml"
    file.write_text(".".join("a" * 2000) + " = 1", encoding="utf-8")
    tracemalloc.start()
    with pytest.raises(RequestError):
        read_toml(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2e6  # it took 17 MB, and 6 GB at 100 kB
    # and what is searched for is found, or not, in time that grows with the file alone
    start = time.process_time()
    for text in ("a" * 10**6, '"' * 10**6, "a." * 7 + "a " * 10**5, "'a\n" * 10**5):
        assert not DEEP.search(text)
    assert time.process_time() - start < 5
