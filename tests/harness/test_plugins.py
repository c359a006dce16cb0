"""Plug-ins: with one, every command has another backend; one that is broken costs its row alone."""

import json
import shutil
import subprocess
import sys

import nbformat
import pandas as pd
import pytest

import backends
from backends import plugins
from harness.bench import turns
from harness.page.palette import OTHERS, looks
from harness.page.series import framework
from harness.records.provenance import source

BACKEND = '''
"""The reference as somebody else's framework."""
import numpy as np
from common.errors import unknown
from common.interface import Description
from common.places import place
from common.reference import Reference


def describe():
    return Description({"numpy": np.__version__}, ("cpu",), None, False, note="as NumPy rounds")


def compilations():
    return 0


def build(experiment, variant, weights):
    if variant != "scratch":
        raise unknown("variant", variant, ["scratch"])
    place(experiment.device, "this", {})
    return Own(experiment, weights, experiment.dtype)


class Own(Reference):
    pass
'''
SCRATCH = '''
def rnn(inputs, state, params):
    """A recurrence of somebody's own."""
    return own_steps(inputs)


def own_steps(inputs):
    return inputs
'''
ENTRY = "from backends import Entry\nENTRY = Entry({})\n"
LOOK = 'title="Own NumPy", colours=("#7a4a01", "#ffcc67")'
TINY = "--num-hiddens 8 --num-epochs 1 --max-tokens 300 --batch-size 16 --num-steps 10".split()
TINY += "--num-preds 3 --baselines off".split()


