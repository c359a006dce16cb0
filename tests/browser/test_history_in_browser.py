"""The site of a history: it fits, connects to nothing, and axe-core finds nothing serious."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from harness.history.site import write_site
from harness.history.steps import steps_of
from harness.history.store import add, read
from tests.harness.history.made_history import CONTENDERS, SHAPES, entries, entry, slowed


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a step, a figure that was measured once, and names that mean harm."""
    folder = tmp_path_factory.mktemp("history")
    rng = np.random.default_rng(6)
    logs = np.log(50_000) + rng.normal(0, 0.01, (len(SHAPES) * len(CONTENDERS), 20))
    odd = "<img src=x onerror=\"document.title='owned'\">"
    once = [("perplexity", odd, "scratch", f"{'very-long-' * 12}{odd}, seed 1", 5.0)]
    add(folder / "h", [*entries(slowed(logs, 1, 0.1, 17)), entry(40, once, odd, "run")])
    history = read(folder / "h")
    write_site(history, steps_of(history, 0.05), folder / "site")
    return folder / "site"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_every_kind_of_page_fits_and_is_quiet(visit, site, width, scheme):
    for pattern in ("index.html", "32x35x512x28-*.html", "very-long-*.html"):
        (path,) = site.glob(pattern)
        seen = visit(path, width=width, scheme=scheme)
        assert seen.said == []
        assert seen.requests == [path.as_uri()]
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(over) <= 0
        assert seen.page.title() != "owned"
        assert seen.page.locator("img").count() == 0
        found = Axe().run(seen.page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
