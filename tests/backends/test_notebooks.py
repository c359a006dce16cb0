"""Every notebook runs from top to bottom in every backend, and what it finds is true.

By default each backend runs one, so that all are run; ``--every-notebook`` runs all in each.
"""

import re
import sys

import nbformat
import pytest

from common import sources
from harness.notebook.build import cell_file
from harness.notebook.execute import run_cells
from harness.notebook.write import write_notebook
from rnn_rosetta_suite.haste import XLA_FLAGS

SMALLER = {
    "000": [
        ("num_steps = 32, 35", "num_steps = 32, 8"),
        ("num_epochs = 1, 25", "num_epochs = 1, 8"),
    ],
    "001": [("= 4, 35, 32,", "= 4, 8, 32,")],
    "002": [("= 1000, 32, 32, 1, 1, 5", "= 1000, 8, 32, 1, 1, 3")],
    "003": [("max_epochs = 10 ", "max_epochs = 3 ")],
}
"""Fewer steps, for which a framework compiles sooner; all else is run as it was written."""

OFFLINE = ("000",)
"""Run as on a machine that has no corpus but the embedded one; the others take what is here."""

DOWNLOADING = ("003",)
"""Fetch the published text themselves, as their chapter does."""

FIRST = """
import sys
assert sys.executable == {executable!r}
"""

GIVEN = "batch_size, num_steps = ", "X = "
"""Beginnings of lines that an exercise gives above a blank."""

EXERCISE = """
assert tuple(sample.shape) == tuple(labels.shape) == (32, 8)
assert as_numpy(x_one_hot).shape == (2, len(vocab))
assert as_numpy(x_one_hot).argmax(axis=1).tolist() == [0, 2]
assert tuple(inputs.shape) == (5, 2, len(vocab)) and tuple(new_state[0].shape) == (2, 64)
assert before > 0.1 and abs(clipped - 0.1) < 1e-6
assert len(vocab) > curve[0] > curve[-1] > 1 and curve[-1] < 17, curve
assert all(text.startswith(prefix) for text, prefix in zip(texts, prefixes, strict=True))
assert all(text.startswith(prefixes[0]) for text in samples.values())
assert len(texts[0]) >= len(prefixes[0]) + 50 and difference < 1e-6
assert len(check.verdicts) == 11
"""

CLAIMS = {
    "000": f"""
{EXERCISE}
assert all(verdict.startswith("not yet: ") for verdict in check.verdicts.values()), check.verdicts
""",
    "000 filled in": f"""
{EXERCISE}
assert {{*check.verdicts.values()}} == {{"right"}}, check.verdicts
""",
    "001": """
assert len(inputs) == 5 and tuple(inputs[0].shape) == (2, vocab_size)
assert tuple(state_new[0].shape) == (2, 64)
for each in random_curve, consecutive_curve:
    assert len(each) == 4 and each[0] > each[-1] > 1 and each[-1] < vocab_size / 2, each
""",
    "002": """
assert tuple(outputs.shape) == (1000 * 8, len(vocab)) and tuple(state.shape) == (1000, 32)
assert sizes["he_normal"][-1] > 5 * sizes["normal"][-1]
assert start > val_ppl[0] > val_ppl[-1] > 1 and train_ppl[0] > train_ppl[-1] > 1
assert normal_ppl > train_ppl[-1]
""",
    "003": """
def shown(end):
    return [Out[number] for number, cell in enumerate(In) if cell.endswith(end)]


assert 0.04 < errors[1] < 0.1 < errors[64], errors
assert exponents[0] > exponents[1] > exponents[2] > 0, exponents
(one,) = map(as_numpy, shown("d2l.concat((W_xh, W_hh), 0))"))
(two,) = map(as_numpy, shown("d2l.matmul(X, W_xh) + d2l.matmul(H, W_hh)"))
assert two.shape == (3, 4) and np.abs(two - one).max() < 1e-5
assert tuple(outputs.shape) == (2, 100, 16) and tuple(as_numpy(X).shape) == (100, 2, 16)
assert (len(corpus), len(data.vocab)) == (173_428, 28)
for history in scratch_history, trainer.history:
    assert [row["epoch"] for row in history] == [1, 2, 3]
    for ppl in "train_ppl", "val_ppl":
        first, *_, last = (row[ppl] for row in history)
        assert len(data.vocab) > first > last > 1, history
for text in shown("d2l.try_gpu())"):
    assert text.startswith("it has") and len(text.replace("<unk>", "?")) == len("it has") + 20
assert len(shown("d2l.try_gpu())")) == 2
verdicts = [Out[n] for n, cell in enumerate(In) if "verdict(" in cell and n in Out]
assert verdicts == ["not yet: nothing is returned"] * 4, verdicts
for solution, theirs, arguments in (
    (RNNScratch.forward, d2l.RNNScratch.forward, (reference.rnn, inputs)),
    (RNNLMScratch.output_layer, d2l.RNNLMScratch.output_layer, (reference, hiddens)),
    (RNNLMScratch.predict, d2l.RNNLMScratch.predict, (reference, "time", 12, data.vocab)),
    (enough, enough, (terms,)),
):
    assert verdict(solution, theirs, *arguments) == "right"
assert norms[1][0] > norms[1][-1]
assert abs(estimates.mean() - full) < abs(truncated - full)
""",
}
"""What must be true at the end of each notebook, in its own names."""


def test_a_notebook_runs(tmp_path, monkeypatch, backend, document):
    monkeypatch.setenv("XLA_FLAGS", XLA_FLAGS)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # with it, a kernel does not show what C++ logs
    claims = CLAIMS[document]
    document, _, filled = document.partition(" ")
    if document in OFFLINE:
        monkeypatch.setenv(sources.DATA_VARIABLE, str(tmp_path))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if document == "003" and not cell_file(backend).exists():
        pytest.skip(f"{document} is not written in {backend} yet")
    path = tmp_path / "it.ipynb"
    write_notebook(document, backend, path)
    notebook = smaller(path, SMALLER[document])
    if filled:
        fill_in(notebook)
    said = execute(notebook, claims)
    if document == "000":
        verdicts = re.findall(r"^\S.*: (right|not yet: .+)$", said, re.MULTILINE)
        assert len(verdicts) == 11
    if document not in DOWNLOADING:
        published = sources.available("lyrics" if document == "001" else "time-machine") is None
        assert ("the published text\n" if published else "the embedded text:") in said
    assert re.search("image/(png|svg)", str(notebook))


def smaller(path, replacements):
    """The notebook in a file, with other settings."""
    text = path.read_text(encoding="utf-8")
    for old, new in replacements:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return nbformat.reads(text, as_version=4)


def fill_in(notebook):
    """Put each solution into its blank, which stands two cells before."""
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and cell.source.startswith("<details>"):
            blank, check = notebook.cells[i - 2 : i]
            assert "..." in blank.source
            assert "check." in check.source
            (solution,) = re.findall(
                r"^~~~python\n(.*?)\n~~~$", cell.source, re.DOTALL | re.MULTILINE
            )
            kept = [line for line in blank.source.splitlines() if line.startswith(GIVEN)]
            blank.source = "\n".join([*kept, solution])


def execute(notebook, claims):
    """Run all cells and then the claims, by this Python; what they print. A warning fails."""
    first = nbformat.v4.new_code_cell(FIRST.format(executable=sys.executable))
    last = nbformat.v4.new_code_cell(claims)
    notebook.cells = [first, *notebook.cells, last]
    run_cells(notebook, {}, timeout=240)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    return "".join(output.get("text", "") for output in outputs)
