"""A browser for the report: the system's Chromium, or the one that $CHROMIUM names.

Where $CHROMIUM is set, as in the tox environment ``report``, its absence is a failure; a bare
``pytest`` on a machine without Chromium skips these tests and says so.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium with an empty profile, of which nothing stays."""
    path = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    if not path.is_file():
        message = f"no Chromium at {path}: apt-get install chromium, or set CHROMIUM to its path"
        if "CHROMIUM" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


class Visit:
    """An open report, and whatever it said or asked for."""

    def __init__(self, browser, path, width=1600, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, service_workers="block"
        )
        self.page = self.context.new_page()
        self.said, self.requests = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.drawing')].every((d) => d.dataset.drawn)"
        )


@pytest.fixture
def visit(browser):
    """Open a report."""
    visits = []

    def opened(*arguments, **named):
        visits.append(Visit(browser, *arguments, **named))
        return visits[-1]

    yield opened
    for each in visits:
        each.context.close()
