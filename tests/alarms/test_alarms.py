"""Alarms of ``bench`` and ``compare``: how many are false, and how many true ones are missed.

Three campaigns on this very machine, which should have nothing else to do: contests of the same
code under two names, half of them beside a process that is busy; pairs of them, compared; contests
in which one of the two is a tenth slower. By default that is a try of two contests each; with
``--whole`` it is all, in 25 minutes, and the bars hold.
"""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from harness.paths import ROOT
from harness.records.reading import read_bench

SHAPE = "32x16x64x28"
CONTEST = f"--variant scratch --shape {SHAPE} --quiet".split()
SAME_SECONDS, PLANTED_SECONDS = 12, 30

ENTRY = 'from backends import Entry\n\nENTRY = Entry(distributions=("numpy",))\n'
PLUGIN = '''
"""The embedded engine under another name; each step takes so much longer than it would."""
import time

from backends.mxnet_style import backend
from backends.mxnet_style.backend import compilations, describe

LONGER = {longer}


def build(experiment, variant, weights):
    model = backend.build(experiment, variant, weights)
    step = model.train_step

    def longer(X, Y, state):
        start = time.perf_counter()
        found = step(X, Y, state)
        end = start + (1 + LONGER) * (time.perf_counter() - start)
        while time.perf_counter() < end:
            pass
        return found

    if LONGER:
        model.train_step = longer
    return model
'''


@dataclass
class Size:
    """Numbers of contests of a campaign, and of those of them that may go wrong."""

    same: int
    differences: int
    pairs: int
    regressions: int
    planted: int
    missed: int


@pytest.fixture(scope="module")
def size(request):
    whole = request.config.getoption("whole")
    return Size(40, 2, 20, 1, 20, 1) if whole else Size(4, 4, 2, 2, 2, 2)


def plugin(folder, name, longer=0.0):
    path = folder / name
    path.mkdir()
    (path / "__init__.py").write_text(ENTRY, encoding="utf-8")
    (path / "backend.py").write_text(PLUGIN.format(longer=longer), encoding="utf-8")
    return path


def harness(*words):
    command = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def contest(folder, plugins, seconds):
    """Time two plug-ins against each other; gives the contest, and how long all of it took."""
    start = time.perf_counter()
    named = [word for path in plugins for word in ("--plugin", path)]
    asked = ["--backend", ",".join(path.name for path in plugins), "--seconds", seconds]
    done = harness("bench", *CONTEST, *named, *asked, "--out", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return read_bench(folder), time.perf_counter() - start


@contextmanager
def beside_a_busy_process(busy):
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def same(tmp_path_factory, size):
    """Contests of the same code: two and two of them in a row, every other two beside a load."""
    folder = tmp_path_factory.mktemp("same")
    plugins = [plugin(folder, name) for name in ("one", "other")]
    found = []
    for number in range(size.same):
        busy = number // 2 % 2 == 1
        with beside_a_busy_process(busy):
            bench, seconds = contest(folder / str(number), plugins, SAME_SECONDS)
        print(_line("same", number, bench, seconds), "beside a load" if busy else "")
        found.append(bench)
    return found


def verdict(bench):
    (row,) = bench.comparisons[bench.comparisons.question == "best"].itertuples()
    return row.verdict


def _line(kind, number, bench, seconds):
    (row,) = bench.comparisons[bench.comparisons.question == "best"].itertuples()
    (shape,) = bench.facts["shapes"]
    told, quiet = shape["same"]["smallest"], shape["quiet"]
    return (
        f"{kind} {number}: {row.backend} {row.ratio:.3f} [{row.low:.3f}, {row.high:.3f}] "
        f"{row.verdict or 'withheld'}; smallest {told:.3f}; {quiet['disturbed']} of "
        f"{quiet['rounds']} rounds disturbed, others {quiet['others']:.1%}; {seconds:.0f} s"
    )


@pytest.mark.timeout(3600)
def test_the_same_code_differs_in_a_twentieth_of_contests_at_most(same, size):
    called = [verdict(bench) for bench in same]
    alone = [v for n, v in enumerate(called) if n // 2 % 2 == 0]
    differences = sum(word in ("faster", "slower") for word in called)
    print(f"{differences} of {len(called)} contests of the same code call a difference")
    print(f"{sum(not word for word in alone)} of {len(alone)} without a load have no verdict")
    assert differences <= size.differences


@pytest.mark.timeout(3600)
def test_pairs_of_the_same_code_seldom_regress(same, size):
    regressed = 0
    for old, new in zip(same[::2], same[1::2], strict=True):
        done = harness("compare", old.folder, new.folder, "--json")
        found = json.loads(done.stdout)
        regressed += bool(found["regressions"])
        changes = [(c["backend"], c["ratio"], c["verdict"], c["why"]) for c in found["changes"]]
        print(f"compare {old.folder.name} {new.folder.name}: {changes}, exit {done.returncode}")
    print(f"{regressed} of {size.pairs} pairs say regression")
    assert regressed <= size.regressions


@pytest.mark.timeout(3600)
def test_a_slowness_of_a_tenth_is_found_within_a_minute(tmp_path, size):
    plugins = [plugin(tmp_path, "one"), plugin(tmp_path, "slower", longer=0.1)]
    found = late = 0
    for number in range(size.planted):
        bench, seconds = contest(tmp_path / str(number), plugins, PLANTED_SECONDS)
        (row,) = bench.comparisons[bench.comparisons.question == "best"].itertuples()
        found += (row.backend, row.verdict) == ("one", "faster") and seconds < 60
        late += seconds >= 60
        print(_line("planted", number, bench, seconds))
    print(f"{found} of {size.planted} planted slow-downs of 10 % are found; {late} took too long")
    assert found >= size.planted - size.missed
