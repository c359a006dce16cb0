"""Texts that are read from right to left, as a browser lays them out."""

from common.experiment import Experiment
from harness.report.build import write_report
from harness.run.progress import Silent
from harness.run.train import RunRequest, run


def test_samples_captions_and_settings_are_read_in_their_own_direction(tmp_path, visit):
    (tmp_path / "mine.txt").write_text("שלום (12%) abc. می\u200cخو " * 40, encoding="utf-8")
    settings = {"num_hiddens": 4, "batch_size": 2, "num_steps": 5, "num_epochs": 1, "num_preds": 9}
    settings |= {
        "corpus": str(tmp_path / "mine.txt"),
        "prefixes": ("abc", "שלום (12%", "می\u200cخو"),
    }
    run(RunRequest("it", Experiment(**settings), ("mxnet-style",), out=tmp_path / "run"), Silent())
    open_ = visit(write_report([tmp_path / "run"], tmp_path / "run"))
    open_.unfold()
    page = open_.page
    reads = "all => all.map((each) => getComputedStyle(each).direction)"
    assert page.eval_on_selector_all(".writing", reads) == ["ltr", "rtl", "rtl"]
    assert page.eval_on_selector_all(".texts > summary bdi", reads) == ["ltr", "rtl", "rtl"]
    assert page.eval_on_selector_all(".texts > summary", reads) == ["ltr"] * 3
    assert "می\u200cخو" in page.inner_text(".texts:last-of-type .writing")
    cells = page.eval_on_selector_all("td bdi", "all => all.map((each) => each.textContent)")
    assert any("שלום" in cell for cell in cells)
