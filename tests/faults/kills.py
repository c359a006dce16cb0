"""Commands that are killed at any moment, and what must be true of all that they leave.

A killed command leaves no process after two seconds, no folder that says what is not so, and no
file beside those of a whole result once it was started again; then it is the same to the bit.
"""

import contextlib
import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from common.errors import RequestError
from harness.records.reading import read_bench, read_run
from harness.run.checkpoints import OnTheWay
from tests.serving.asking import ALONE, MARK, START, Popen, heard_by_default

ROOT = Path(__file__).parents[2]

SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
ENDING_SECONDS = 10.0
"""Time for a signal that is heard; a machine under load is slow."""

ORPHAN_SECONDS = 2.0
TINY = (
    "--max-tokens 500 --num-hiddens 4 --num-preds 3 --batch-size 4 --num-steps 20 "
    "--num-epochs 8 --pred-period 4 --seed 1"
)
STUDY = """
title = "Tiny"
recipe = "quickstart"
backends = ["mxnet-style"]
[settings]
max_tokens = 500
num_hiddens = 4
num_epochs = 4
pred_period = 2
num_preds = 3
batch_size = 4
num_steps = 20
[[grid]]
name = "rates"
question = "Does it matter?"
[grid.vary]
lr = [0.5, 1]
"""

LINES = {
    "run": f"run --backend mxnet-style --variant scratch,fused --threads 1 {TINY} "
    "--checkpoint-seconds 0",  # the second row gets ready beside the first
    "study": "study {folder}/tiny.toml --checkpoint-seconds 0",
    "spread": "study {folder}/tiny.toml --checkpoint-seconds 0 --cpus-per-cell 1",
    "bench": "bench --backend mxnet-style --variant fused --shape 2x2x2x2 --rounds 2",
    "parity": "parity --backend mxnet-style --variant fused --steps 2 --dtype float64",
    "sequence": "sequence --backend mxnet-style --num-points 120 --num-train 60",
    "bptt": "bptt --recipe quickstart --backend mxnet-style --num-epochs 1 --draws 2 "
    "--num-steps 8 --num-hiddens 8 --tau 2 --pi 0.7",
    "report": "report {folder}/run-whole/out",
    "report of it": "report {place}/out",
}
RECORDS = {
    "run": "run.json",
    "study": "study.json",
    "spread": "study.json",
    "bench": "bench.json",
    "sequence": "sequence.json",
    "bptt": "bptt.json",
}
WITH_REPORT = {"run", "bench", "parity"}
"""Commands whose report is written after their record."""

KILLS = {name: 20 for name in LINES if name != "report of it"} | {"run": 40, "study": 40}
"""Number of kills of every command in the whole campaign: 200."""


@dataclass
class Ended:
    """A command that has ended: exit status, what it said, and processes that it left."""

    status: int
    said: str
    orphans: list[str]


