"""Changes between two sides as what passed and what regressed."""

from __future__ import annotations

from harness.compare.compare import Comparison
from harness.console import figure
from harness.formats import Ending, Outcome
from harness.records.provenance import source_of


def outcomes(found: Comparison) -> list[Outcome]:
    """An outcome for each measure of each row, and for each row that has figures no more."""
    told = []
    for each in found.changes:
        verdict = each.verdict or "cannot be told"
        said = f"{figure(each.ratio, '.3f')} times what it was: {verdict}"
        if each.regressed:
            said = f"{each.measure} is {said}, beyond {found.threshold:.3g}"
        status: Ending = "failed" if each.regressed else "passed" if each.verdict else "skipped"
        name, file = f"{each.backend} {each.variant}", source_of(each.backend, each.variant)
        told.append(Outcome(each.measure, name, status, said, file=file))
    for name, why in found.lost.items():
        file = source_of(*name.split(" ")[:2])
        told.append(Outcome("rows", name, "failed", f"was ok, is {why}", file=file))
    told += [Outcome("rows", name, "passed", "ok now") for name in found.gained]
    told += [
        Outcome("rows", name, "skipped", f"not ok in both: was {old}, is {new}")
        for name, (old, new) in found.never.items()
    ]
    if not found.changes and not found.gained:
        told.append(Outcome("rows", "everything", "failed", "no row is ok on either side"))
    return told
