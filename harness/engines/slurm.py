"""Engine ``slurm``: a job of Slurm for every cell, by submitit.

The driver and the nodes share a file system, in which submitit keeps its jobs, and see the texts.
What submitit pickles is a function of ours by its name, and a text.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
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
        asked: dict[str, Any] = {name: _value(text) for name, text in parameters.items()}
        cluster = asked.pop("cluster", "slurm")
        minutes = asked.pop("time", MINUTES)
        self.most = int(asked.pop("array_parallelism", MOST))
        told: dict[str, Any] = {"timeout_min": minutes, "cpus_per_task": self.share.cpus}
        told |= {"gpus_per_node": share.gpus} if share.gpus else {}
        told |= {f"slurm_{name}": value for name, value in asked.items()}
        told |= {"slurm_exclusive": True} if share.exclusive else {}
        try:
            self.executor = submitit.AutoExecutor(folder=folder, cluster=str(cluster))
            self.executor.update_parameters(**told)
        except (RuntimeError, ValueError, TypeError, NameError, AssertionError) as error:
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
        except UncompletedJobError as error:
            return Outcome.ended("lost", f"job {handle.job_id}: {_said(error)}")
        finally:
            for path in (handle.paths.result_pickle, handle.paths.submitted_pickle):
                path.unlink(missing_ok=True)  # the result is as large as a cell

    def cancel(self, running: Sequence[Any]) -> None:
        """Cancel all jobs."""
        for job in running:
            job.cancel(check=False)

    def close(self) -> None:
        """Nothing is held."""


def _value(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
