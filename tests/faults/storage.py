"""Commands under faults of storage, and what must be true of all that they leave."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

from common.checkpoint import load_checkpoint
from common.errors import RequestError
from harness.records.reading import read_run

ROOT = Path(__file__).parents[2]
INJECTED = Path(__file__).parent / "injected"

REASONS = {
    errno.ENOSPC: "disk full",
    errno.EACCES: "Permission denied",
    errno.EIO: "Input/output error",
}
FAULTS = [(errno.ENOSPC, True), (errno.EACCES, False), (errno.EIO, False), (errno.EIO, True)]
"""Errors, and whether they last: a disk stays full."""

TINY = {
    "max_tokens": 1500,
    "num_hiddens": 4,
    "num_epochs": 2,
    "pred_period": 2,
    "num_preds": 3,
    "batch_size": 8,
    "num_steps": 8,
}
STUDY = """
title = "Tiny"
recipe = "quickstart"
backends = ["mxnet-style"]
[settings]
{settings}
[[grid]]
name = "rates"
question = "Does it matter?"
[grid.vary]
lr = [0.5, 1]
"""


class Commands:
    """A place below which commands run, with faults."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0
        settings = "\n".join(f"{name} = {value}" for name, value in TINY.items())
        (folder / "tiny.toml").write_text(STUDY.format(settings=settings), encoding="utf-8")

    def line(self, command, out):
        """The command line, without the program."""
        if command == "study":
            return ["study", str(self.folder / "tiny.toml"), "--out", str(out)]
        options = [f"--{n.replace('_', '-')}={v}" for n, v in TINY.items()]
        return ["run", "--backend=mxnet-style", *options, "--out", str(out)]

    def run(self, command, place, fault=None):
        """Run a command that writes below a place: its exit status and its output."""
        (place / "tmp").mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(INJECTED), str(ROOT)]),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "TMPDIR": str(place / "tmp"),
            "RNN_ROSETTA_FAULT": json.dumps(fault) if fault else "",
        }
        done = subprocess.run(
            [sys.executable, "-m", "harness", *self.line(command, place / "out")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=self.folder,
            text=True,
            errors="replace",
        )
        return done.returncode, done.stdout

    def faulty(self, command, at, code, lasting):
        """Run a command whose n-th operation is refused: place, exit status, output, operations."""
        self.number += 1
        place = self.folder / f"place-{self.number}"
        count = place.with_suffix(".count")
        fault = {
            "below": str(place),
            "count": str(count),
            "at": at,
            "code": code,
            "lasting": lasting,
        }
        status, said = self.run(command, place, fault)
        return place, status, said, count.read_text("utf-8", errors="replace").splitlines()

    def again(self, command, place):
        """All that is wrong when the same command is run once more, and nothing befalls it."""
        status, said = self.run(command, place)
        if status == 2 and "its run is finished" in said:  # its report alone was lost
            return []
        found = lies(command, place, status, said, errno.EIO, False)
        return found + [f"not gone on with: {said[-200:]}"] * bool(status)


def lies(command, place, status, said, code, lasting):
    """All that is wrong with what a command said and left; empty if nothing is."""
    found = []
    out = place / "out"
    if "Traceback" in said or "[Errno" in said:
        found.append("a traceback")
    if status not in (0, 1, 2):
        found.append(f"exit status {status}")
    errors = [line for line in said.splitlines() if line.startswith(("error:", "no report:"))]
    if len(errors) > 1:
        found.append(f"{len(errors)} lines of errors")
    if status and REASONS[code] not in said:
        found.append("does not say why")
    for record in sorted(out.rglob("run.json")):
        found += lies_of_run(record.parent)
    if command == "study" and _status(out / "study.json") == "finished":
        for name in ("cells.csv", "report.html"):
            if not (out / name).is_file():
                found.append(f"a study that is finished, without {name}")
        if {_status(each) for each in out.rglob("run.json")} != {"finished"}:
            found.append("a study that is finished, and its runs are not")
    if status == 0 and _status(out / ("study.json" if command == "study" else "run.json")) != (
        "finished"
    ):
        found.append("exit status 0 of what is not finished")
    for page in out.rglob("report.html"):
        if not page.read_text("utf-8").rstrip().endswith("</html>"):
            found.append("half a report")
    for path in out.rglob("*.csv"):
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            found.append(f"half a line in {path.name}")
    hidden = [path.name for path in place.rglob(".*") if path.name != ".lock"]
    if hidden and not lasting and status == 0:
        found.append(f"leftovers: {hidden}")
    return found


def lies_of_run(folder):
    """All that is wrong with a run that says it has ended well."""
    if _status(folder / "run.json") != "finished":
        return []
    try:
        run = read_run(folder)
    except RequestError as error:
        return [f"a finished run that cannot be read: {error}"]
    found = []
    for row in run.summary[run.summary.status == "ok"].itertuples():
        if (run.epochs.backend == row.backend).sum() != TINY["num_epochs"]:
            found.append("a row that is ok, and lacks epochs")
        try:
            files = [*(folder / "checkpoints").rglob("*.safetensors")]
            if not files:
                found.append("a row that is ok, and has no checkpoint")
            for path in files:
                load_checkpoint(path)
        except RequestError as error:
            found.append(f"a row that is ok, with a bad checkpoint: {error}")
    return found


def _status(record):
    try:
        return json.loads(record.read_text("utf-8")).get("status")
    except FileNotFoundError:
        return "absent"
    except ValueError:
        return "half"
