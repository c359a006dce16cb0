"""Tables that sort, filter and copy, code that copies, charts that save: in a browser."""

from pathlib import Path


def table_of(visit, report):
    open_ = visit(report, width=1280)
    open_.unfold()
    return open_.page, open_.page.locator("#throughput .scroll").first


def column(table, number):
    return table.locator(f"tbody tr:visible > :nth-child({number})").all_inner_texts()


def test_tables_sort_and_filter(visit, many):
    page, table = table_of(visit, many)
    speeds = lambda: [float(text.replace(",", "")) for text in column(table, 2)]  # noqa: E731
    fastest_first = speeds()
    sort = table.get_by_role("button", name="Sort by tokens/s")
    sort.press("Enter")
    assert speeds() == sorted(fastest_first)
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("tokens/s")
    sort.press("Enter")
    assert speeds() == sorted(fastest_first, reverse=True)
    table.get_by_role("button", name="Sort by backend").click()
    names = column(table, 1)
    assert names == sorted(names)
    search = page.locator("#throughput .tools input").first
    search.fill("jax fus")
    assert column(table, 1) == ["JAX fused"]
    search.fill("")
    assert len(column(table, 1)) == len(names)


def test_tables_copy_what_they_show_as_markdown_and_latex(visit, report):
    page, table = table_of(visit, report)
    tools = page.locator("#throughput .tools").filter(has_text="Markdown").first
    tools.get_by_role("button", name="Copy as Markdown").click()
    heads, rule, *rows = page.evaluate("window.copied").strip().splitlines()
    assert heads.startswith("| backend | tokens/s | 95 % interval | verdict |")
    assert rule.startswith("| :-- | --: |")
    assert len(rows) == table.locator("tbody tr").count()
    tools.get_by_role("button", name="Copy as LaTeX").click()
    latex = page.evaluate("window.copied")
    assert latex.startswith(
        "\\begin{tabular}{lrrlrrr}\n\\hline\nbackend & tokens/s & 95 \\% interval"
    )
    assert latex.count("\\\\") == 1 + len(rows)


def test_code_copies_whole_also_where_the_clipboard_is_refused(visit, report):
    page = visit(report, width=1280).page
    listing = page.locator(".listing:visible").first
    code = listing.locator("code").inner_text()
    listing.get_by_role("button", name="Copy the code").click()
    assert page.evaluate("window.copied") == code.removesuffix("\n")
    page.evaluate(REFUSED)
    page.locator("#reproduce").get_by_role("button", name="Copy the code").first.click()
    assert page.evaluate("window.copied").startswith("python -m harness --recipe quickstart")


REFUSED = """() => {
    navigator.clipboard.writeText = async () => { throw new Error("refused"); };
    document.execCommand = () => { window.copied = document.activeElement.value; };
}"""


def test_charts_save_as_svg_and_png(visit, report):
    page = visit(report, width=1280).page
    chart = page.locator("#accuracy .chart")
    chart.scroll_into_view_if_needed()
    page.wait_for_function("() => document.getElementById('errors').dataset.drawn")
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            chart.get_by_role("button", name=f"Save as {kind}").click()
        assert saved.value.suggested_filename == f"errors.{kind.lower()}"
        assert Path(saved.value.path()).read_bytes().startswith(begins)


def test_what_is_cut_off_says_so_until_its_end(visit, report):
    page = visit(report, width=400).page
    code = page.locator(".listing:visible pre").first
    goes_on = "(pre) => pre.parentElement.classList.contains('goes-on')"
    assert code.evaluate(goes_on)
    assert "scroll" in code.evaluate("(pre) => getComputedStyle(pre, '::after').content")
    code.evaluate("(pre) => pre.scrollTo({ left: pre.scrollWidth, behavior: 'instant' })")
    page.wait_for_function(
        f"() => !({goes_on})(document.querySelector('.listing:not([hidden]) pre'))"
    )
