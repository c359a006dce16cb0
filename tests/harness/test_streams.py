"""Output never ends a run, in whatever encoding the terminal is; see `test_console`, too."""

import json

import pytest

TEXT = "分开 不分开 naïve Ω ١٢ 😀 the quick brown fox jumps over the lazy dog\n" * 5


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_run_goes_on_and_its_json_is_json(tmp_path, here, encoding):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    small = "--backend mxnet-style --num-epochs 1 --num-hiddens 8 --batch-size 2 --num-steps 5"
    small += " --corpus text.txt --prefix 分开 --pred-period 1"
    for number, options in enumerate([[], ["--json"]]):
        out = tmp_path / str(number)
        done = here(*small.split(), "--out", out, *options, encoding=encoding)
        assert done.returncode == 0, done.stderr
        if options:
            assert json.loads(done.stdout)["rows"][0]["status"] == "ok"
        else:
            assert "分开" in done.stdout or r"\u5206\u5f00" in done.stdout
            assert "report.html" in done.stdout
        assert "分开" in (out / "samples.csv").read_text(encoding="utf-8")
