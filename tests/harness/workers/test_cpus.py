"""CPUs: the smaller of affinity and quota, as control groups of both versions tell it."""

import pytest

from harness.records.provenance import machine
from harness.workers import cpus


def tell(tmp_path, groups, files):
    (tmp_path / "cgroup").write_text(groups, encoding="utf-8")
    for name, content in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "cgroup", tmp_path / "mount"


V1 = "5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n"


@pytest.mark.parametrize(
    ("groups", "files", "granted"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/pod/box\n", {"pod/cpu.max": "200000 100000", "pod/box/cpu.max": "max 100000"}, 2.0),
        ("0::/pod/box\n", {"pod/cpu.max": "400000 100000", "pod/box/cpu.max": "50000 100000"}, 0.5),
        ("0::/elsewhere\n", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/\n", {"cpu.max": "max 100000\n"}, float("inf")),
        ("0::/\n", {}, float("inf")),
        ("", {"cpu.max": "100000 100000"}, float("inf")),
        ("0::/\n", {"cpu.max": "nonsense"}, float("inf")),
        (
            V1,
            {
                f"cpu,cpuacct/docker/a/cpu.cfs_{n}_us": v
                for n, v in (("quota", "200000"), ("period", "100000"))
            },
            2.0,
        ),
        (
            V1,
            {
                f"cpu,cpuacct/cpu.cfs_{n}_us": v
                for n, v in (("quota", "50000"), ("period", "100000"))
            },
            0.5,
        ),
        (
            V1,
            {f"cpu/cpu.cfs_{n}_us": v for n, v in (("quota", "-1"), ("period", "100000"))},
            float("inf"),
        ),
    ],
)
def test_quota(tmp_path, groups, files, granted):
    assert cpus.quota(*tell(tmp_path, groups, files)) == granted


@pytest.mark.parametrize(
    ("affinity", "quota", "used"),
    [
        ([0, 1, 2, 3], float("inf"), [0, 1, 2, 3]),
        ([0, 1, 2, 3], 2.5, [0, 1]),
        ([4, 5], 8.0, [4, 5]),
        ([4, 5], 0.5, [4]),
    ],
)
def test_threads_are_the_smaller_of_affinity_and_quota(monkeypatch, affinity, quota, used):
    monkeypatch.setattr(cpus, "affinity", lambda: affinity)
    monkeypatch.setattr(cpus, "quota", lambda: quota)
    assert cpus.usable_cpus() == used
    told = machine()
    assert (told["affinity"], told["cores_used"]) == (len(affinity), len(used))
    assert told["cpu_quota"] == (None if quota == float("inf") else quota)
    assert cpus.fewer_than_asked(None) == cpus.fewer_than_asked(len(used)) == ""
    said = cpus.fewer_than_asked(len(used) + 1)
    why = "a quota of" if quota < len(affinity) else "the CPUs there are"
    assert said.startswith(f"--threads {len(used) + 1}: {len(used)} used, for {why}")
