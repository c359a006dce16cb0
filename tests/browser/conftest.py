"""A browser for the report: the system's Chromium, or the one that $CHROMIUM names.

Where $CHROMIUM is set, as in the tox environment ``report``, its absence is a failure; a bare
``pytest`` on a machine without Chromium skips these tests and says so.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from harness.report.build import write_report
from tests.harness.made_runs import NASTY, make_parity, make_run
from tests.harness.records.test_reading import write_bench

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


SEEN = """[...document.querySelectorAll('.drawing')].filter(
    (d) => d.checkVisibility() && d.getBoundingClientRect().top < innerHeight)"""
"""The charts on the first screen; others are drawn when they are about to be seen."""

CLIPBOARD = """Object.defineProperty(navigator, "clipboard", {
    value: { writeText: async (text) => { window.copied = text; } }, configurable: true });"""
"""A clipboard that a test can read."""


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
        self.page.add_init_script(CLIPBOARD)
        self.client = self.context.new_cdp_session(self.page)
        self.client.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(path.as_uri())
        self.page.wait_for_function(f"() => {SEEN}.every((d) => d.dataset.drawn)")

    @property
    def busy(self):
        """Seconds of CPU that the page has taken, whatever else runs on this machine."""
        metrics = self.client.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    def unfold(self):
        """Open all that is folded, and see every chart, which is drawn then."""
        self.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        for drawing in self.page.locator(".drawing").all():
            drawing.scroll_into_view_if_needed()
        self.page.wait_for_function("() => !document.querySelector('.drawing:not([data-drawn])')")


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


RESULTS = Path(__file__).parents[2] / "results"

PAIRS = [
    (backend, variant)
    for backend in ("mxnet-style", "mxnet", "torch", "jax", "tensorflow")
    for variant in ("scratch", "fused", "concise")
]


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """One run with everything in it, in the settings of a recipe with validation and a band."""
    folder = make_run(
        tmp_path_factory.mktemp("one") / "run", PAIRS[:4], failed=PAIRS[3:4], said=NASTY, epochs=40
    )
    make_parity(folder, PAIRS[:4])
    write_bench(folder)
    return write_report([folder], folder)


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """Five backends in three variants, from one seed."""
    folder = make_run(tmp_path_factory.mktemp("many") / "run", PAIRS)
    return write_report([folder], folder)


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """All of five backends, three variants, five seeds and 500 epochs."""
    path = tmp_path_factory.mktemp("large")
    runs = [make_run(path / str(seed), PAIRS, seed=seed, epochs=500) for seed in range(5)]
    return write_report(runs, path / "merged")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """The report of the functional chapter, of two studies and a benchmark, as it is made today."""
    folders = [RESULTS / "functional-chapter" / name for name in CHAPTER]
    return write_report(folders, tmp_path_factory.mktemp("fresh"))


CHAPTER = ("time-machine", "time-machine-random")
