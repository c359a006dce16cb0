"""Names of cells, which are folders wherever they are run, whatever is in a setting."""

import pytest

from harness.study.again import alone_of
from harness.study.grid import Grid, Study, cells


@pytest.mark.parametrize(
    "prefix", ["時間旅行者" * 40, "../../../etc", "a\nb\0c", "\N{GRINNING FACE}" * 80, "~ $(x) `y`"]
)
def test_a_name_is_one_folder_that_every_file_system_takes(tmp_path, prefix):
    grid = Grid(name="texts", question="?", vary={"prefixes": [[prefix], [prefix, "b"]]})
    study = Study(title="x", backends=("mxnet-style",), grid=(grid,))
    names = [cell.name for cell in cells(study)]
    assert len({*names}) == 2
    for name in names:
        folder = alone_of(tmp_path / name, ("tensorflow@2.16.1", "concise"))
        folder.mkdir()
        assert folder.parent == tmp_path
        assert len(name.splitlines()) == 1
