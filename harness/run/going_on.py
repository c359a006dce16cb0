"""Going on with a run that was killed or interrupted, as if it had never stopped.

Rows that have a result keep it. Any other is trained from its last checkpoint on, and the tables
are cut to what lies before it; a row without one begins anew. The check before training is done
again, with the first weights.

A source or a framework that has changed is no reason to refuse, for whoever mends a fault wants to
go on; it is said, and stands in the record of sittings.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from common.checkpoint import load_checkpoint
from common.errors import RequestError
from common.files import write_aside
from harness.console import note, printable
from harness.records.agreement import damaged
from harness.records.cells import lines_of, reader_of
from harness.records.facts import check_unedited
from harness.records.json_schemas import RunFacts
from harness.records.reading import RUN_TABLES, record
from harness.records.schemas import SummaryTable
from harness.records.tables import holds, table
from harness.run.checkpoints import OnTheWay, final
from harness.run.row import Row

Facts = dict[str, Any]

Cells = list[str]
"""A line of a table, as it is written."""


def take_up(path: Path, asked: Facts, rows: list[Row]) -> tuple[Facts, dict[str, Path]]:
    """Take what earlier sittings left in a run folder into the rows; nothing is written yet.

    Args:
        path: the run folder.
        asked: facts of the request, as they would be written.
        rows: of the request, in its order.

    Returns:
        Facts of the run, and by the name of a row the checkpoint from which it goes on.

    Raises:
        RequestError: the run is finished or of another request, or the folder was edited.
    """
    facts = record(path, "run.json", RunFacts)
    check_same(path, facts, asked)
    if facts["status"] == "finished":
        raise RequestError(
            f"--out {path}: exists already, and its run is finished; name a folder that does not"
        )
    check_unedited(path, facts["files"], RUN_TABLES)
    facts["sittings"] = facts["sittings"] or [_only_sitting(facts)]
    epochs = {row.name: _of_row(path / "epochs.csv", row) for row in rows}
    _restore_results(path, rows, epochs)
    goes_on = {}
    for row in rows:
        if row.settled:
            continue
        if found := _last_checkpoint(path, asked["experiment"], row, epochs[row.name]):
            goes_on[row.name], lines = found
            for line in lines:
                row.add_epoch(*_told(line))
    note(f"{path}: goes on: {'; '.join(_said(row, goes_on) for row in rows)}")
    return facts, goes_on


def clear_up(path: Path, rows: list[Row]) -> None:
    """Cut the tables to what the rows have kept, and remove what no row goes on from.

    The record says ``running`` by now, and vouches for no table.
    """
    for row in rows:
        on_the_way = OnTheWay(final(path, row.name))
        on_the_way.remove_written()
        if row.settled:
            on_the_way.remove()
    _cut(path / "epochs.csv", rows)
    _cut(path / "samples.csv", rows)


def _only_sitting(facts: Facts) -> Facts:
    """The sitting of a run from before they were listed."""
    told = {"started": facts["started"], "ended": facts["ended"], "pid": facts.get("pid")}
    return told | {"source": facts["source"]["sha256"], "versions": facts["versions"]}


def check_same(path: Path, facts: Facts, asked: Facts) -> None:
    """See that a run folder is of a request.

    Raises:
        RequestError: it is not; it names the first setting that differs.
    """
    found, wanted = _decides(facts), _decides(asked)
    for name, value in wanted.items():
        if name in found and found[name] != value:
            raise RequestError(
                printable(
                    f"--out {path}: exists already, with a run of another request: its {name} is "
                    f"{_shown(found[name])}, not {_shown(value)}; name a folder that does not exist"
                )
            )


def _decides(facts: Facts) -> Facts:
    """All that decides what a run computes, by how it is called in a message."""
    settings = facts["experiment"].items()
    told: Facts = {f"--{name.replace('_', '-')}": value for name, value in settings}
    told["corpus's SHA-256"] = facts["corpus"]["sha256"]
    told["SHA-256 of --resume"] = facts["resumed_sha256"]
    if facts["rows"] is not None:
        told["list of backends and variants"] = facts["rows"]
    return told


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(" ".join(each) if isinstance(each, list) else str(each) for each in value)
    return "not set" if value is None else str(value)


def _restore_results(path: Path, rows: list[Row], epochs: dict[str, list[Cells]]) -> None:
    """Take the results of ``summary.csv`` into their rows, if all that belongs to them is there."""
    if not holds(path, "summary.csv"):
        return
    found = table(path / "summary.csv", SummaryTable)
    for number, row in enumerate(rows):
        mine = found[(found.backend == row.backend) & (found.variant == row.variant)]
        for line in mine.to_dict("records"):
            told = {str(name): value for name, value in line.items()}
            result = row.result_of(told)
            for each in epochs[row.name]:
                result.add_epoch(*_told(each))
            perplexity = math.nan if result.perplexity is None else result.perplexity
            agrees = str(perplexity) == str(float(told["perplexity"]))
            if agrees and result.settled and (not result.ok or _is_sound(final(path, row.name))):
                rows[number] = result


def _is_sound(checkpoint: Path) -> bool:
    try:
        load_checkpoint(checkpoint)
    except RequestError as error:
        note(f"{error}; it is trained again")
        return False
    return True


def _last_checkpoint(
    path: Path, experiment: Facts, row: Row, epochs: list[Cells]
) -> tuple[Path, list[Cells]] | None:
    """The last checkpoint that can be read, with the lines of its epochs, which all stand there."""
    for checkpoint in OnTheWay(final(path, row.name)).newest_first():
        try:
            saved = load_checkpoint(checkpoint)
        except RequestError as error:
            note(f"{error}; going on from one before it")
            continue
        behind = [str(number) for number in range(row.epoch + 1, saved.epoch + 1)]
        same = saved.experiment.model_dump(mode="json") == experiment
        if same and [line[3] for line in epochs[: len(behind)]] == behind:
            return checkpoint, epochs[: len(behind)]
    return None


def _of_row(path: Path, row: Row) -> list[Cells]:
    return [line for line in _whole_lines(path)[1:] if line[:3] == row.key]


def _whole_lines(path: Path) -> list[Cells]:
    """The lines of a table but for the last if it was cut off, even within a character."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    lines: list[Cells] = []
    try:
        with reader_of(text) as reader:
            for line in reader:
                lines.append(line)
    except csv.Error:
        pass  # it ends within quotes
    else:
        lines = lines if text.endswith("\n") else lines[:-1]
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(lines[0]) or not line[3].isdecimal():
            raise damaged(path, f"row {number} is none")
    return lines


