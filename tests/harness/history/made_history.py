"""Histories made without measuring: entries with the noise of the committed benchmark's rounds."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from harness.history.entries import Entry, Measured
from harness.paths import RESULTS

MACHINE = "AMD EPYC, 2 cores, 24 GB"
SHAPES = ("32x35x256x28", "32x35x512x28", "32x35x256x1027", "1024x32x32x28", "64x64x1024x96")
CONTENDERS = [(b, v) for b in ("mxnet-style", "torch", "jax") for v in ("scratch", "fused")]
ROUNDS = 20  # of a benchmark by default


def residuals():
    """Logarithms of the seconds of each committed series, about their mean."""
    rounds = pd.read_csv(RESULTS / "bench" / "rounds.csv")
    rounds = rounds[(rounds.backend != "null") & ~rounds.variant.isin(["products", "operations"])]
    series = rounds.groupby(["backend", "variant", "shape"]).seconds
    logs = [np.log(seconds.to_numpy()) for _, seconds in series]
    return [(of - of.mean()) * np.sqrt(len(of) / (len(of) - 1)) for of in logs]


def noisy(rng, series, entries, noise=None):
    """Logarithms of made throughputs, series x entries: each the median of as many rounds."""
    noise = residuals() if noise is None else noise
    own = (noise[which] for which in rng.integers(len(noise), size=series))
    rounds = [rng.choice(of, (entries, ROUNDS)) for of in own]
    return np.log(50_000.0) + np.median(rounds, axis=2)


def entry(number, figures, machine=MACHINE, kind="bench", **other):
    """An entry of day `number`; figures are (measure, backend, variant, of, value)."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    told = {
        "key": f"{number:064x}",
        "kind": kind,
        "at": at.isoformat(timespec="seconds"),
        "revision": f"{number + 0xABC0:08x}" + "0" * 32,
        "modified": False,
        "source": f"{number:064x}",
        "machine": machine,
        "system": "Linux 6.18, Python 3.11",
        "folder": f"runs/{number}",
    }
    measured = [
        Measured(*each[:4], "cpu, 2 threads", each[4], each[4] * 0.97, each[4] * 1.03, "numpy=2")
        for each in figures
    ]
    return Entry(**(told | other), figures=measured)


def entries(logs, shapes=SHAPES, contenders=CONTENDERS):
    """Entries of a benchmark's throughputs: their logarithms, series x entries."""
    names = [(*pair, shape) for shape in shapes for pair in contenders]
    return [
        entry(
            number,
            [
                ("throughput", backend, variant, shape, float(np.exp(logs[place, number])))
                for place, (backend, variant, shape) in enumerate(names)
            ],
        )
        for number in range(logs.shape[1])
    ]


def slowed(logs, contender, by, since, contenders=CONTENDERS):
    """The same, with a contender slower by a fraction on every shape, from an entry on."""
    slower = logs.copy()
    slower[contender :: len(contenders), since:] += np.log1p(-by)
    return slower
