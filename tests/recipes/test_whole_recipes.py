"""Every recipe, whole, in every installed backend: the published figures must come out."""

import pytest

import backends
from harness.recipes import experiment_of, recipes
from harness.run.progress import Silent
from harness.run.tables import curves
from harness.run.train import RunRequest, run
from harness.workers.interpreters import missing

PUBLISHED = [name for name, recipe in recipes().items() if recipe.published]
INSTALLED = tuple(name for name in backends.by_default() if not missing(name, {}))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_figures_come_out(tmp_path, name):
    result = run(
        RunRequest(name, experiment_of(name, {}), INSTALLED, out=tmp_path / "run"), Silent()
    )
    assert {row.backend: row.status for row in result.rows} == {
        row.backend: "ok" for row in result.rows
    }
    found = curves(result.folder)
    outside = [
        (row.backend, band.epoch, found[row.backend, row.variant, band.epoch])
        for row in result.rows
        for band in recipes()[name].published
        if not band.holds(*found[row.backend, row.variant, band.epoch])
    ]
    assert outside == []
