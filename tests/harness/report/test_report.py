"""Reports: what they answer, what they escape, what they refuse; a browser is not needed here."""

import ast
import base64
import gzip
import hashlib
import html
import json
import re

import pandas as pd
import pytest

from common.errors import RequestError
from harness.page.blocks import Chart, Rosetta, Texts, figures, flat
from harness.page.markdown import escape, fence
from harness.page.palette import LOOKS, dark_colours
from harness.page.rosetta import TOPICS, lines_of_code, rosetta, source_file
from harness.page.speeds import best, leaders
from harness.recipes import experiment_of, recipes
from harness.report.build import told_of, write_report
from harness.report.curves import POINTS, curves, epoch_throughput
from harness.report.groups import endings, gather
from harness.report.sections import sections
from harness.run.command import add_report
from tests.harness.drawn import most_lines
from tests.harness.made_runs import BOTH, NASTY, make_parity, make_run
from tests.harness.records.test_reading import write_bench

PAIRS = (*BOTH, ("jax", "scratch"), ("jax", "concise"), ("tensorflow", "fused"))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A run with everything in it, and its report."""
    folder = make_run(
        tmp_path_factory.mktemp("report") / "run", PAIRS, failed=[PAIRS[-1]], said=NASTY
    )
    make_parity(folder, PAIRS[:3])
    write_bench(folder)
    write_report([folder], folder)
    return folder


def told(*folders):
    return {section.name: section for section in sections(gather(folders))}


def test_the_questions_come_in_the_order_in_which_people_ask(study):
    page = (study / "report.html").read_text(encoding="utf-8")
    order = re.findall(r'<section id="(\w+)" class="question"', page)
    first = "accuracy benchmark throughput learning_curves cost samples"
    assert order == [*first.split(), "source_side_by_side", "setup", "reproduce"]
    text = (study / "report.md").read_text(encoding="utf-8")
    asked = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert len(asked) == len(order)
    assert all(html.escape(question) in page for question in asked)


def test_the_first_screen_answers_four_questions_with_numbers_and_leads_to_each(study):
    report = told_of([study])
    assert [each.question for each in report.answers] == ["Right?", "Fast?", "Learns?", "Costs?"]
    places = {section.name for section in report.sections}
    for each in report.answers:
        assert each.section in places
        assert re.search(r"\d", each.text)
        assert each.chart
    right, fast, learns, costs = (each.text for each in report.answers)
    assert "the worst relative error is 1e-12 where 1e-09 is allowed, in 24 comparisons" in right
    assert fast.startswith("PyTorch scratch, ")  # of the benchmark that the folder holds
    assert "3 rounds in turns" in fast
    assert "stand at a perplexity of 1.1" in learns
    assert "250 MB" in costs
    page = (study / "report.html").read_text(encoding="utf-8")
    text = (study / "report.md").read_text(encoding="utf-8")
    for each in report.answers:
        assert f'<h2 id="answer-{report.answers.index(each) + 1}">' in page
        assert html.escape(each.text, quote=False) in page.replace("&#39;", "'")
        assert escape(each.text) in text
    anchors = re.findall(r"^- \*\*\[.*?\]\(#(.*?)\)", text, re.MULTILINE)
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    assert len(anchors) == 4
    assert set(anchors) <= slugs


def test_without_a_benchmark_the_answer_says_that_it_is_none(tmp_path):
    fast = told_of([make_run(tmp_path / "run")]).answers[1]
    assert "A training run, not a benchmark." in fast.text


def test_rows_that_tie_are_best_together():
    names = ["title", "tokens_per_sec", "low", "high"]
    rows = [["a", 100.0, 90.0, 110.0], ["b", 95.0, 80.0, 91.0], ["c", 50.0, 40.0, 60.0]]
    table = pd.DataFrame(rows, columns=names)
    assert [row["title"] for row in best(table)] == ["a", "b"]
    assert leaders(table).startswith("a and b tie")
    paired = table.assign(ties=[True, False, True])  # by the ratios of the same rounds
    assert [row["title"] for row in best(paired)] == ["a", "c"]
    few = table.assign(low=float("nan"), high=float("nan"))  # too few rounds for an interval
    assert [row["title"] for row in best(few)] == ["a"]


def test_what_is_not_installed_is_no_failure(tmp_path):
    run = make_run(tmp_path / "run", (*BOTH, ("jax", "scratch")), failed=[("jax", "scratch")])
    text = (run / "summary.csv").read_text(encoding="utf-8")
    (run / "summary.csv").write_text(text.replace("diverged", "unavailable"), encoding="utf-8")
    report = told_of([run])
    assert [note.tone for note in report.notices] == ["quiet"]
    cells = [
        cell
        for section in report.sections
        for block in flat(section.blocks)
        for grid in [getattr(block, "grid", block)]
        for row in getattr(grid, "rows", [])
        for cell in row
        if "unavailable" in cell.text
    ]
    assert cells
    assert {cell.tone for cell in cells} == {"quiet"}


def test_the_page_needs_nothing_and_connects_to_nothing(study):
    page = (study / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe-eval" not in policy
    without_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", without_scripts)
    assert page.count("<script>") == 3  # our own, the last of which unpacks Vega
    assert page.count("</script>") == 5
    packed = re.search(r'id="vega">([^<]*)<', page)[1]
    vega = hashlib.sha256(gzip.decompress(base64.b64decode(packed))).digest()
    assert f"'sha256-{base64.b64encode(vega).decode()}'" in html.unescape(policy)


def test_text_that_means_harm_stays_text(study):
    page = (study / "report.html").read_text(encoding="utf-8")
    shown = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<script>document.title" not in page
    assert "&lt;/script&gt;&lt;script&gt;document.title" in shown
    text = (study / "report.md").read_text(encoding="utf-8")
    assert "\u202e" not in page + text
    assert "\x1b" not in page + text
    outside, fences = [], None
    for line in text.splitlines():
        run = re.match(r"`{3,}", line)
        if fences is None and run:
            fences = run[0]
        elif fences and line.strip() == fences:
            fences = None
        elif fences is None:
            outside.append(line)
    assert fences is None
    assert not any("<script" in line or "<b>" in line for line in outside)


def test_a_fence_is_longer_than_any_run_of_backticks():
    assert fence("a ```` b").splitlines()[0] == "`````text"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<b>", "&lt;b&gt;"),
        ("a|b", "a\\|b"),
        ("[x](y)", "\\[x\\](y)"),
        ("# no head", "\\# no head"),
        ("- no list", "\\- no list"),
        ("two\nlines", "two·lines"),
        ("@someone", "&#64;someone"),
        ("W_xh _a_", "W_xh \\_a\\_"),
        ("1. no list", "1\\. no list"),
        ("https://x.y", "https&#58;//x.y"),
        ("one-hot, 3.5", "one-hot, 3.5"),
    ],
)
def test_markdown_is_escaped_and_prose_stays_readable(text, safe):
    assert escape(text) == safe


def test_a_row_that_is_not_ok_shows_its_reason_and_no_throughput(study):
    blocks = flat(told(study)["throughput"].blocks)
    grid = next(block.grid for block in blocks if isinstance(block, Chart))
    (row,) = [row for row in grid.rows if row[0].text == "TensorFlow fused"]
    assert [cell.text for cell in row[1:]] == ["-", "-", "diverged", "-", "-", "-"]
    (notice,) = told_of([study]).notices
    assert notice.text.startswith("TensorFlow fused: diverged: </script>")
    assert notice.tone == "bad"


def test_parity_is_told_and_a_wrong_backend_is_named(study, tmp_path):
    assert told(study)["accuracy"].answer.startswith("Yes: all 3 are the reference network")
    wrong = make_run(tmp_path / "wrong")
    make_parity(wrong, wrong=[BOTH[1]])
    assert told(wrong)["accuracy"].answer.startswith("Not all: PyTorch scratch")
    with open(wrong / "parity.csv", "a", encoding="utf-8", newline="") as file:
        file.write("mxnet-style,scratch,float64,tanh,greedy text,inf,0.0,False\n")
    section = told(wrong)["accuracy"]
    assert "MXNet style scratch" in section.answer
    verdicts = {(row[0].text, row[4].text): row[1].text for row in section.blocks[0].grid.rows}
    assert verdicts["MXNet style scratch", "float64"] == "not equal"
    assert verdicts["MXNet style scratch", "float32"] == "equal"
    plain = make_run(tmp_path / "plain")
    assert "1e-07 where 1e-05 is allowed" in told(plain)["accuracy"].answer


def test_every_chart_has_a_table_a_picture_and_words(study):
    charts = [b for s in told(study).values() for b in flat(s.blocks) if isinstance(b, Chart)]
    names = [chart.figure.name for chart in charts]
    assert {"errors", "speed-1", "perplexity-by-epoch-1", "perplexity-by-elapsed-1"} <= set(names)
    assert "bench-1-1" in names
    for chart in charts:
        assert chart.grid.rows
        assert len(chart.figure.words) > 20
        picture = (study / "figures" / f"{chart.figure.name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")


@pytest.mark.drawn
def test_no_chart_has_more_than_five_lines(tmp_path):
    """Of five frameworks in three forms; and of seven frameworks, which are in panels."""
    names = ("mxnet-style", "mxnet", "torch", "jax", "tensorflow", "torch@2.12", "own")
    for count in (5, 7):
        pairs = [(name, form) for name in names[:count] for form in ("scratch", "fused", "concise")]
        report = told_of([make_run(tmp_path / str(count), pairs)])
        lines = most_lines(figures(report.sections))
        assert lines["perplexity-by-elapsed-1"] == 5
        assert lines["perplexity-by-elapsed-1-forms"] == 3
        assert max(lines.values()) <= 5
        assert ("perplexity-by-epoch-1" in lines) == (count == 5)


def test_forms_that_coincide_are_one_curve_and_the_report_says_how_near_the_others_lie(tmp_path):
    pairs = [("torch", "scratch"), ("torch", "fused"), ("jax", "scratch"), ("jax", "fused")]
    section = told(make_run(tmp_path / "run", pairs))["learning_curves"]
    said = " ".join(getattr(block, "text", "") for block in section.blocks)
    assert "By epoch, scratch of each framework; its other forms lie within 1e-05 %." in said
    chart = next(block for block in section.blocks if isinstance(block, Chart))
    assert chart.figure.table.title.unique().tolist() == ["PyTorch scratch", "JAX scratch"]


def test_seeds_merge_into_one_study_and_other_settings_into_another(tmp_path):
    runs = [make_run(tmp_path / str(seed), seed=seed) for seed in range(3)]
    other = make_run(tmp_path / "other", num_hiddens=64, sampling="sliding")
    report = gather([*runs, other])
    assert [study.seeds for study in report.groups] == [[0, 1, 2], [0]]
    ours, theirs = (study.title.partition(": ") for study in report.groups)
    assert ours[0] == theirs[0] == recipes()["quickstart"].title
    assert ours[2] == "sampling sequential, num_hiddens 512"
    assert theirs[2] == "sampling sliding, num_hiddens 64"
    merged = curves(report.groups[0])
    assert (merged.perplexity_low < merged.perplexity).any()
    page = write_report([*runs, other], tmp_path / "merged").read_text(encoding="utf-8")
    assert page.count('<details class="part"') == 2
    assert page.count('<details class="part" id="part-2" open>') == 1  # the first is open
    assert len(re.findall(r'<section id="[\w-]+-2" class="question"', page)) == 5
    assert "val-perplexity-by-epoch-2" in page
    again = page[page.index('<section id="reproduce"') :]
    assert again.count('<pre class="command"') == 4
    assert again.count("SHA-256 of the source") == 2


def test_what_failed_for_every_seed_is_told_once():
    rows = [
        ("diverged", "perplexity inf after 7 epochs"),
        ("diverged", "perplexity inf after 12 epochs"),
        ("crashed", "exit status 1"),
        ("ok", ""),
        ("ok", ""),
    ]
    ended = endings(pd.DataFrame(rows, columns=["status", "reason"]))
    assert [(status, reason, len(found)) for status, reason, found in ended] == [
        ("diverged", "perplexity inf after 7 epochs (the first of 2)", 2),
        ("crashed", "exit status 1", 1),
        ("ok", "", 2),
    ]


def test_a_long_curve_is_thinned_and_keeps_its_ends(tmp_path):
    drawn = curves(gather([make_run(tmp_path / "long", epochs=500)]).groups[0])
    mine = drawn[drawn.backend == "torch"]
    assert len(mine) <= POINTS + 10
    assert list(mine.epoch[:3]) == [1, 2, 3]
    assert mine.epoch.max() == 500
    assert mine.marked.sum() >= 5


def test_throughput_is_held_against_concise(tmp_path):
    pairs = (("jax", "concise"), ("jax", "scratch"))
    table = epoch_throughput(gather([make_run(tmp_path / "run", pairs, epochs=100)]).groups[0])
    scratch = table.set_index("variant").loc["scratch"]
    assert scratch.ratio == pytest.approx(0.1 / 0.15, rel=0.1)
    assert scratch.verdict == "slower"
    assert scratch.ratio_low < scratch.ratio < scratch.ratio_high


def test_texts_that_agree_are_told_once(tmp_path):
    run = make_run(tmp_path / "run", PAIRS)
    samples = (run / "samples.csv").read_text(encoding="utf-8").splitlines()
    samples[-1] = samples[-1].replace("and on", "and off")
    (run / "samples.csv").write_text("\n".join(samples) + "\n", encoding="utf-8")
    section = told(run)["samples"]
    (block,) = [b for b in section.blocks if isinstance(b, Texts)]
    assert [voice.unanimous for voice in block.epochs[10]] == [True]
    first, second = block.epochs[20]
    assert (len(first.writers), len(second.writers)) == (len(PAIRS) - 1, 1)
    assert (second.prefix, second.text[: second.agrees]) == ("the clock", " and o")
    assert section.answer == "After epoch 20, 0 of 1 texts are the same from all 5."


def test_the_published_band_is_drawn_where_the_settings_are_the_recipes():
    recipe = recipes()["time-machine"]
    assert recipe.published_for(experiment_of("time-machine", {"seed": 3}))[0].high == 1.2
    assert not recipe.published_for(experiment_of("time-machine", {"lr": 0.5}))


def test_the_rosetta_view_holds_every_function_of_every_framework(study):
    topics = rosetta()
    assert list(topics) == list(TOPICS)
    for excerpts in topics.values():
        assert [each.backend for each in excerpts] == ["mxnet-style", "torch", "jax", "tensorflow"]
        for each in excerpts:
            ast.parse(each.code)
            file = source_file(each.backend, "scratch").read_text(encoding="utf-8")
            assert all(part in file for part in each.code.strip().split("\n\n\n"))
            assert html.unescape(re.sub(r"<[^>]*>", "", each.html)).strip() == each.code.strip()
    (view,) = [b for b in told(study)["source_side_by_side"].blocks if isinstance(b, Rosetta)]
    assert list(view.frameworks.values()) == ["MXNet style", "PyTorch", "JAX", "TensorFlow"]


def test_the_rosetta_view_says_whether_its_source_is_that_of_the_run(study, tmp_path):
    assert "the source that ran" in told(study)["source_side_by_side"].blocks[1].text
    older = make_run(tmp_path / "older")
    facts = json.loads((older / "run.json").read_text(encoding="utf-8"))
    facts["source"]["sha256"] = "1" * 64
    (older / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    assert "has changed" in told(older)["source_side_by_side"].blocks[1].text


def test_code_is_counted_without_blanks_comments_and_docstrings(tmp_path):
    file = tmp_path / "code.py"
    file.write_text('"""Doc\nstring."""\n\n# comment\nx = [\n    1,  # one\n]\ny = """\ntext"""\n')
    assert lines_of_code(file) == 5


def test_every_colour_has_a_dark_one_and_none_is_shared():
    colours = [look.light for look in LOOKS.values()]
    assert len(set(colours)) == len({look.shape for look in LOOKS.values()}) == len(LOOKS)
    assert set(colours) < set(dark_colours())


def test_a_foreign_folder_is_refused_and_nothing_is_written(tmp_path):
    (tmp_path / "foreign").mkdir()
    with pytest.raises(RequestError, match="not a run folder"):
        write_report([tmp_path / "foreign"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    run = make_run(tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be written"):
        write_report([run], tmp_path / "file")


def test_a_report_that_fails_costs_nothing(tmp_path, capsys):
    run = make_run(tmp_path / "run")
    (run / "samples.csv").unlink()
    add_report(run, None)
    assert "no report: RequestError" in capsys.readouterr().err
    assert not (run / "report.html").exists()
