"""Downloads, from a server of our own: the hash is checked and a failure names what to do."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from common import sources
from common.downloads import PublishedText
from common.errors import RequestError

CONTENT = b"two words\n" * 10


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "text.txt").write_bytes(CONTENT)
    monkeypatch.delenv(sources.DATA_VARIABLE, raising=False)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Silent, directory=tmp_path / "served")
    ) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


SHA1 = hashlib.sha1(CONTENT).hexdigest()


def publish(monkeypatch, url, sha1=SHA1):
    entry = PublishedText("text.txt", sha1, url)
    monkeypatch.setitem(sources.PUBLISHED, "time-machine", entry)


def test_a_download_is_kept(server, tmp_path, monkeypatch):
    publish(monkeypatch, f"{server}/text.txt")
    assert "downloaded from" in sources.available("time-machine")
    assert "".join(sources.read("time-machine")).encode() == CONTENT
    assert sources.available("time-machine") is None
    publish(monkeypatch, "http://127.0.0.1:1/gone")
    assert "".join(sources.read("time-machine")).encode() == CONTENT


def test_a_wrong_hash_is_refused_and_nothing_is_kept(server, tmp_path, monkeypatch):
    publish(monkeypatch, f"{server}/text.txt", sha1="0" * 40)
    with pytest.raises(RequestError, match="what came has another hash"):
        sources.read("time-machine")
    assert not list((tmp_path / "cache").glob("*"))


@pytest.mark.parametrize("path", ["/absent.txt", None])
def test_a_failed_download_names_the_file_and_where_to_put_it(server, monkeypatch, path):
    publish(monkeypatch, f"{server}{path}" if path else "http://127.0.0.1:1/text.txt")
    with pytest.raises(RequestError, match=r"text\.txt.*SHA-1 [0-9a-f]{40}.*--data-dir"):
        sources.read("time-machine")
