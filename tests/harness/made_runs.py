"""Run folders made without running: by the columns of the real ones, with plausible numbers."""

import csv
import json

import numpy as np
import pandas as pd

from common.experiment import Experiment
from harness.records.provenance import machine, source, versions
from harness.records.reading import EpochTable, ParityTable, SampleTable, SummaryTable
from harness.workers.protocol import Conditions, Prepared, Turn

NASTY = "</script><script>document.title='owned'</script> ``` | <b>**x** `y` \u202e\x1b[31m"
"""Text of a model that means harm, to HTML, to Markdown and to a terminal."""

BOTH = (("mxnet-style", "scratch"), ("torch", "scratch"))


def make_run(
    folder,
    pairs=BOTH,
    seed=0,
    epochs=20,
    recipe="quickstart",
    said=" and on",
    failed=(),
    **settings,
):
    """Write a run folder of some (backend, variant) pairs; those in `failed` have diverged.

    `said` is what the models write after the prefix. Settings replace those of the experiment.
    """
    experiment = Experiment.of(
        {"num_epochs": epochs, "pred_period": 10, "seed": seed, "prefixes": ["the clock"]}
        | settings
    )
    rng = np.random.default_rng(seed)
    curve = 1.1 + 27 * np.exp(-6 * np.arange(epochs) / epochs + 0.1 * seed)
    folder.mkdir(parents=True)
    tables = {"epochs": [], "summary": [], "samples": []}
    for number, pair in enumerate(pairs):
        row, last = [*pair, seed], epochs - 1
        seconds = (0.1 + 0.05 * number) * np.exp(rng.normal(0, 0.1, epochs))
        bad = pair in failed
        for epoch in range(epochs):
            perplexity = np.inf if bad and epoch == last else curve[epoch] * (1 + 1e-7 * number)
            validated = perplexity * 1.2 if experiment.sampling == "sliding" else ""
            tables["epochs"].append([*row, epoch + 1, perplexity, validated, 8960, seconds[epoch]])
        status = ["diverged", NASTY] if bad else ["ok", ""]
        speed = "" if bad else 8960 * epochs / seconds.sum()
        ending = [
            speed,
            0.5,
            seconds.sum(),
            "" if bad else 250.0,
            "",
            1e-7,
            1e-5,
            "equal",
            f"{pair[0]}=1.0",
            "",
        ]
        tables["summary"].append([*row, *status, "cpu", "float32", perplexity, validated, *ending])
        for epoch in range(10, epochs + 1, 10):
            tables["samples"].append([*row, epoch, "the clock", f"the clock{said}"])
    names = {"epochs": EpochTable, "summary": SummaryTable, "samples": SampleTable}
    for name, rows in tables.items():
        write_csv(folder / f"{name}.csv", names[name], rows)
    described = {"versions": {"numpy": "2"}, "devices": ["cpu"], "threads": 2, "tf32": False}
    corpus = {"name": experiment.corpus, "sha256": "0" * 64, "characters": 40000, "tokens": 10000}
    facts = {
        "recipe": recipe,
        "experiment": experiment.model_dump(mode="json"),
        "corpus": corpus | {"vocab_size": 28, "batches_per_epoch": 8},
        "resumed": None,
        "machine": machine(),
        "versions": versions(),
        "source": source(),
        "command": ["--recipe", recipe, "--seed", str(seed)],
        "backends": {backend: described for backend, _ in pairs},
        "started": "2026-01-02T03:04:05+00:00",
        "ended": "2026-01-02T03:14:05+00:00",
        "status": "finished",
    }
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def on_machine(folder, machine, shared=False):
    """Let the rows of a made run be of a machine, by an engine."""
    summary = pd.read_csv(folder / "summary.csv", dtype=str, keep_default_na=False)
    summary.assign(machine=machine).to_csv(folder / "summary.csv", index=False)
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    facts["engine"] = {
        "name": "ray", "host": machine, "attempt": 1, "cpus": [0], "gpus": [], "shared": shared
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def make_parity(folder, pairs=BOTH, wrong=()):
    """Write ``parity.csv`` into a folder; the pairs in `wrong` are over tolerance."""
    rows = [
        [*pair, dtype, case, quantity, error, tolerance, pair not in wrong]
        for pair in pairs
        for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5))
        for case in ("tanh", "relu")
        for quantity in ("logits", "loss")
        for error in [tolerance * (10 if pair in wrong else 1e-3)]
    ]
    write_csv(folder / "parity.csv", ParityTable, rows)


def write_csv(path, columns, rows):
    """Write a table by the columns that are read."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(columns.model_fields), *rows])


def made_prepared(torch="2.13.0"):
    """A network that is ready to be timed."""
    conditions = Conditions(
        cpus=[0, 1],
        environment={},
        versions={"torch": torch},
        devices=("cpu",),
        threads=2,
        tf32=False,
    )
    return Prepared(device="cpu", compile_seconds=0.1, conditions=conditions)


def made_turns(seconds):
    """A turn for each of these seconds."""
    return [Turn(seconds=each, cores_busy=1.0) for each in seconds]
