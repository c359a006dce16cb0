"""Engine ``slurm``: a job of Slurm for every cell, by submitit.

The driver and the nodes share a file system, in which submitit keeps its jobs, and see the texts.
What submitit pickles is a function of ours by its name, and a text.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedSubmissionError, UncompletedJobError

from common.errors import RequestError, in_one_line
from harness.engines.flight import HEAR_SECONDS, in_flight
from harness.engines.node import work
from harness.engines.request import Share
from harness.engines.task import Outcome, Task

MOST = 256
"""Jobs in flight, where `array_parallelism` says nothing else."""

MINUTES = 60
"""Time of a job, where ``time`` says nothing else."""

OURS = {
    "cpus_per_task": "say it by --cpus-per-cell",
    "gpus_per_node": "say it by --gpus-per-cell",
    "exclusive": "say it by --exclusive",
    "nodes": "a cell is on one node",
    "ntasks_per_node": "a cell is one task",
}
"""Parameters that follow from what a cell is."""


class Slurm:
    """The engine ``slurm``.

    Args:
        folder: of the jobs, which the nodes see.
        share: of a node, for each cell.
        parameters: as `submitit.SlurmExecutor` takes them; ``cluster=local`` runs jobs here.

    Raises:
        RequestError: there is no Slurm, or no such parameter.
    """

    name = "slurm"

    def __init__(self, folder: Path, share: Share, parameters: Mapping[str, str]) -> None:
        self.share = share.of(1)
        for name in OURS.keys() & parameters.keys():
            raise RequestError(f"--slurm {name}={parameters[name]}: {OURS[name]}")
        self.most = _count(parameters, "array_parallelism", MOST)
        minutes = _count(parameters, "time", MINUTES)
        cluster = parameters.get("cluster", "slurm")
        asked: dict[str, Any] = {
            name: int(text) if text.isdecimal() else text
            for name, text in parameters.items()
            if name not in ("array_parallelism", "time", "cluster")
        }
        told: dict[str, Any] = {"timeout_min": minutes, "cpus_per_task": self.share.cpus}
        told |= {"gpus_per_node": share.gpus} if share.gpus else {}
        told |= {f"slurm_{name}": value for name, value in asked.items()}
        told |= {"slurm_exclusive": True} if share.exclusive else {}
        try:
            self.executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self.executor.update_parameters(**told)
        except (RuntimeError, ValueError, TypeError, NameError, AssertionError) as error:
            with suppress(OSError):
                folder.rmdir()
            raise RequestError(f"--engine slurm: {in_one_line(error)}") from error

    def outcomes(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Every task with its outcome, as they come."""
        return in_flight(self, tasks)

    def room(self) -> int:
        """Jobs that may be in flight."""
        return self.most

    def submit(self, task: Task) -> Any:
        """Submit a job.

        Raises:
            RequestError: Slurm refuses it.
        """
        try:
            return self.executor.submit(work, task.request.model_dump_json())
        except FailedSubmissionError as error:
            raise RequestError(f"--engine slurm: {in_one_line(error)}") from error

    def ready(self, running: Sequence[Any]) -> Sequence[Any]:
        """Jobs that have ended."""
        if not (ready := [job for job in running if job.done()]):
            time.sleep(HEAR_SECONDS)
        return ready

    def outcome(self, handle: Any) -> Outcome:
        """Outcome of a job that has ended: one without a result was lost with its node."""
        try:
            return Outcome.of(handle.result())
        except UncompletedJobError:
            return Outcome.ended("lost", _why(handle))
        finally:
            for path in (handle.paths.result_pickle, handle.paths.submitted_pickle):
                path.unlink(missing_ok=True)  # the result is as large as a cell

    def cancel(self, running: Sequence[Any]) -> None:
        """Cancel all jobs."""
        for job in running:
            job.cancel(check=False)

    def close(self) -> None:
        """Nothing is held."""


def _count(parameters: Mapping[str, str], name: str, default: int) -> int:
    """A parameter that is a whole number, of jobs or of minutes."""
    text = parameters.get(name, str(default))
    if not (text.isdecimal() and int(text)):
        raise RequestError(f"--slurm {name}={text}: a whole number, at least 1")
    return int(text)


def _why(job: Any) -> str:
    """State of a job that has no result, and the last line of its log."""
    log = job.paths.stderr
    told = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
    said = f": {told.splitlines()[-1].strip()[:200]}" if told else ""
    return f"job {job.job_id} ended without a result, {job.state}{said}"
