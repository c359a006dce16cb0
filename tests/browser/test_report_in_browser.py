"""The report as a browser shows it: quiet, self-contained, complete, accessible and quick."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from harness.page.rosetta import TOPICS

RESULTS = Path(__file__).parents[2] / "results"


def expect_quiet_fitting_and_accessible(open_, path, width):
    assert open_.said == []
    assert open_.requests == [path.as_uri()]
    assert open_.page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(open_.page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in serious] == []


@pytest.mark.parametrize(
    "committed", sorted(RESULTS.rglob("report.html")), ids=lambda path: path.parent.name
)
@pytest.mark.parametrize("width", [400, 1600])
def test_what_is_committed_is_quiet_and_fits_too(visit, committed, width):
    expect_quiet_fitting_and_accessible(visit(committed, width=width), committed, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280, 1600])
def test_it_is_quiet_and_fits_and_axe_finds_nothing_serious(visit, report, width, scheme):
    open_ = visit(report, width=width, scheme=scheme)
    expect_quiet_fitting_and_accessible(open_, report, width)
    open_.unfold()
    expect_quiet_fitting_and_accessible(open_, report, width)


SCREEN, SCREENS = 900, 6


def test_the_first_screen_holds_the_answers_and_the_page_is_six_screens(visit, fresh, report):
    for path in (fresh, report):
        page = visit(path, width=1280).page
        cards = page.locator(".card")
        assert [card.locator("h2").inner_text().split()[0] for card in cards.all()] == [
            "Right?",
            "Fast?",
            "Learns?",
            "Costs?",
        ]
        for card in cards.all():
            box = card.bounding_box()
            assert box["y"] + box["height"] <= SCREEN
            assert any(char.isdigit() for char in card.locator("p").inner_text())
            assert card.locator(".bars, .spark").count() == 1
        assert page.evaluate("document.documentElement.scrollHeight") <= SCREENS * SCREEN


def test_contents_stay_in_sight_say_where_one_is_and_open_what_is_folded(visit, fresh):
    page = visit(fresh, width=1280).page
    part = page.locator(".part").last
    assert part.get_attribute("open") is None
    page.locator(f".contents a[href='#{part.get_attribute('id')}']").click()
    assert part.get_attribute("open") is not None
    page.locator(".contents a[href='#source_side_by_side']").click()
    page.wait_for_function(
        "() => document.querySelector('.contents [aria-current]')?.hash == '#source_side_by_side'"
    )
    assert page.locator(".contents").bounding_box()["y"] == 0
    page.locator(".card a[href='#learning_curves-1']").evaluate("(link) => link.click()")
    assert page.locator("#learning_curves-1").is_visible()


INKED = """(drawing) => {
    const canvas = drawing.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


def test_every_chart_draws_and_shows_values_under_the_pointer(visit, report):
    open_ = visit(report)
    open_.unfold()
    page, drawings = open_.page, open_.page.locator(".drawing")
    assert drawings.count() == 7  # errors, throughput, a benchmark; by epoch and second, and forms
    for drawing in drawings.all():
        assert drawing.evaluate(INKED) > 20, "colours"
        drawing.scroll_into_view_if_needed()
        box = drawing.bounding_box()
        for x, y in product(np.linspace(0.1, 0.95, 40), np.linspace(0.15, 0.85, 12)):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if page.locator("#tip b").count() and page.locator("#tip").is_visible():
                break
        assert any(char.isdigit() for char in page.locator("#tip").inner_text())
        page.keyboard.press("Escape")
        assert page.locator("#tip").is_hidden()


def test_charts_wear_the_colours_of_the_scheme(visit, report):
    pixel = "(d) => [...d.querySelector('canvas').getContext('2d').getImageData(0,0,300,300).data]"
    seen = []
    for scheme in ("light", "dark"):
        open_ = visit(report, scheme=scheme)
        open_.unfold()
        seen.append(open_.page.locator("#speed-1").evaluate(pixel))
    assert seen[0] != seen[1]


def test_zoom_and_highlight_by_keyboard(visit, report):
    open_ = visit(report)
    open_.unfold()
    page = open_.page
    controls = page.locator(".controls").first
    canvas = page.locator("#perplexity-by-epoch-1")
    whole = canvas.screenshot()
    controls.get_by_role("button", name="Later half").press("Enter")
    page.wait_for_timeout(200)
    assert canvas.screenshot() != whole
    controls.get_by_role("button", name="Whole").press("Enter")
    page.wait_for_timeout(200)
    assert canvas.screenshot() == whole
    controls.get_by_role("combobox").select_option("mxnet")
    page.wait_for_timeout(200)
    assert canvas.screenshot() != whole


def test_the_rosetta_view_turns_by_keyboard_and_shows_all_four(visit, report):
    page = visit(report, width=400).page
    shown = page.locator(".listing:visible")
    assert shown.count() == 4
    page.get_by_role("radio", name="get_params").focus()
    for topic in TOPICS:
        page.get_by_role("radio", name=topic, exact=True).check()
        assert shown.count() == 4
        assert len({listing.bounding_box()["x"] for listing in shown.all()}) == 1
    page.get_by_role("radio", name="get_params").check()
    page.keyboard.press("ArrowRight")
    assert page.locator("#topic-2").is_visible()
    page.get_by_role("checkbox", name="JAX").press("Space")
    assert shown.count() == 3


def test_a_script_in_a_corpus_stays_text(visit, report):
    page = visit(report).page
    assert page.title().startswith("One network in")
    assert (
        "</script><script>document.title='owned'</script>" in page.locator("#samples").inner_text()
    )


def test_a_page_that_is_tampered_with_still_connects_to_nothing(visit, report, tmp_path):
    worse = tmp_path / "report.html"
    harm = "<script>document.title='owned'</script><img src=https://example.org/x.png><footer>"
    worse.write_text(report.read_text(encoding="utf-8").replace("<footer>", harm), encoding="utf-8")
    open_ = visit(worse)
    assert open_.page.title().startswith("One network in")
    assert len(open_.said) >= 2  # the policy refused both, and says so
    assert not open_.page.evaluate("document.querySelector('img').naturalWidth")


def test_a_large_report_is_small_and_opens_in_under_a_second(visit, large):
    assert large.stat().st_size < 5e6
    open_ = visit(large)
    assert 0 < open_.busy < 1
    open_.unfold()  # every chart, of five backends in three variants and five seeds
    assert open_.busy < 5
