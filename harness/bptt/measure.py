"""``bptt``: gradient flow through time in every backend, and the cost of cutting it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import backends
from common.files import write_aside, writing
from common.inputs import Inputs
from common.parity import over_tolerance
from common.truncation import ALL
from harness.bptt.request import BpttRequest
from harness.checks import corpus_facts, select
from harness.records.cells import csv_of
from harness.records.facts import Record
from harness.records.provenance import provenance
from harness.workers.errors import WorkerError
from harness.workers.interpreters import brief_worker
from harness.workers.pool import Pair, run_pool
from harness.workers.protocol import Checked, Described, Event, Point, Strategies
from harness.workers.requests import MeasureGradients

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
    descriptions: dict[str, dict[str, Any]]
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


def measure(request: BpttRequest, inputs: Inputs) -> Measured:
    """Measure in a worker for each backend, as many at once as there are CPUs.

    Args:
        request: the request.
        inputs: those of its experiment.

    Raises:
        RequestError: a backend does not exist, or the worker found the request wrong.
    """
    experiment = request.experiment
    asked = MeasureGradients(
        experiment=experiment,
        data_dir=request.data_dir and str(request.data_dir.resolve()),
        **inputs.for_workers(),
        epochs=tuple(1 << k for k in range(experiment.num_epochs.bit_length())),
        taus=request.taus,
        pis=request.pis,
        draws=request.draws,
    )

    def measure_backend(pair: Pair, cpus: list[int]) -> list[Event]:
        if reason := backends.without(pair[0], "bptt") or backends.beyond(pair[0], experiment):
            raise WorkerError("unavailable", reason)
        with brief_worker(pair[0], request.pythons, experiment, cpus) as worker:
            return list(worker.answers(asked))

    pairs = select(request.backends, ("scratch",))
    result = run_pool(pairs, request.backends, request.pythons, measure_backend)
    failures, absent = (
        {name: reason for (name, _), reason in reasons.items()}
        for reasons in (result.failures, result.absent)
    )
    found = {name: events for (name, _), events in result.found.items()}
    return _tables(found, failures, absent)


def _tables(
    found: dict[str, list[Event]], failures: dict[str, str], absent: dict[str, str]
) -> Measured:
    norms, spectrum, truncation, checked = [], [], [], []
    ill_conditioned, descriptions = {}, {}
    for name, events in found.items():
        for event in events:
            match event:
                case Described():
                    descriptions[name] = asdict(event.description)
                case Point():
                    point = {"backend": name, **event.model_dump()}
                    spectrum.append(point)
                    norms += [
                        point | {"distance": d, "norm": norm} for d, norm in enumerate(event.norms)
                    ]
                case Strategies():
                    of = {"backend": name, **event.model_dump(exclude={"rows"})}
                    truncation += [of | row for row in event.rows]
                case Checked():
                    checked += [[name, *pair] for pair in event.errors.items()]
                    ill_conditioned[name] = event.ill_conditioned
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
    """Folder of a measurement; ``bptt.json`` says ``running`` until all the rest is there."""

    def __init__(self, request: BpttRequest, inputs: Inputs) -> None:
        self.about: dict[str, Any] = {
            "recipe": request.recipe,
            "experiment": request.experiment.model_dump(mode="json"),
            "corpus": corpus_facts(inputs),
            "settings": {"taus": request.taus, "pis": request.pis, "draws": request.draws},
            **provenance(),
        }

    def start(self, path: Path) -> None:
        """Say in a folder that it is being measured.

        Raises:
            RequestError: the folder cannot be written.
        """
        self.record = Record(path / "bptt.json", self.about)
        with writing(path):
            self.record.write("running")

    def conclude(self, measured: Measured) -> dict[str, Any]:
        """Facts of the measurement and of what it found."""
        worst = measured.checked.groupby("backend", sort=False).error.max()
        self.record.facts |= {
            "backends": measured.descriptions,
            "worst_error": worst.to_dict(),
            "errors": measured.checked.to_dict("records"),
            "beyond_float64": measured.ill_conditioned,
            "failures": measured.failures,
            "absent": measured.absent,
            "status": "finished" if measured.passed else "failed",
        }
        return self.record.facts

    def finish(self, measured: Measured) -> None:
        """Write the tables, then the facts, which say how it ended."""
        names = "norms", "spectrum", "truncation"
        for name in names:
            write_aside(self.record.path.with_name(f"{name}.csv"), csv_of(getattr(measured, name)))
        self.record.write(self.record.facts["status"], [f"{name}.csv" for name in names])
