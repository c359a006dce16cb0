"""Hostile files: each of a sound kind, mutated from a seed, and given to a command that reads it.

A command may refuse such a file in one line, or give a row a status. It may not end in a traceback,
take longer than a minute, write outside of its folders, start another program, or make a page of
which anything is executed.
"""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from common.experiment import Experiment
from harness import recipes
from harness.cli import main
from harness.records.facts import sha256_of
from harness.run.progress import Silent
from harness.run.train import RunRequest, run
from tests.faults import mutations
from tests.harness.made_runs import make_parity
from tests.harness.records.test_reading import write_bench
from tests.serving.sketching import sketch

LONGEST = 60.0
"""Seconds that a file may take."""

TEXT = '"Time," said the <traveller>, \t=1+1 & so on; été 分开\n' * 60
PYTHONS = [
    word
    for name in ("mxnet-style", "mxnet", "torch", "jax", "tensorflow")
    for word in ("--python", f"{name}={shutil.which('false')}")
]
"""No worker trains: a file that passes for a study or a corpus is as good as run."""

STUDY = """\
title = "Small"
backends = ["mxnet-style"]
[settings]
num_epochs = 1
num_hiddens = 4
max_tokens = 2000
[[grid]]
name = "lr"
question = "What does it change?"
[grid.settings]
clip_theta = 0.5
[grid.vary]
lr = [0.5, 1.0]
"""


class TooLongError(BaseException):
    """A minute is over."""


@dataclass
class Attempt:
    """One file, and what became of the command that read it."""

    words: list[str]
    status: int = 0
    said: str = ""
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A kind of file.

    Attributes:
        share: how many of all 300 are of this kind.
        folder: with the sound file, among others.
        files: names of those that are mutated, one at a time.
        mutate: ways to mutate one.
        commands: words, in which ``IT`` stands for the folder's copy, ``FILE`` for the file, and
            ``OUT`` for a folder to write into.
    """

    share: int
    folder: str
    files: list[str]
    mutate: list[Callable[[bytes, random.Random], bytes]]
    commands: list[str]


BYTES, CSV, JSON, TOML = (
    getattr(mutations, f"in_{kind}") for kind in ("bytes", "csv", "json", "toml")
)
WORDS = mutations.in_words
READ = ["report IT --out OUT", "compare IT SOUND/run"]
CASES = {
    "checkpoint": Case(
        50,
        "run/checkpoints",
        ["mxnet-style-scratch-0.safetensors"],
        [BYTES, mutations.in_checkpoint, mutations.in_checkpoint],
        [
            "predict --checkpoint FILE --backend mxnet-style --num-preds 9",
            "run --resume FILE --num-epochs 4 --out OUT --quiet PYTHONS",
        ],
    ),
    "page": Case(
        50,
        "run",
        ["samples.csv", "samples.csv", "summary.csv", "run.json", "parity.csv"],
        [WORDS],
        ["report IT --out OUT"],
    ),
    "table": Case(
        40,
        "run",
        [f"{name}.csv" for name in "epochs summary samples baselines parity bench rounds".split()],
        [BYTES, CSV, CSV, CSV],
        READ,
    ),
    "record": Case(40, "run", ["run.json", "run.json", "bench.json"], [BYTES, JSON, JSON], READ),
    "cell": Case(
        25,
        "study",
        ["study.json", "lr/lr=0.5/run.json", "lr/lr=0.5/summary.csv", "lr/lr=1.0/run.json"],
        [BYTES, JSON],
        ["study SOUND/study.toml --out IT PYTHONS"],
    ),
    "study": Case(
        40, ".", ["study.toml"], [BYTES, TOML, TOML, TOML], ["study FILE --out OUT PYTHONS"]
    ),
    "recipes": Case(
        15,
        ".",
        ["recipes.toml"],
        [BYTES, TOML, TOML],
        ["list PYTHONS", "run --out OUT --quiet PYTHONS"],
    ),
    "text": Case(
        40,
        ".",
        ["text.txt"],
        [BYTES, mutations.in_text, mutations.in_text],
        ["corpus FILE --out OUT", "run --corpus FILE --out OUT --quiet PYTHONS"],
    ),
}  # fmt: skip


def make_sound(folder: Path) -> None:
    """Make a sound file of every kind."""
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    shutil.copyfile(recipes.FILE, folder / "recipes.toml")
    settings = {"num_hiddens": 4, "num_epochs": 2, "pred_period": 1, "num_preds": 9}
    settings |= {"corpus": str(folder / "text.txt"), "batch_size": 2, "num_steps": 5}
    experiment = Experiment(**settings, prefixes=('"Time',))
    asked = RunRequest("quickstart", experiment, ("mxnet-style",), out=folder / "run")
    assert run(asked, Silent()).exit_status == 0
    make_parity(folder / "run")
    write_bench(folder / "run")
    words = ["study", str(folder / "study.toml"), "--out", str(folder / "study")]
    with mock.patch("harness.page.write.draw", sketch):
        made = attempt(Attempt(words), [])
    assert (made.status, made.faults) == (0, []), made


@contextlib.contextmanager
def sound_files(folder: Path) -> Iterator[Path]:
    """A new folder with sound files of every kind, in whose home this process is for a while."""
    with _at_home(folder):
        (folder / "sound").mkdir()
        make_sound(folder / "sound")
        yield folder


def hostile(kind: str, number: int, seed: int, folder: Path) -> Attempt:
    """Mutate a file in a copy of its folder, and give it to a command; see `sound_files`."""
    case, rng = CASES[kind], random.Random(f"{seed}/{kind}/{number}")
    sound, work, out = folder / "sound", folder / "it", folder / "out"
    for old in (work, out):
        shutil.rmtree(old, ignore_errors=True)
    if case.folder == ".":
        work.mkdir()
        shutil.copyfile(sound / case.files[0], work / case.files[0])
    else:
        shutil.copytree(sound / case.folder, work)
    file = work / rng.choice(case.files)
    mutate = rng.choice(case.mutate)
    content = file.read_bytes()
    if file.suffix == ".csv" and mutate is JSON:
        mutate = CSV
    file.write_bytes(mutate(content, rng))
    if rng.random() < 0.9:
        vouch(file)
    named = {"IT": str(work), "FILE": str(file), "OUT": str(out), "SOUND": str(sound)}
    words = []
    for word in case.commands[number % len(case.commands)].split():
        head, _, rest = word.partition("/")
        path = "/".join(filter(None, [named.get(head, head), rest]))
        words += PYTHONS if word == "PYTHONS" else [path]
    made = [folder / "home", Path(words[words.index("--out") + 1]) if "--out" in words else out]
    tried = Attempt(words)
    if file.name == "recipes.toml":
        recipes.recipes.cache_clear()
        with mock.patch.object(recipes, "FILE", file):
            attempt(tried, made)
        recipes.recipes.cache_clear()
    else:
        attempt(tried, made)
    return tried


def vouch(table: Path) -> None:
    """Write a table's hash where a record vouches for it, as whoever means harm would."""
    for record in (table.with_name("run.json"), table.with_name("bench.json")):
        if table.suffix == ".csv" and record.is_file():
            facts = json.loads(record.read_bytes())
            if table.name in facts.get("files", {}):
                facts["files"][table.name] = sha256_of(table)
                record.write_text(json.dumps(facts), encoding="utf-8")


