"""Downloads, from a server of our own: checked, bounded, resumed; a failure names what to do."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common import downloads, sources
from common.d2l.data import download as download_by_hand
from common.downloads import PublishedText
from common.errors import RequestError

ROOT = Path(__file__).parents[2]
CONTENT = b"two words\n" * 10_000
SIZE = len(CONTENT)
SHA1, SHA256 = (hashlib.new(name, CONTENT).hexdigest() for name in ("sha1", "sha256"))


class Odd(SimpleHTTPRequestHandler):
    """Serves files, and by some names what no server should."""

    asked: list[str | None]

    def log_message(self, *args):
        pass

    def do_GET(self):
        if not hasattr(self, kind := self.path.strip("/")):
            super().do_GET()
            return
        self.asked.append(self.headers.get("Range"))
        with suppress(OSError):  # whoever asked has left
            getattr(self, kind)()

    def begin(self, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def endless(self):
        self.begin()
        while True:
            self.wfile.write(CONTENT)

    def larger(self):
        self.begin(Content_Length=1 << 40)

    def trickle(self):
        self.begin(Content_Length=len(CONTENT))
        while True:
            self.wfile.write(b"t")
            time.sleep(0.05)

    def slow_headers(self):
        while True:
            self.wfile.write(b"H")
            time.sleep(0.05)

    def breaks(self):
        """A third of what is missing at a time, and from the start to who does not say where."""
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        stop = min(len(CONTENT), start + len(CONTENT) // 3 + 1)
        self.begin(206 if start else 200, Content_Length=len(CONTENT) - start)
        self.wfile.write(CONTENT[start:stop])
        self.close_connection = True

    def forgets(self):
        """Breaks once, and then begins again."""
        self.begin(Content_Length=len(CONTENT))
        self.wfile.write(CONTENT if len(self.asked) > 1 else CONTENT[:500])
        self.close_connection = True


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "text.txt").write_bytes(CONTENT)
    monkeypatch.delenv(sources.DATA_VARIABLE, raising=False)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    handler = type("OddServer", (Odd,), {"asked": []})
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(handler, directory=tmp_path / "served")
    ) as served:
        served.asked = handler.asked
        served.url = f"http://127.0.0.1:{served.server_port}"
        looking = {"poll_interval": 0.01}  # its end waits for so long
        threading.Thread(target=served.serve_forever, kwargs=looking, daemon=True).start()
        yield served
        served.shutdown()


def publish(monkeypatch, url, sha1=SHA1, sha256=SHA256, size=SIZE):
    entry = PublishedText("text.txt", sha1, url, sha256, size)
    monkeypatch.setitem(sources.PUBLISHED, "time-machine", entry)


def kept(folder):
    return [*folder.iterdir()] if folder.exists() else []


def test_a_download_is_kept(server, monkeypatch):
    publish(monkeypatch, f"{server.url}/text.txt")
    assert "downloaded from" in sources.available("time-machine")
    assert "".join(sources.read("time-machine")).encode() == CONTENT
    assert sources.available("time-machine") is None
    publish(monkeypatch, "http://127.0.0.1:1/gone")
    assert "".join(sources.read("time-machine")).encode() == CONTENT


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sha1": "0" * 40}, "what came has another hash"),
        ({"sha256": "0" * 64}, "what came has another hash"),
        ({"size": len(CONTENT) + 1}, "what came has 100,000 bytes, not 100,001"),
        ({"size": len(CONTENT) - 1}, "larger than 99,999 bytes"),
    ],
)
def test_another_file_is_refused_and_nothing_is_kept(server, tmp_path, monkeypatch, wrong, message):
    publish(monkeypatch, f"{server.url}/text.txt", **wrong)
    with pytest.raises(RequestError, match=message):
        sources.read("time-machine")
    assert not kept(tmp_path / "cache")


@pytest.mark.parametrize("path", ["/absent.txt", None])
def test_a_failed_download_names_the_file_and_where_to_put_it(server, monkeypatch, path):
    publish(monkeypatch, f"{server.url}{path}" if path else "http://127.0.0.1:1/text.txt")
    with pytest.raises(RequestError, match=r"text\.txt.*SHA-1 [0-9a-f]{40}.*--data-dir") as failed:
        sources.read("time-machine")
    assert ("HTTP 404" in str(failed.value)) == bool(path)


@pytest.mark.parametrize("kind", ["endless", "larger", "trickle", "slow_headers"])
@pytest.mark.parametrize("size", [len(CONTENT), 0])
def test_a_download_is_bounded_in_size_and_in_time(server, tmp_path, monkeypatch, kind, size):
    monkeypatch.setattr(downloads, "MOST", 2 * len(CONTENT))
    monkeypatch.setattr(downloads, "PATIENCE", 0.3)
    monkeypatch.setattr(downloads, "SLOWEST", 1e9)
    publish(monkeypatch, f"{server.url}/{kind}", size=size)
    start = time.monotonic()
    message = "larger than" if kind in ("endless", "larger") else "it took too long"
    with pytest.raises(RequestError, match=message):
        sources.read("time-machine")
    assert time.monotonic() - start < 3
    assert not kept(tmp_path / "cache")


@pytest.mark.parametrize("kind", ["breaks", "forgets"])
def test_a_download_that_broke_goes_on(server, monkeypatch, kind):
    publish(monkeypatch, f"{server.url}/{kind}")
    assert "".join(sources.read("time-machine")).encode() == CONTENT
    begun = [*range(0, len(CONTENT), len(CONTENT) // 3 + 1)] if kind == "breaks" else [0, 500]
    assert server.asked == [f"bytes={start}-" if start else None for start in begun]


def test_https_is_asked_first(server, monkeypatch):
    asked = []
    monkeypatch.setattr(downloads, "_fetch", lambda url, *_: asked.append(url) or CONTENT)
    publish(monkeypatch, "http://example.org/text.txt")
    sources.read("time-machine")
    assert asked == ["https://example.org/text.txt"]


def test_a_proxy_is_taken_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)  # it serves whatever it is asked for, by its path
    monkeypatch.setenv("https_proxy", server.url)
    publish(monkeypatch, "http://book.invalid/forgets")
    with pytest.raises(RequestError, match="HTTP 404"):  # the whole address is no path of a file
        sources.read("time-machine")


def test_an_address_that_names_no_file_is_refused(tmp_path):
    for address in ("http://127.0.0.1:1/", "http://127.0.0.1:1/..", "http://127.0.0.1:1/a/."):
        with pytest.raises(RequestError, match="names no file"):
            download_by_hand(address, tmp_path / "into")
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_left_of_a_download_that_was_killed(server, tmp_path):
    """What has come so far is in memory alone."""
    code = (
        "import sys; from pathlib import Path; from common import sources\n"
        "from common.downloads import PublishedText\n"
        f"sources.fetch(PublishedText('f.txt', '', '{server.url}/trickle'), Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "into")]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "own")}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    while not server.asked:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not kept(tmp_path / "into")
    assert not (tmp_path / "own").exists()
