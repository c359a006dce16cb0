"""Setup of a comparison: models, machine, and everything needed to run it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.page import provenance
from harness.page.blocks import (
    NONE,
    Block,
    Cell,
    Details,
    Facts,
    Note,
    Section,
    Table,
    Tone,
    named,
    number,
)
from harness.page.series import framework
from harness.records.reading import RunData
from harness.records.status import marked
from harness.report.groups import Report, RunGroup, endings

NETWORK = "Hₜ = {act}(one_hot(Xₜ) W_xh + Hₜ₋₁ W_hh + b_h), Oₜ = Hₜ W_hq + b_q"


def setup(group: RunGroup) -> Section:
    """The network, the corpus, the machine, and what became of every row."""
    names = dict.fromkeys(framework(series.backend) for series in group.series)
    return Section(
        group.place("setup"),
        "What was compared?",
        f"One character-level recurrent network, from the same weights on the same batches, in "
        f"{_listed([*names])}.",
        [
            Details("Network, corpus, training and machine", [Facts(_facts(group))]),
            Details("What ran, and how it ended", [_outcomes(group), *_notes(group)]),
        ],
    )


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def notices(report: Report) -> list[Note]:
    """Notes on the rows that did not end well: what broke, and what is only not installed."""
    notes = []
    for group in report.groups:
        of = "" if group.alone else f" ({group.title})"
        failed = group.summary[group.summary.status != "ok"]
        for series in group.series:
            for status, reason, _ in endings(series.rows(failed)):
                said = f"{series.title}{of}: {status}" + f": {reason}" * bool(reason)
                notes.append(Note(said, "quiet" if status == "unavailable" else "bad"))
    if len(notes) <= LISTED:
        return notes
    rest = Note(f"and {len(notes) - LISTED} more rows that did not end well: see the setup.", "bad")
    return [*notes[:LISTED], rest]


LISTED = 4
"""Rows that are named above the answers."""


def _notes(group: RunGroup) -> list[Note]:
    """Notes of what backends said of themselves, once each."""
    described = [each for run in group.runs for each in run.facts["backends"].items()]
    told = dict.fromkeys((name, each["note"]) for name, each in described if each.get("note"))
    return [Note(f"{framework(name)}: {note}") for name, note in told]


def _facts(group: RunGroup) -> list[tuple[str, str]]:
    settings, corpus = group.experiment, group.facts["corpus"]
    clip = f"clipped at norm {settings.clip_theta:g}" if settings.clip_theta else "no clipping"
    return [
        ("Recipe", f"{group.facts['recipe']}: {group.title}"),
        ("Network", NETWORK.format(act=settings.activation)),
        *([("Exercises", " ".join(settings.exercises))] if settings.exercises else []),
        (
            "Size",
            f"{settings.num_hiddens:,} hidden units, {corpus['vocab_size']:,} different "
            f"{settings.token}s, {settings.dtype}",
        ),
        (
            "Corpus",
            f"{corpus['name']}: {corpus['tokens']:,} of its {_all_tokens(corpus)}tokens, "
            f"{settings.sampling} "
            f"minibatches of {settings.batch_size} x {settings.num_steps}, "
            f"{corpus['batches_per_epoch']} an epoch",
        ),
        (
            "Training",
            f"{settings.num_epochs} epochs of SGD, learning rate {settings.lr:g}, {clip}, "
            f"{'seed' if len(group.seeds) == 1 else 'seeds'} {', '.join(map(str, group.seeds))}",
        ),
        *(("Machine", told) for told in machines(group.runs)),
        *_gpus(group.facts),
        ("When", "; ".join(dict.fromkeys(_when(run.facts) for run in group.runs))),
    ]


def machines(runs: Sequence[RunData]) -> list[str]:
    """The machines of runs, each once, in words."""
    return list(dict.fromkeys(told for run in runs for told in _machines(run)))


def _machines(run: RunData) -> list[str]:
    """The machines of a run; by their names in the tables too, where an engine chose them."""
    engine = run.facts["engine"] or {}
    own = provenance.machine_of(engine.get("host", ""), run.facts["machine"])
    return [own, *(provenance.machine_of(*each) for each in run.facts["machines"].items())]


def _gpus(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Device and threads of all rows if a reason is told, and what GPUs went through."""
    placement, watched = facts["placement"] or {}, facts["gpus"]
    told = [("Device", placement["reason"])] if placement.get("reason") else []
    lines = dict.fromkeys(provenance.gpus(gpus) for gpus in watched.values())
    told += [("Threads", why)] if (why := placement.get("neighbours")) else []
    return told + [("GPU", line) for line in lines]


