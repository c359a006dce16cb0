"""Notebooks of the repository are what the sources write today, and were run from top to bottom."""

import base64
import io
import json
import re
from xml.etree import ElementTree

import nbformat
import pytest
from PIL import Image

from backends import BACKENDS
from harness.notebook.build import DOCUMENTS, assemble, file_name, render
from harness.paths import ROOT

FOLDER = ROOT / "notebooks"
NOTEBOOKS = {
    file_name(document, backend): (document, backend)
    for document in DOCUMENTS
    for backend, entry in BACKENDS.items()
    if not entry.own_environment and not entry.on_request
}
PLACE = re.compile(
    r"(?<![\w.>])/(?:home|root|Users|tmp|var|usr|opt|work|content|mnt)/|[A-Z]:\\| at 0x[0-9a-f]"
)
"""A path or an address that is one machine's, or one run's."""


def read(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    return text, nbformat.reads(text, as_version=4)


def test_all_of_them_are_there_and_linked_to():
    assert {path.name for path in FOLDER.glob("[!.]*")} == {*NOTEBOOKS, "README.md"}
    for page, folder in (ROOT / "README.md", "notebooks/"), (FOLDER / "README.md", ""):
        links = re.findall(r"\(([^() ]+\.ipynb)\)", page.read_text(encoding="utf-8"))
        assert sorted(links) == sorted(folder + name for name in NOTEBOOKS)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3 * 2**20


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_cells_are_what_the_sources_write(name):
    text, kept = read(name)
    for number, cell in enumerate((c for c in kept.cells if c.cell_type == "code"), 1):
        assert cell.execution_count == number
        cell.execution_count = None
        cell.outputs = []
    assert text.endswith("}\n")
    assert f"{nbformat.writes(kept).rstrip()}\n" == assemble(render(*NOTEBOOKS[name]))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_outputs_are_whole_and_of_no_machine(name):
    _, kept = read(name)
    outputs = [output for cell in kept.cells for output in cell.get("outputs", ())]
    kinds = [output.get("name", output.output_type) for output in outputs]
    assert {*kinds} <= {"stdout", "execute_result", "display_data"}
    assert kinds.count("execute_result") > 5
    said = json.dumps(outputs, ensure_ascii=False)
    assert "the embedded text:" not in said
    pictures = 0
    for data in (output.get("data", {}) for output in outputs):
        assert {*data} <= {"text/plain", "text/markdown", "image/png", "image/svg+xml"}
        if "image/png" in data:
            Image.open(io.BytesIO(base64.b64decode(data.pop("image/png")))).verify()
            pictures += 1
        if "image/svg+xml" in data:
            assert ElementTree.fromstring(data["image/svg+xml"]).tag.endswith("svg")
            pictures += 1
    assert pictures >= 1
    shown = json.dumps(outputs, ensure_ascii=False)
    assert PLACE.findall(shown) == []
    assert max(map(len, map(json.dumps, outputs))) < 100_000
