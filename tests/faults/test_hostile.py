"""Hostile files are refused in one line or told as they are: no traceback, nothing executed."""

import time
from pathlib import Path

import pytest

from tests.browser.conftest import browser  # noqa: F401  (a fixture)
from tests.faults.hostile import CASES, hostile, sound_files

SECONDS = 20
"""In which a page opens."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with sound_files(tmp_path_factory.mktemp("hostile")) as made:
        yield made


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", [kind for kind in CASES if kind != "page"])
def test_a_hostile_file_is_refused_or_told_as_it_is(kind, chosen, request, folder):
    share, seed = CASES[kind].share, request.config.getoption("seed")
    faults = {}
    for number in chosen(range(share), few=share // 12):
        tried = hostile(kind, number, seed, folder)
        if tried.faults:
            faults[number] = (tried.words, tried.faults)
    assert faults == {}


@pytest.mark.timeout(1800)
def test_a_page_of_hostile_words_executes_nothing(chosen, request, folder, browser):  # noqa: F811
    share, seed = CASES["page"].share, request.config.getoption("seed")
    faults = {}
    for number in chosen(range(share), few=2):
        tried = hostile("page", number, seed, folder)
        if not tried.faults and not tried.status:
            tried.faults += in_browser(browser, folder / "out")
        if tried.faults:
            faults[number] = (tried.words, tried.faults)
    assert faults == {}


def in_browser(browser, out: Path) -> list[str]:  # noqa: F811
    """What a page did in Chromium that it must not."""
    context = browser.new_context(service_workers="block")
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(f"said {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"said {error}"))
    page.on("dialog", lambda dialog: heard.append(f"asked {dialog.message}"))
    uri = (out / "report.html").as_uri()
    page.on("request", lambda request: heard.append(f"asked for {request.url}"))
    start = time.monotonic()
    page.goto(uri, timeout=SECONDS * 1000)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    for drawing in page.locator(".drawing").all():  # it is drawn once it is seen
        drawing.scroll_into_view_if_needed(timeout=SECONDS * 1000)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.drawing')].every((d) => d.dataset.drawn)",
        timeout=SECONDS * 1000,
    )
    if time.monotonic() - start > SECONDS:
        heard.append(f"opened after {time.monotonic() - start:.0f} s")
    if page.evaluate("'owned' in window || document.title.includes('owned now')"):
        heard.append("executed a script")
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > 1300:
        heard.append(f"is {wide} wide")
    context.close()
    return [each for each in heard if each != f"asked for {uri}"]
