"""``bptt``: gradient flow through time in every backend, and the cost of cutting it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import pandas as pd

from common.files import write_aside, writing
from common.parity import over_tolerance
from common.truncation import ALL
from harness.bptt.request import Request
from harness.checks import check_corpus, select
from harness.records.cells import csv_of
from harness.records.provenance import provenance
from harness.workers.cpus import usable_cpus
from harness.workers.interpreters import brief_worker, missing
from harness.workers.process import Event, WorkerError

POINT = ["backend", "activation", "clip_theta", "epoch"]
NORMS = [*POINT, "distance", "norm"]
SPECTRUM = [*POINT, "perplexity", "spectral_radius", "status"]
TRUNCATION = [*POINT, *"strategy tau pi draws quantity error cosine standard_error".split()]
TRUNCATION += ["variance", "t", "verdict"]
CHECKED = ["backend", "quantity", "error"]


@dataclass
class Measured:
    """Result of a measurement.

    Attributes:
        norms, spectrum, truncation, checked: tables, with the columns in capitals above.
        ill_conditioned: number of gradients that float64 cannot tell to 1e-9, by backend.
        descriptions: of the backends that were measured.
        failures: reasons why a backend was not measured; `absent` if that is no failure.
    """

    norms: pd.DataFrame
    spectrum: pd.DataFrame
    truncation: pd.DataFrame
    checked: pd.DataFrame
    ill_conditioned: dict[str, int]
    descriptions: dict[str, Event]
    failures: dict[str, str]
    absent: dict[str, str]

    @property
    def over(self) -> pd.DataFrame:
        """Rows of `checked` whose error is over the tolerance."""
        named = zip(self.checked.quantity, self.checked.error, strict=True)
        wrong = [bool(over_tolerance({name: error}, "float64")) for name, error in named]
        return self.checked[pd.Series(wrong, self.checked.index, dtype=bool)]

    @property
    def backends(self) -> list[str]:
        """Names of the backends that were measured."""
        return list(self.descriptions)

    @property
    def passed(self) -> bool:
        """True if something was measured, and all of it is the reference's."""
        return bool(len(self.checked)) and self.over.empty and not self.failures

    @property
    def means(self) -> pd.DataFrame:
        """The costs of all five gradients together, of the mean over all draws."""
        whole = self.truncation[self.truncation.quantity == ALL]
        most = whole.groupby([*POINT, "strategy", "tau", "pi"], dropna=False).draws
        return whole[whole.draws == most.transform("max")]


def measure(request: Request) -> Measured:
    """Measure in a worker for each backend, as many at once as there are CPUs.

    Raises:
        RequestError: a backend does not exist, or the worker found the request wrong.
    """
    names = [name for name, _ in select(request.backends, ("scratch",))]
    found: dict[str, list[Event]] = {}
    absent: dict[str, str] = {}
    failures: dict[str, str] = {}
    free: Queue[int] = Queue()
    for cpu in usable_cpus():
        free.put(cpu)

    def run(name: str) -> None:
        if reason := missing(name, request.pythons):
            absent[name] = reason
            return
        cpu = free.get()
        try:
            found[name] = _events(name, request, cpu)
        except WorkerError as error:
            where = absent if error.kind == "unavailable" else failures
            where[name] = str(error)
        finally:
            free.put(cpu)

    with ThreadPoolExecutor(free.qsize()) as pool:
        list(pool.map(run, names))
    for name in request.backends:
        if name in absent:
            failures[name] = absent.pop(name)
    return _tables({name: found[name] for name in names if name in found}, failures, absent)


def _events(name: str, request: Request, cpu: int) -> list[Event]:
    experiment = request.experiment
    doubled = [1 << k for k in range(experiment.num_epochs.bit_length())]
    with brief_worker(name, request.pythons, experiment, [cpu]) as worker:
        return list(
            worker.answers(
                "bptt",
                experiment=experiment.model_dump(mode="json"),
                data_dir=request.data_dir and str(request.data_dir.resolve()),
                epochs=doubled,
                taus=request.taus,
                pis=request.pis,
                draws=request.draws,
            )
        )


def _tables(
    found: dict[str, list[Event]], failures: dict[str, str], absent: dict[str, str]
) -> Measured:
    norms, spectrum, truncation, checked = [], [], [], []
    ill_conditioned, descriptions = {}, {}
    for name, events in found.items():
        for event in events:
            named = {"backend": name, **event}
            match event["event"]:
                case "described":
                    descriptions[name] = event
                case "point":
                    spectrum.append(named)
                    norms += [
                        named | {"distance": d, "norm": norm}
                        for d, norm in enumerate(event["norms"])
                    ]
                case "strategies":
                    truncation += [named | row for row in event["rows"]]
                case "checked":
                    checked += [[name, *pair] for pair in event["errors"].items()]
                    ill_conditioned[name] = event["ill_conditioned"]
    return Measured(
        pd.DataFrame(norms, columns=NORMS),
        pd.DataFrame(spectrum, columns=SPECTRUM),
        pd.DataFrame(truncation, columns=TRUNCATION),
        pd.DataFrame(checked, columns=CHECKED),
        ill_conditioned,
        descriptions,
        failures,
        absent,
    )


class Folder:
    """Folder of a measurement; ``bptt.json`` says ``running`` until all the rest is there.

    Raises:
        RequestError: the corpus cannot be had, or is too short.
    """

    def __init__(self, request: Request) -> None:
        silent = request.experiment.model_copy(update={"prefixes": ()})  # no text is written
        corpus = check_corpus(silent, request.data_dir, None)
        self.facts: dict[str, Any] = {
            "recipe": request.recipe,
            "experiment": request.experiment.model_dump(mode="json"),
            "corpus": corpus,
            "settings": {"taus": request.taus, "pis": request.pis, "draws": request.draws},
            **provenance(),
            "status": "running",
        }

    def start(self, path: Path) -> None:
        """Say in a folder that it is being measured.

        Raises:
            RequestError: the folder cannot be written.
        """
        self.path = path
        with writing(path):
            self._write_facts()

    def finish(self, measured: Measured) -> None:
        """Write the tables, then what came of it."""
        for name in ("norms", "spectrum", "truncation"):
            write_aside(self.path / f"{name}.csv", csv_of(getattr(measured, name)))
        worst = measured.checked.groupby("backend", sort=False).error.max()
        self.facts |= {
            "backends": measured.descriptions,
            "worst_error": worst.to_dict(),
            "errors": measured.checked.to_dict("records"),
            "beyond_float64": measured.ill_conditioned,
            "failures": measured.failures,
            "absent": measured.absent,
            "status": "finished" if measured.passed else "failed",
        }
        self._write_facts()

    def _write_facts(self) -> None:
        strict = json.loads(json.dumps(self.facts), parse_constant=lambda _: None)
        content = json.dumps(strict, indent=1, ensure_ascii=False)
        write_aside(self.path / "bptt.json", content + "\n")