def package(folder, name, entry=LOOK, backend=BACKEND):
    """A plug-in that is a package; gives its folder."""
    made = folder / name
    made.mkdir(parents=True)
    files = {"__init__.py": ENTRY.format(entry), "backend.py": backend, "scratch.py": SCRATCH}
    for file, content in files.items():
        (made / file).write_text(content, encoding="utf-8")
    return made


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder where plug-ins are installed: on the path of this process and of its workers.

    But for them, `mxnet-style` is the only backend.
    """
    folder = tmp_path / "site"
    folder.mkdir()
    before = {*sys.modules}
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(backends, "BACKENDS", {"mxnet-style": backends.BACKENDS["mxnet-style"]})
    plugins._found.cache_clear()
    yield folder
    plugins._found.cache_clear()
    for name in {*sys.modules} - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def install(site, **points):
    """Install entry points, as pip does it."""
    made = site / "of_others-1.0.dist-info"
    made.mkdir()
    lines = [f"{name.replace('_', '-')} = {value}" for name, value in points.items()]
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: of-others\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("\n".join([f"[{plugins.GROUP}]", *lines, ""]))
    plugins._found.cache_clear()


def listed(here):
    done = here("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return {each["backend"]: each for each in json.loads(done.stdout)["backends"]}


def test_what_is_installed_is_listed_trained_reported_and_asked_for_text(site, here, tmp_path):
    package(site, "own_numpy")
    install(site, own_numpy="own_numpy:ENTRY")
    assert listed(here)["own-numpy"]["note"] == "as NumPy rounds"
    done = here("run", *TINY, "--backend", "own-numpy", "--out", "run", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for shown in ("Own NumPy", "#7a4a01", "own_steps", "own_numpy/scratch.py", "as NumPy rounds"):
        assert shown in page
    saved = "run/checkpoints/own-numpy-scratch-0.safetensors"
    texts = here("predict", "--checkpoint", saved, "--json")
    assert {each["backend"] for each in json.loads(texts.stdout)} == {"mxnet-style", "own-numpy"}

    shutil.rmtree(site / "of_others-1.0.dist-info")
    plugins._found.cache_clear()
    assert list(listed(here)) == ["mxnet-style"]
    assert "unknown backend 'own-numpy'" in here("run", "--backend", "own-numpy").stderr
    assert framework("own-numpy") == "own-numpy"
    assert looks(["own-numpy"])["own-numpy"] in OTHERS


def test_it_is_proved_and_timed_and_may_lack_what_is_optional(site, here, tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.01)
    package(site, "own_numpy")
    package(site, "no_build", *BROKEN["no-build"][:2])
    install(site, own_numpy="own_numpy:ENTRY", no_build="no_build:ENTRY")
    asked = "--backend", "own-numpy", "--out", "it"
    done = here("parity", *asked, "--dtype", "float64", "--steps", 3)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    shape = "--shape 2x3x4x5 --rounds 2 --quiet --out it --variant scratch".split()
    done = here("bench", *shape)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no-build scratch: no figures: its plug-in is broken" in " ".join(done.stdout.split())
    timed = pd.read_csv(tmp_path / "it" / "bench.csv").backend
    assert {"own-numpy", "mxnet-style"} <= {*timed}
    assert "no-build" not in {*timed}
    for command, options in {"sequence": [], "bptt": ["--corpus", "embedded"]}.items():
        done = here(command, *asked, *options)
        assert done.returncode == 1
        assert f"own-numpy does not have the section {command}" in done.stdout + done.stderr


def test_a_record_knows_the_source_of_every_plugin(site, tmp_path):
    assert "plugins" not in source()
    code = next(package(site, "own_numpy").rglob("backend.py"))
    install(site, own_numpy="own_numpy:ENTRY")
    first = source()["plugins"]
    code.write_text(f"{code.read_text()}# changed\n")
    assert [*source()["plugins"]] == [*first] == ["own-numpy"]
    assert source()["plugins"] != first


def test_a_plugin_at_a_path_has_a_notebook_that_runs(site, here, tmp_path):
    path = package(tmp_path / "elsewhere", "own_numpy")
    asked = "--plugin", path, "--backend", "own-numpy"
    done = here("notebook", "it.ipynb", "--seed-document", "000", *asked, "--execute")
    assert done.returncode == 0, done.stderr
    made = nbformat.read(tmp_path / "it.ipynb", as_version=4)
    nbformat.validate(made)
    said = str([cell.get("outputs") for cell in made.cells])
    assert "perplexity" in said
    assert "A recurrence of somebody" in str([cell.source for cell in made.cells])
    done = here("notebook", "001.ipynb", "--seed-document", "001", *asked)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "seed document 001 is not written in own-numpy: it has 000 alone" in done.stderr


def test_a_plugin_may_be_one_file_and_in_float32_alone(site, here, tmp_path):
    path = tmp_path / "own_file.py"
    entry = ENTRY.format('dtypes=("float32",)')
    path.write_text(entry + BACKEND + SCRATCH, encoding="utf-8")
    asked = "--plugin", path, "--backend", "own-file", "--out", "parity", "--force"
    assert here("parity", *asked, "--steps", 3).returncode == 0
    found = pd.read_csv(tmp_path / "parity" / "parity.csv")
    assert set(found["dtype"]) == {"float32"}
    assert "two layers" not in set(found.case)
    done = here("parity", *asked, "--dtype", "float64")
    assert done.returncode == 1
    assert "own-file computes in float32 alone, not in --dtype float64" in done.stdout
    page = (tmp_path / "run").as_posix()
    asked = "--plugin", path, "--backend", "own-file", "--quiet"
    done = here("run", *TINY, *asked, "--out", page)
    assert done.returncode == 0, done.stderr
    done = here("run", *TINY, *asked, "--out", "gpu", "--device", "gpu:1")
    assert "--device gpu:1: this sees no GPU here; use cpu or auto" in done.stdout
    assert set(pd.read_csv(tmp_path / "gpu" / "summary.csv").status) == {"unavailable"}
    assert "own_file.py, line" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


BROKEN = {
    "raises": ("1 / 0", BACKEND, "ZeroDivisionError: division by zero"),
    "exits": ("__import__('sys').exit(3)", BACKEND, "SystemExit: 3"),
    "no-colours": ("colours=('red', 'blue')", BACKEND, "ValidationError: 2 validation errors"),
    "of-another-kind": ("); ENTRY = dict(", BACKEND, "it gives a dict for an Entry"),
    "no-backend": ("", "raise ValueError('not\\ntoday')", "ValueError: not today"),
    "no-build": ("", BACKEND.split("def build")[0], "no_build.backend has no build"),
}


def test_whatever_is_broken_costs_its_own_row_alone(site, here, tmp_path):
    for name, (entry, backend, _) in BROKEN.items():
        package(site, name.replace("-", "_"), entry, backend)
    modules = {name: name.replace("-", "_") for name in BROKEN}
    install(site, **{modules[name]: f"{modules[name]}:ENTRY" for name in BROKEN})
    done = here("run", *TINY, "--out", "run", "--quiet")
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "run" / "summary.csv").set_index("backend")
    assert rows.status["mxnet-style"] == "ok"
    found = listed(here)
    for name, (_, _, reason) in BROKEN.items():
        assert rows.status[name] == "unavailable"
        for told in (rows.reason[name], found[name]["reason"]):
            assert told.startswith(f"its plug-in is broken: {reason}")
            assert "\n" not in told
    saved = "run/checkpoints/mxnet-style-scratch-0.safetensors"
    assert here("predict", "--checkpoint", saved).returncode == 0
    (tmp_path / "books").mkdir()
    done = here("notebook", "books", "--seed-document", "000")
    assert done.returncode == 0, done.stderr


def test_names_of_the_house_cannot_be_taken(site, here, tmp_path):
    package(site, "own_numpy")
    install(site, mxnet_style="own_numpy:ENTRY", null="own_numpy:ENTRY", Own="own_numpy:ENTRY")
    known = backends.registry()
    assert known["mxnet-style"] is backends.BACKENDS["mxnet-style"]
    reasons = {name: entry.broken for name, entry in known.items() if entry.broken}
    assert reasons == {
        "mxnet-style-of-of-others": "there is a backend of the name mxnet-style already",
        "null-of-of-others": "there is a backend of the name null already",
        "own-of-of-others": "a backend cannot have the name 'Own': small letters, digits and "
        "single hyphens",
    }
    for name, said in {
        "floor.py": "there is a backend of the name floor already: rename it",
        "absent.py": "no module (.py) and no folder of a package there",
        "two words.py": "a module cannot have this name: rename it",
    }.items():
        if name != "absent.py":
            (tmp_path / name).write_text("")
        done = here("list", "--plugin", tmp_path / name)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert said in done.stderr


def test_what_a_plugin_requires_is_installed_as_it_says(site):
    package(site, "one", "requires=('no_such.part',)")
    package(site, "two", "requires=('no_such',), install='conda install it'")
    install(site, one="one:ENTRY", two="two:ENTRY")
    assert backends.missing("one") == "no_such.part not installed: pip install no_such.part"
    assert backends.missing("two") == "no_such not installed: conda install it"


def test_a_worker_of_the_house_looks_for_no_plugin(site):
    package(site, "own_numpy", "1 / 0")
    install(site, own_numpy="own_numpy:ENTRY")
    backends.load("mxnet-style")
    assert backends.missing("mxnet-style") is None
    assert plugins._found.cache_info().misses == 0


def test_the_suite_knows_a_plugin_by_its_path(tmp_path):
    path = package(tmp_path, "own_numpy", 'dtypes=("float32",)')
    suite = "-p rnn_rosetta_suite.options --pyargs rnn_rosetta_suite -rs".split()
    suite += ["-p", "no:cacheprovider"]
    chosen = ["-k", "describes or warming or other_variants or window_of_one or temperature"]
    command = [sys.executable, "-m", "pytest", *suite, *chosen, "-c", "/dev/null"]
    command += ["--backend", "own-numpy", "--plugin", str(path), f"--rootdir={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "own-numpy does not have the section sequence" in done.stdout
    assert "own-numpy is the chapter's network alone: it has no --num-layers 2" in done.stdout