class Kills:
    """A folder in which commands run, and are killed.

    Args:
        folder: their own.
        seed: decides the moments.
    """

    def __init__(self, folder, seed):
        self.folder, self.source = folder, random.Random(seed)
        (folder / "tiny.toml").write_text(STUDY, encoding="utf-8")
        self.whole = {}

    def unbroken(self, command):
        """What a command writes that nobody kills, and the seconds that it takes."""
        if command == "report":
            self.unbroken("run")
        if command not in self.whole:
            place = self.folder / f"{command}-whole"
            start = time.monotonic()
            ended = self.start(command, place)
            seconds = time.monotonic() - start
            assert (ended.status, ended.orphans) == (0, []), ended
            self.whole[command] = told(command, place / "out"), names(place), seconds
        return self.whole[command]

    @cached_property
    def starting(self):
        """Seconds in which a command that is started imports most of what it needs."""
        start = time.monotonic()
        with START([sys.executable, "-m", "harness", "--help"], stdout=subprocess.DEVNULL):
            pass
        return 2 * (time.monotonic() - start)

    def start(self, command, place, number=None, after=0.0, anew=False):
        """Run a command to its end, or send it a signal after so many seconds."""
        (place / "tmp").mkdir(parents=True, exist_ok=True)
        line = LINES[command].format(folder=self.folder, place=place).split()
        mark = uuid.uuid4().hex
        process = (START if anew else Popen)(
            [sys.executable, "-m", "harness", *line, "--out", str(place / "out")],
            cwd=ROOT,
            env=os.environ
            | {
                MARK: mark,
                "PYTHONPATH": str(ROOT) if anew else os.pathsep.join([str(ALONE), str(ROOT)]),
                "TMPDIR": str(place / "tmp"),
                "XDG_CACHE_HOME": str(self.folder / "cache"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heard_by_default,
            start_new_session=True,
        )
        try:
            if number is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(after)
                process.send_signal(number)
            _, said = process.communicate(timeout=ENDING_SECONDS if number else 300)
            return Ended(process.returncode, said, left(mark))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Ended(-1, f"it heard {number} and went on", left(mark))

    def kill(self, command, name, part, anew):
        """Kill a command in a part of its time, and go on; whatever is wrong, in words.

        It is forked; or it is started anew, and killed while it imports what it needs.
        """
        expected, files, seconds = self.unbroken(command)
        after = part * (self.starting if anew else seconds)
        place = self.folder / uuid.uuid4().hex
        number = signal.Signals[name]
        killed = self.start(command, place, number, after, anew)
        wrong = [f"orphans: {killed.orphans}"] * bool(killed.orphans)
        begun = (place / "out").exists()
        wrong += misspoken(killed, number, begun) + lies(command, place / "out", expected)
        checkpoint = last_checkpoint(place / "out")
        finished = is_finished(command, place / "out")
        if finished and command not in WITH_REPORT:
            again = killed
        else:  # what is finished may lack its report
            again = self.start("report of it" if finished else command, place)
        if not finished and (again.status or again.orphans):
            wrong.append(f"going on: {again}")
        elif told(command, place / "out") != expected:
            wrong.append("going on, it ended at other bits")
        if checkpoint and f"after {checkpoint[0]} epochs" not in again.said:
            wrong.append(f"going on, it left out the checkpoint {checkpoint}: {again.said}")
        found = names(place)
        if again is killed and killed.status == -signal.SIGKILL:
            found -= {"out/.lock"}  # between its last words and this, nobody could take it away
        if found != files:
            wrong.append(f"left over or lost: {sorted(found ^ files)}")
        how = "started" if anew else "forked"
        return [f"{command}, {how}, {name} after {after:.2f} s: {each}" for each in wrong]


def left(mark):
    """Processes of a case that live on after two seconds."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while (found := of_case(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return [str(process) for process in found]


def of_case(mark):
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.name() == mark[:15] or process.environ().get(MARK) == mark:
                found.append(process)
    return found


def misspoken(ended, number, begun):
    """What is wrong with how a command ended; it may have been quicker than the signal.

    A signal that comes while Python itself starts, before our first line, ends it in Python's way.
    """
    if number == signal.SIGKILL or (not begun and ended.status == -number):
        return [] if ended.status in (0, -number) else [f"exit status {ended.status}"]
    wrong = [] if ended.status in (0, 128 + number) else [f"exit status {ended.status}"]
    if "Traceback" in ended.said or ended.said.count("\n") > 1:
        wrong.append(f"it said {ended.said[-300:]!r}")
    return wrong


def is_finished(command, out):
    if command == "report":
        return False
    if command == "parity":
        return (out / "parity.csv").exists()
    record = out / RECORDS[command]
    return record.exists() and json.loads(record.read_bytes())["status"] == "finished"


def lies(command, out, expected):
    """What a folder says that is not so: that it is finished, or that it can be read."""
    if is_finished(command, out):
        return [] if told(command, out) == expected else ["it says that it is finished, and is not"]
    if command == "run" and (out / "run.json").exists():
        status = json.loads((out / "run.json").read_bytes())["status"]
        try:
            read_run(out)
        except RequestError as error:
            return [] if status == "running" else [f"it is {status}, and {error}"]
        return [] if status == "interrupted" else ["it is running, and is read"]
    return []


def last_checkpoint(out):
    """Whole epochs and steps of the last checkpoint of the row that was cut off."""
    if not (out / "checkpoints").is_dir():
        return None
    places = []
    for row in ("mxnet-style-scratch-1", "mxnet-style-fused-1"):
        final = out / "checkpoints" / f"{row}.safetensors"
        if not final.exists():
            newest = OnTheWay(final).newest_first()[:1]
            places += [re.search(r"\.at-(\d+)-(\d+)\.", path.name).groups() for path in newest]
    return places[0] if places else None


def names(place):
    """All files of a place, temporary ones too, but for the pictures of a report."""
    files = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    return {name for name in files if "/figures/" not in name}


def told(command, out):
    """All that a command writes that is the same every time."""
    match command:
        case "run":
            return of_run(out)
        case "study" | "spread":
            return [of_run(cell.parent) for cell in sorted(out.glob("*/*/run.json"))]
        case "bench":
            return read_bench(out).figures.variant.tolist()
        case "report":
            return (out / "report.md").read_bytes()
        case _:
            return {path.name: path.read_bytes() for path in sorted(out.glob("*.csv"))}


def of_run(out):
    with open(out / "epochs.csv", encoding="utf-8", newline="") as file:
        epochs = [[*line.values()][:-1] for line in csv.DictReader(file)]
    checkpoints = {path.name: path.read_bytes() for path in (out / "checkpoints").iterdir()}
    statuses = sorted(read_run(out).summary[["variant", "status"]].itertuples(index=False))
    return epochs, (out / "samples.csv").read_bytes(), checkpoints, statuses
