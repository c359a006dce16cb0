"""The charts of a scaling: which lines are drawn."""

from harness.page.blocks import figures
from harness.page.figure import MOST
from harness.paths import ROOT
from harness.report.build import told_of


def test_four_frameworks_and_the_floor_are_all_drawn():
    told = told_of([ROOT / "results" / "scale" / "num-hiddens"])
    for figure in figures(told.sections):
        titles = {*figure.table.title}
        assert {"PyTorch fused", "JAX fused", "TensorFlow fused", "MXNet style fused"} <= titles
        assert len(titles) <= MOST
        assert ("the floor" in titles) == figure.name.endswith("tokens-per-sec")
