"""A study from its first cell to its report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from common.errors import in_one_line
from harness import interrupts
from harness.console import print_json, screen
from harness.lock import locked
from harness.page import write
from harness.study.ending import broken, finish, lost_cells, tidy
from harness.study.grid import many
from harness.study.report import told_of_study
from harness.study.run import StudyRequest, run_study
from harness.study.spread import spread_study

Show = Callable[[Console, StudyRequest], None]

MOST_SHOWN = 1000
"""Cells of a report: it has a chart for each."""


def carry_out(order: StudyRequest, json: bool, quiet: bool, show: Show | None = None) -> int:
    """Run every cell of a study that is not finished, and write its table and report.

    Args:
        order: the study.
        json: True if the result is printed as JSON alone.
        quiet: True if no line is told on the way.
        show: prints the result once it is whole; or None.

    Returns:
        The exit status.
    """
    console, folder = screen(), order.out

    def tell(line: str) -> None:
        if not quiet:
            console.print(Text(line))

    report: Path | None = None
    answers: list[tuple[str, str]] = []
    with locked(folder):
        if order.in_order:
            done = run_study(order, tell)
        else:
            done = spread_study(order, tell, console=None if quiet else console)
        if not done:
            return interrupts.exit_status()
        reason = ""
        if not lost_cells(folder) and not many(order.study, MOST_SHOWN):
            try:
                told = told_of_study(order)
                answers = [(each.question, each.text) for each in told.answers]
                report = write.write_told(told, folder)
            except Exception as error:  # its runs stand, whatever became of their report
                reason = f"no report: {in_one_line(error)}"
        reason = finish(order, reason)
    if reason:
        print(f"error: {reason}; to try again, start the study again", file=sys.stderr)
        return 1
    faults = broken(order)
    if json:
        cells = tidy(order).to_dict("records")
        print_json({"study": str(folder), "cells": cells, "faults": faults})
    else:
        for question, answer in answers:
            console.print(Text.assemble((f"{question} ", "dim"), (answer, "bold")))
        if show:
            show(console, order)
        for fault in faults:
            console.print(Text(fault, "red"))
        shown = f"report: {report}" if report else f"table: {folder / 'cells.csv'}"
        console.print(Text(shown), soft_wrap=True)
    return 1 if faults else 0
