"""Downloads: bounded in size and in time, begun again where the connection broke, kept whole.

What comes is held in memory until its hash is right, so that a download that was killed leaves
nothing. Proxies are those of the environment.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from common.files import STALE, sweep, write_aside

MOST = 1 << 28
"""Bytes of a file of which nobody said how large it is."""

PATIENCE, SLOWEST, SILENCE = 60.0, 100_000, 20.0
"""Seconds that any download may take, bytes a second beyond them, seconds without a byte."""

ATTEMPTS = 5
"""Times that one address is asked, at most; again only for the rest of what has begun to come."""


class DownloadError(Exception):
    """A file could not be had, or another one came; the message says why, in some words."""


@dataclass(frozen=True)
class PublishedText:
    """A file that the book downloads; what is empty of its hashes and size is not known."""

    filename: str
    sha1: str
    url: str
    sha256: str = ""
    size: int = 0


def download(wanted: PublishedText, into: Path) -> Path:
    """Download a file into a folder, over https where its host has that.

    Raises:
        DownloadError: it could not be had, or is another file.
        OSError: the folder cannot be written.
    """
    most = wanted.size or MOST
    deadline = time.monotonic() + PATIENCE + most / SLOWEST
    first, *others = _addresses(wanted.url)
    try:
        content = _within(deadline, first, most)
    except DownloadError:
        if not others:
            raise
        content = _within(deadline, others[0], most)
    if fault := _fault(content, wanted):
        raise DownloadError(fault)
    into.mkdir(parents=True, exist_ok=True)
    sweep(into, STALE)
    write_aside(into / wanted.filename, content)
    return into / wanted.filename


def _addresses(url: str) -> list[str]:
    scheme, separator, rest = url.partition("://")
    return [f"https{separator}{rest}", url] if scheme == "http" else [url]


def _fault(content: bytes, wanted: PublishedText) -> str:
    """Difference between what came and what was wanted; empty if none is known of."""
    if wanted.size and len(content) != wanted.size:
        return f"what came has {len(content):,} bytes, not {wanted.size:,}"
    for name, expected in (("sha256", wanted.sha256), ("sha1", wanted.sha1)):
        found = hashlib.new(name, content, usedforsecurity=False).hexdigest()
        if expected and found != expected:
            return "what came has another hash"
    return ""


def _within(deadline: float, url: str, most: int) -> bytes:
    """The content of an address, if it comes before the deadline.

    It is fetched in a thread, for a connection has no time limit of its own: names, handshakes and
    headers may each take as long as they like.
    """
    outcome: queue.SimpleQueue[bytes | DownloadError] = queue.SimpleQueue()
    given_up = threading.Event()

    def fetch() -> None:
        try:
            outcome.put(_fetch(url, most, given_up))
        except DownloadError as error:
            outcome.put(error)
        except Exception as error:  # whatever a transport raises, nobody is to wait for it
            outcome.put(DownloadError(type(error).__name__))

    threading.Thread(target=fetch, daemon=True).start()
    try:
        found = outcome.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise DownloadError("it took too long") from None
    finally:
        given_up.set()
    if isinstance(found, DownloadError):
        raise found
    return found


def _fetch(url: str, most: int, given_up: threading.Event) -> bytes:
    """The content of an address, asked for again from where the connection broke."""
    content = bytearray()
    for _ in range(ATTEMPTS):
        before = len(content)
        try:
            if _fetch_on(url, content, most, given_up):
                return bytes(content)
            fault = DownloadError("the connection broke")
        except OSError as error:  # those of requests are, too
            fault = DownloadError(type(error).__name__)
        if len(content) <= before:
            break  # to ask again would be to wait again
    raise fault


def _fetch_on(url: str, content: bytearray, most: int, given_up: threading.Event) -> bool:
    """Fetch what is missing behind some content; False if it broke off."""
    import requests  # only when a download is due
    import urllib3

    headers = {"Accept-Encoding": "identity"}
    if content:
        headers["Range"] = f"bytes={len(content)}-"
    with requests.get(url, headers=headers, stream=True, timeout=SILENCE) as response:
        if response.status_code >= 400:
            raise DownloadError(f"HTTP {response.status_code}")
        if response.status_code != 206:
            content.clear()  # the server begins again
        told = response.headers.get("Content-Length", "")
        end = len(content) + int(told) if told.isdecimal() else None
        try:
            while (end or 0) <= most and (chunk := response.raw.read1(1 << 16)):
                content += chunk
                if given_up.is_set():
                    raise DownloadError("it took too long")
                if len(content) > most:
                    break
        except urllib3.exceptions.HTTPError:
            return False
    if max(end or 0, len(content)) > most:
        raise DownloadError(f"larger than {most:,} bytes")
    return end is None or len(content) == end
