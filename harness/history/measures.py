"""Measures that are followed over time, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from harness.console import figure


@dataclass(frozen=True)
class Measure:
    """A kind of figure.

    Attributes:
        unit: of its values.
        form: of a value, for `harness.console.figure`.
        more_is_better: True for a throughput alone.
        least: smallest change of its logarithm that is told as a step, whatever the threshold:
            what moves by so much without a reason.
    """

    unit: str
    form: str
    more_is_better: bool = False
    least: float = 0.0

    def shown(self, value: float | None) -> str:
        """A value with its unit."""
        return figure(value, self.form) + (f" {self.unit}" if self.unit else "")


MEASURES = {
    "throughput": Measure("tokens/s", ",.0f", more_is_better=True),
    "perplexity": Measure("", ".4f"),
    "validation perplexity": Measure("", ".4f"),
    "parity error": Measure("of tolerance", ".2%", least=log(2)),
    "compile time": Measure("s", ",.2f", least=log(1.25)),
    "memory": Measure("MB", ",.0f"),
    "device memory": Measure("MB", ",.0f"),
}


def measure(name: str) -> Measure:
    """A measure by its name; of one that another version wrote, no more than its values."""
    return MEASURES.get(name, Measure("", ".6g"))