def _told(line: Cells) -> tuple[int, float, float | None, int, float]:
    """Number, perplexity, validation, tokens and seconds of a line of ``epochs.csv``."""
    epoch, perplexity, validated, tokens, seconds = line[3:8]
    try:
        known = float(validated) if validated else None
        return int(epoch), float(perplexity), known, int(tokens), float(seconds)
    except ValueError as error:
        raise damaged(Path("epochs.csv"), f"{', '.join(line)}: {error}") from error


def _cut(path: Path, rows: list[Row]) -> None:
    """Cut a table to the epochs that its rows have kept."""
    kept = {tuple(row.key): row.epoch for row in rows}
    lines = _whole_lines(path)
    cut = [line for line in lines[1:] if int(line[3]) <= kept.get((line[0], line[1], line[2]), 0)]
    if lines:
        write_aside(path, lines_of(lines[:1] + cut).encode("utf-8", "surrogateescape"))


def _said(row: Row, goes_on: dict[str, Path]) -> str:
    name = f"{row.backend} {row.variant}"
    if row.settled:
        return f"{name} is {row.status}"
    if row.name not in goes_on:
        return f"{name} begins"
    steps = goes_on[row.name].stem.rpartition("-")[2]
    return f"{name} after {row.epoch} epochs" + (f" and {steps} steps" if steps != "0" else "")
