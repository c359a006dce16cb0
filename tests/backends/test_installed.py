"""Descriptions by metadata alone: true, or none."""

import subprocess
import sys
from importlib import metadata

import pytest

import backends
from backends import installed
from harness.paths import ROOT


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Installs distributions that are made up, before all others."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(module, distribution, version):
        monkeypatch.delitem(sys.modules, module, raising=False)  # it would tell where it came from
        (tmp_path / module).mkdir(exist_ok=True)
        (tmp_path / module / "__init__.py").write_text("raise ImportError('never imported')")
        about = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        return about

    return install


def test_what_is_built_for_the_cpu_alone_is_described(site):
    site("torch", "torch", "9.1+cpu")
    found = installed.described("torch")
    assert (found.versions, found.devices, found.build) == ({"torch": "9.1+cpu"}, ("cpu",), "cpu")
    assert found.note == installed.NOT_IMPORTED


@pytest.mark.parametrize("version", ["9.1", "9.1+cu130", "9.1+rocm6.4"])
def test_a_build_for_gpus_is_asked_itself(site, version):
    site("torch", "torch", version)
    assert installed.described("torch") is None


@pytest.mark.parametrize(
    ("distribution", "alone"), [("tensorflow-cpu", True), ("tensorflow", False)]
)
def test_two_distributions_have_the_module_tensorflow(site, distribution, alone):
    site("keras", "keras", "9.2")
    site("tensorflow", distribution, "9.1")
    found = installed.described("tensorflow")
    assert (found and found.versions) == ({"tensorflow": "9.1", "keras": "9.2"} if alone else None)


@pytest.mark.parametrize("plugin", ["jax-cuda13-plugin", "jax_rocm7_plugin", "libtpu"])
def test_a_plugin_of_jax_makes_it_one_for_gpus(site, plugin, monkeypatch):
    for name in ("jax", "jaxlib", "flax", "optax"):
        site(name, name, "9.1")
    others = [each for each in metadata.distributions() if "plugin" not in str(each.name)]
    monkeypatch.setattr(metadata, "distributions", lambda: others)
    assert installed.described("jax").versions == dict.fromkeys(("jax", "jaxlib", "flax"), "9.1")
    others.append(metadata.PathDistribution(site("other", plugin, "9.1")))
    assert installed.described("jax") is None


def test_a_module_that_stands_before_the_installed_one_is_asked_itself(site, tmp_path):
    about = site("torch", "torch", "9.1+cpu")
    for file in about.iterdir():
        file.unlink()
    about.rmdir()
    assert installed.described("torch") is None


def test_a_plugin_of_ours_is_asked_itself(monkeypatch):
    entry = backends.Entry("own_backend", distributions=("numpy",))
    monkeypatch.setitem(backends.BACKENDS, "own", entry)
    assert installed.described("own") is None


def test_metadata_says_what_the_framework_says(backend):
    """Versions and build, of a backend that is described so; its framework is not imported."""
    found = installed.described(backend)
    if found is None:
        pytest.skip("it is asked itself")
    itself = backends.load(backend).describe()
    assert {name: itself.versions[name] for name in found.versions} == found.versions
    assert (itself.build, itself.devices) == (found.build, found.devices)


def test_no_framework_is_imported():
    code = "import sys, backends; from backends import installed\n"
    code += "[installed.described(n) for n in backends.BACKENDS if not backends.missing(n)]\n"
    code += "print({'torch', 'jax', 'tensorflow', 'keras', 'mxnet'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