@contextlib.contextmanager
def _at_home(folder: Path) -> Iterator[None]:
    """Home, cache and working folder of its own, of which nothing stays."""
    home = folder / "home"
    (home / "tmp").mkdir(parents=True)
    kept = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "TMPDIR": str(home / "tmp")}
    before = Path.cwd()
    with mock.patch.dict(os.environ, kept), mock.patch.object(tempfile, "tempdir", None):
        os.chdir(home)
        try:
            yield
        finally:
            os.chdir(before)


def attempt(tried: Attempt, allowed: list[Path]) -> Attempt:
    """Run a command in this process, and note what it must not do."""
    out, err = io.StringIO(), io.StringIO()
    start = time.monotonic()

    def too_long(*_):
        raise TooLongError

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        with (
            mock.patch.object(sys, "argv", ["harness", *tried.words]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            WATCH.over(allowed, tried.faults),
        ):
            main()
    except SystemExit as stopped:
        tried.status = stopped.code or 0
    except TooLongError:
        tried.faults.append(f"over {LONGEST:g} s: " + "".join(traceback.format_exc(limit=-3)))
    except BaseException:
        tried.faults.append("traceback: " + traceback.format_exc(limit=-6))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    tried.seconds = time.monotonic() - start
    tried.said = err.getvalue()
    _judge(tried, out.getvalue())
    return tried


def _judge(tried: Attempt, out: str) -> None:
    """Hold what was said against what may be."""
    lines = tried.said.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if tried.status not in (0, 1, 2):
        tried.faults.append(f"exit status {tried.status}")
    if tried.status == 2 and len(errors) != 1:
        tried.faults.append(f"not one line: {tried.said[:500]!r}")
    if "Traceback" in out + tried.said:
        tried.faults.append(f"traceback: {(out + tried.said)[:1000]}")
    if strange := {char for char in out + tried.said if not char.isprintable()} - {"\n"}:
        tried.faults.append(f"not printable: {strange}")
    if max(map(len, lines), default=0) > 2000:
        tried.faults.append(f"a line of {max(map(len, lines))} characters")


class Watch:
    """Audit of this process: files opened to be written, programs started, code unpickled."""

    def __init__(self) -> None:
        self.allowed: list[str] | None = None
        self.faults: list[str] = []
        sys.addaudithook(self._hear)

    @contextlib.contextmanager
    def over(self, allowed: list[Path], faults: list[str]) -> Iterator[None]:
        """Listen while a command may write into these folders alone."""
        self.allowed, self.faults = [os.path.realpath(path) for path in allowed], faults
        try:
            yield
        finally:
            self.allowed = None

    def _hear(self, event: str, arguments: tuple) -> None:
        if not self.allowed:
            return
        if event == "open":
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._written(path)
        elif event in ("os.rename", "os.link", "os.symlink"):
            self._written(arguments[1])
        elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod"):
            self._written(arguments[0])
        elif event == "subprocess.Popen":
            words = [os.fsdecode(word) for word in arguments[1]]
            if not (words[0] in ("git", sys.executable) or Path(words[0]).name == "false"):
                self.faults.append(f"started {words}")
        elif event in ("os.system", "os.exec", "pickle.find_class"):
            self.faults.append(f"{event} {arguments}")

    def _written(self, path: str | bytes | int) -> None:
        if isinstance(path, int):
            return  # it was open already
        real = os.path.realpath(os.fsdecode(path))
        inside = any(real == each or real.startswith(f"{each}/") for each in self.allowed or [])
        if not (inside or real.startswith(("/dev/", "/proc/")) or "__pycache__" in real):
            self.faults.append(f"wrote {real}")


WATCH = Watch()
