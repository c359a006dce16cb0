"""Panels of a study's charts: the cells of a grid that differ in their seeds alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.report.groups import RunGroup, sort
from harness.study.run import StudyRequest, read_cells


@dataclass(frozen=True)
class Panel:
    """One multiple of a chart: the cells of a grid that differ in their seeds alone.

    Attributes:
        varied: their settings, without the seed.
        group: their runs.
    """

    varied: dict[str, Any]
    group: RunGroup

    @property
    def title(self) -> str:
        """The settings in words; a value that is a word speaks for itself."""
        return ", ".join(told(*each) for each in self.varied.items()) or self._seeds

    @property
    def _seeds(self) -> str:
        count = len(self.group.seeds)
        return f"{count} seeds" if count > 1 else f"seed {self.group.seeds[0]}"

    @property
    def measure(self) -> str:
        """Measure of learning: on validation data where there are any."""
        validated = self.group.summary.val_perplexity.notna().any()
        return "val_perplexity" if validated else "perplexity"


def told(name: str, value: Any) -> str:
    """A setting in words, such as ``relu`` and ``lr 3``."""
    if isinstance(value, str):
        return value
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


def panels_of(order: StudyRequest) -> dict[str, list[Panel]]:
    """The panels of a study by grid, in the order of its file."""
    found: dict[str, list[Panel]] = {}
    by_grid: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    for cell, data in read_cells(order):
        varied = {name: value for name, value in cell.varied.items() if name != "seed"}
        by_grid.setdefault(cell.grid, []).append((varied, data))
    for grid, cells in by_grid.items():
        groups = sort([data for _, data in cells])
        own = {id(data): varied for varied, data in cells}
        found[grid] = [Panel(own[id(group.runs[0])], group) for group in groups]
    return found