def _all_tokens(corpus: dict[str, Any]) -> str:
    return f"{corpus['of_tokens']:,} " if "of_tokens" in corpus else ""  # not told in old runs


def _when(facts: dict[str, Any]) -> str:
    started = str(facts["started"])[:16].replace("T", " ")
    return f"{started} UTC, {facts['status']}"


def _outcomes(group: RunGroup) -> Table:
    rows = []
    for series in group.series:
        for status, reason, found in endings(series.rows(group.summary)):
            versions = " ".join(dict.fromkeys(filter(None, found.versions)))
            device = " ".join(dict.fromkeys(filter(None, found.device)))
            rows.append(
                [
                    named(series),
                    number(float(found.perplexity.median()), ".4f"),
                    Cell(device) if device else NONE,
                    Cell(versions) if versions else NONE,
                    _status(status, found.parity_verdict.tolist()),
                    Cell(reason),
                ]
            )
    heads = ["backend", "perplexity", "device", "versions", "status", "reason"]
    if not any(row[-1].text for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return Table("What ran, and how it ended", heads, rows, (0, 2, 3, 4, 5))


def _status(status: str, verdicts: list[str]) -> Cell:
    said = " or ".join(dict.fromkeys(marked(status, verdict) for verdict in verdicts))
    tones: dict[str, Tone] = {"ok": "good", "ok, unjudged": "", "unavailable": "quiet"}
    return Cell(said, tones.get(said, "bad"))


def reproduce(report: Report) -> Section:
    """Commands, settings, versions, source and corpus of every run."""
    section = Section(
        "reproduce",
        "How do I run it again?",
        "With the command of each run, from the same source, on the same corpus.",
    )
    commands = [block for run in report.runs for block in _command(run.facts)]
    section.blocks += commands[:FEW]
    if rest := commands[FEW:]:
        section.blocks.append(Details(f"{len(rest)} more", rest))
    for group in report.groups:
        made = [Facts(list(each)) for each in dict.fromkeys(_made_of(r.facts) for r in group.runs)]
        of = "" if group.alone else f": {group.title}"
        section.blocks.append(
            Details(f"Source, versions and settings{of}", [*made, _settings(group)])
        )
    return section


FEW = 2
"""Commands that are not folded."""


def _command(facts: dict[str, Any]) -> list[Block]:
    command = provenance.command(facts["command"])
    if facts["resumed"]:
        return [command, Note(f"It went on from the checkpoint {facts['resumed']}.")]
    return [command]


def _made_of(facts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return (*provenance.source(facts), provenance.corpus(facts), provenance.versions(facts))


def _settings(group: RunGroup) -> Table:
    settings = group.facts["experiment"] | {"seed": group.seeds}
    rows = [[Cell(name), Cell(_told(value))] for name, value in settings.items()]
    return Table("Every setting", ["setting", "value"], rows, (0, 1))


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not set" if value is None else str(value)


def source_note(report: Report) -> str:
    """Note that says if the source shown is the source that ran."""
    if provenance.unchanged(report.runs):
        return "Taken from the source that ran: its hash is that of the run."
    return (
        "The source has changed since this ran: its hash is no longer that of the run. "
        "What is shown is the source of this report."
    )
