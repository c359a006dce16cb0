"""Sections of the report of ``bptt`` that every report has: accuracy, and how to reproduce it."""

from __future__ import annotations

from typing import Any

from harness.bptt.measure import Measured
from harness.page import provenance
from harness.page.blocks import Block, Cell, Details, Facts, Note, Section, Table, Tone, number
from harness.page.series import framework


def accuracy(measured: Measured) -> Section:
    """Accuracy: errors against the reference."""
    worst = measured.checked.groupby("backend", sort=False).error.max()
    over = measured.over
    section = Section(
        "accuracy",
        "Who is right?",
        "Every gradient is that of the float64 reference, on the same weights and links: "
        f"the worst is off by {worst.max():.0e}."
        if over.empty
        else f"NOT all: {', '.join(dict.fromkeys(over.backend.map(framework)))} is off.",
    )
    by = measured.checked.pivot_table(
        index="quantity", columns="backend", values="error", sort=False
    )
    rows = [
        [
            Cell(str(quantity)),
            *(number(by.loc[quantity, name], ".1e") for name in measured.backends),
        ]
        for quantity in by.index
    ]
    heads = ["quantity", *(framework(name) for name in measured.backends)]
    section.blocks.append(Table("The worst relative error over all that was computed", heads, rows))
    ill_conditioned = {framework(name): n for name, n in measured.ill_conditioned.items() if n}
    if ill_conditioned:
        counts = ", ".join(f"{name} {n}" for name, n in ill_conditioned.items())
        section.blocks.append(
            Note(
                "Where tanh is saturated, float64 itself no longer tells a gradient to 1e-9. Such "
                f"gradients ({counts}) are held to what the last bit of the states changes."
            )
        )
    reasons: tuple[tuple[dict[str, str], Tone], ...] = (
        (measured.absent, "quiet"),
        (measured.failures, "bad"),
    )
    for found, tone in reasons:
        for name, reason in found.items():
            section.blocks.append(Note(f"{framework(name)}: not measured: {reason}", tone))
    return section


def reproduce(facts: dict[str, Any]) -> Section:
    """Settings, machine, source and command."""
    settings, corpus = facts["experiment"], facts["corpus"]
    blocks: list[Block] = [
        provenance.command(facts["command"]),
        _folded(
            [
                ("Recipe", f"{facts['recipe']}, its network made smaller, float64"),
                (
                    "Network",
                    f"{settings['num_hiddens']} hidden units, first weights of deviation "
                    f"{settings['sigma']:g}, windows of {settings['batch_size']} x "
                    f"{settings['num_steps']}",
                ),
                (
                    "Training",
                    f"{settings['num_epochs']} epochs of SGD, learning rate {settings['lr']:g}, "
                    f"seed {settings['seed']}",
                ),
                ("Corpus", f"{corpus['name']}, {corpus['tokens']:,} tokens"),
                ("Machine", f"{facts['machine']['cpu']}, {facts['machine']['os']}"),
                *provenance.source(facts),
                provenance.corpus(facts),
                provenance.versions(facts),
            ]
        ),
    ]
    return Section("reproduce", "How do I run it again?", "With the same command.", blocks)


def _folded(pairs: list[tuple[str, str]]) -> Details:
    return Details("Network, training, machine and source", [Facts(pairs)])
