"""Charts drawn by a process of their own, which may fail without the report."""

import gzip
import json
import os
import re
import resource
import subprocess
import sys
from base64 import b64decode

import pytest
from altair.utils import schemapi

from harness.page import drawing, kept
from harness.page.blocks import Chart, figures
from harness.page.drawing import DrawingError, draw
from harness.paths import ROOT
from harness.report.build import write_report
from harness.report.groups import gather
from harness.report.sections import sections
from tests.harness.made_runs import make_run

pytestmark = pytest.mark.drawn


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("drawing") / "run")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache")
    return tmp_path / "cache"


def unpacked(page, name):
    return gzip.decompress(b64decode(re.search(rf'id="{name}">([^<]*)<', page)[1])).decode()


def test_a_damaged_bundle_is_made_anew(run, cache, monkeypatch):
    (one, *_) = figures(sections(gather([run])))
    asked = []

    def ask(request):
        asked.append(request["bundle"])
        return {"vega": {one.name: {}}, "pictures": {}, "bundle": request["bundle"] and "λ = 1;"}

    monkeypatch.setattr(drawing, "_ask", ask)
    assert draw([one]).bundle == "λ = 1;"
    (kept,) = (cache / "drawn").iterdir()
    whole = kept.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"\xff" + whole[1:], whole[:-1] + b"\xff"):
        kept.write_bytes(damaged)
        assert draw([one]).bundle == "λ = 1;"
        assert kept.read_bytes() == whole
        assert draw([one]).bundle == "λ = 1;"
    assert asked == [True] * 2 + [False, True] * 3 + [False]


FAULTS = {
    "aborts": ("import os; os.abort()", "the chart library ended with SIGABRT"),
    "raises": ("raise ValueError('no\\nsuch scale')", "the chart library failed: such scale"),
    "is silent": ("raise SystemExit(3)", "the chart library failed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_report_without_pictures_says_so(run, tmp_path, monkeypatch, capsys, fault):
    program, reason = FAULTS[fault]
    (tmp_path / "draw.py").write_text(program, encoding="utf-8")
    monkeypatch.setattr(drawing, "PROGRAM", tmp_path / "draw.py")
    page = write_report([run], tmp_path / "report").read_text("utf-8")
    assert capsys.readouterr().err == f"note: the report has no pictures: {reason}\n"
    assert page.count(f"Without pictures: {reason}") == 1
    assert json.loads(unpacked(page, "figures"))["charts"] == {}
    assert 'class="drawing"' not in page
    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "](figures/" not in text
    assert not (tmp_path / "report" / "figures").exists()
    grids = [b.grid.caption for s in sections(gather([run])) for b in s.blocks if type(b) is Chart]
    assert grids
    assert all(caption.partition(",")[0] in page for caption in grids)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_limit_of_memory_costs_the_pictures_alone(run, cache, monkeypatch):
    """The chart library needs address space for itself, and ends its process where it gets none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    (one, *_) = figures(sections(gather([run])))
    start = drawing.subprocess.Popen

    def limited(*arguments, **named):
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, hard))
        try:
            return start(*arguments, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    monkeypatch.setattr(drawing.subprocess, "Popen", limited)
    with pytest.raises(DrawingError, match="the chart library"):
        draw([one])


def test_no_process_left_for_drawing_costs_the_pictures_alone(run, cache, monkeypatch):
    def none(*arguments, **named):
        raise BlockingIOError(11, os.strerror(11))

    monkeypatch.setattr(drawing.subprocess, "Popen", none)
    (one, *_) = figures(sections(gather([run])))
    with pytest.raises(DrawingError, match="the limit of processes and threads"):
        draw([one])


def test_a_chart_is_drawn_once(run, cache, monkeypatch):
    """Another program draws it anew, and so is what is damaged."""
    few = figures(sections(gather([run])))[:3]
    asked = []
    draw_at_once = drawing._draw_at_once

    def remember(requests):
        asked.append(sorted(name for each in requests for name in each["charts"]))
        return draw_at_once(requests)

    monkeypatch.setattr(drawing, "_draw_at_once", remember)
    monkeypatch.setattr(drawing, "usable_cpus", lambda: [0, 1])
    first = draw(few)
    assert draw(few) == first
    pictures = [path for path in (cache / "drawn").iterdir() if path.suffix == ".json"]
    assert len(pictures) == 3
    pictures[0].write_bytes(pictures[0].read_bytes()[:-1])
    assert draw(few) == first
    names = sorted(each.name for each in few)
    assert asked[0] == names
    assert asked[1] == []
    assert len(asked[2]) == 1
    other = cache / "draw.py"
    other.write_text(drawing.PROGRAM.read_text("utf-8") + "\n# mended\n", encoding="utf-8")
    monkeypatch.setattr(drawing, "PROGRAM", other)
    draw(few)
    assert asked[3] == names


def test_what_is_kept_does_not_grow_without_end(cache, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 3)
    for number in range(5):
        kept.keep(str(number), "it")
        os.utime(cache / "drawn" / str(number), (number, number))
    assert [kept.read(str(number)) for number in range(5)] == [None, None, "it", "it", "it"]


def test_charts_are_validated_in_tests_alone():
    assert schemapi.DEBUG_MODE
    code = "from altair.utils import schemapi; from harness.page import figure; "
    code += (
        "import altair; assert not schemapi.DEBUG_MODE; altair.Chart(mark=3).to_dict(validate=0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
