"""Comparisons with the reference as what passed and what failed."""

from __future__ import annotations

from common.causes import PortParity
from harness.formats import Outcome
from harness.parity.measure import ParityResult
from harness.records.provenance import source_of


def outcomes(comparison: ParityResult) -> list[Outcome]:
    """An outcome for each backend and variant in each precision; of a failure, the first error."""
    found = []
    for (dtype, backend, variant), rows in comparison.table.groupby(
        ["dtype", "backend", "variant"], sort=False
    ):
        name, file = f"{backend} {variant}", source_of(str(backend), str(variant))
        over = rows[~rows.ok]
        if over.empty:
            worst = (rows.error / rows.tolerance).max()
            said = f"{len(rows)} errors, the worst {worst:.1%} of its tolerance"
            found.append(Outcome(str(dtype), name, "passed", said, file=file))
            continue
        first = over.iloc[0]
        said = f"{len(over)} of {len(rows)} errors over tolerance, first {first.case}: "
        said += f"{first.quantity}: {first.error:.2e}, where {first.tolerance:.0e} is allowed"
        found.append(Outcome(str(dtype), name, "failed", said, file=file))
    for name, reason in comparison.failures.items():
        found.append(Outcome("compared", name, "failed", reason, file=source_of(*name.split())))
    for name, reason in comparison.absent.items():
        found.append(Outcome("compared", name, "skipped", reason))
    if not found:
        found.append(Outcome("compared", "everything", "failed", "nothing was compared"))
    return found


def of_port(result: PortParity) -> list[Outcome]:
    """An outcome for each quantity of a user's own step; the likely causes with the first wrong."""
    found = []
    causes = "; ".join(cause.cause for cause in result.causes)
    for each in result.quantities:
        said = f"error {each.error:.1e}, where {each.tolerance:.0e} is allowed"
        if result.first and each.name == result.first.name and causes:
            said += f"; likely causes: {causes}"
        found.append(Outcome("quantities", each.name, "failed" if each.wrong else "passed", said))
    return found
