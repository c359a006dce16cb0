"""Engine ``ray``: cells on the nodes of a Ray cluster, each with its CPUs and GPUs.

Ray sends a function of this module by its name, a request and, once a node, the text; the project
is installed on every node. Ray itself tries nothing again: `harness.engines.tries` does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from common.errors import RequestError
from harness import interrupts
from harness.console import note
from harness.engines.flight import HEAR_SECONDS, in_flight
from harness.engines.node import work
from harness.engines.request import Share
from harness.engines.task import Outcome, Task

PROBE_SECONDS = 25.0
"""Time in which a cluster has to answer."""

PROBE = "import sys, ray; ray.init(sys.argv[1], log_to_driver=False)"
"""A driver that connects and goes: where no cluster answers, Ray may end its process."""

MEND = "start one (ray start --head), and if it has a token, give the same (RAY_AUTH_TOKEN)"

ROOM_SECONDS = 1.0
"""Time between two looks at how many nodes there are: some come, some go."""

LOOK_SECONDS = 20.0
"""Time in which a node has to say whether the project runs there."""

LOCAL = "Ray would start a cluster of its own: give --engine local --jobs N, or an address"


def _here() -> None:
    """Do nothing: whoever can call this has the project."""


def _asked(node: str) -> Any:
    """Reference to the answer of a node, which takes no CPU."""
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    called = ray.remote(_here).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    return called.remote()


def _is_here(answer: Any) -> bool:
    try:
        ray.get(answer)
    except RayTaskError:
        return False
    except RayError:  # it is gone
        pass
    return True


def _work(request: str, text: bytes | None) -> tuple[str, bytes]:
    """The node's number in its cluster, and what it did with a request."""
    return ray.get_runtime_context().get_node_id(), work(request, text)


class Ray:
    """The engine ``ray``.

    Args:
        address: of the cluster; ``auto`` finds one that runs on this machine.
        share: of a node, for each cell.

    Raises:
        RequestError: no cluster is there, or none of its nodes has so much.
    """

    name = "ray"

    def __init__(self, address: str, share: Share) -> None:
        self.share = share.of(1)
        _probe(address)
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of that
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        interrupts.hear()  # Ray takes SIGTERM for itself
        self.refused: dict[str, str] = {}  # why, by node: they are not like the driver's
        self.texts: dict[Path, Any] = {}
        self.work = ray.remote(_work)  # once: a worker is kept for calls of the same function
        self.looked = 0.0
        self.slots = 0
        if not self.room():
            wanted = f"{self.share.cpus} CPUs and {share.gpus} GPUs"
            raise RequestError(
                f"--address {address}: none of its nodes has {wanted}, which a cell is to have: "
                "give fewer by --cpus-per-cell and --gpus-per-cell"
            )

    def outcomes(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Every task with its outcome, as they come."""
        return in_flight(self, tasks)

    def room(self) -> int:
        """Tasks in flight: twice as many as the nodes have room for, so that none waits for us."""
        if time.monotonic() - self.looked > ROOM_SECONDS:
            self.looked = time.monotonic()
            before, self.slots = self.slots, sum(map(self._slots, ray.nodes()))
            if before and not self.slots and not self.refused:
                note("no node is left on the cluster that has room for a cell: waiting for one")
        return 2 * self.slots or len(self.refused)

    def _slots(self, node: dict[str, Any]) -> int:
        if not node["Alive"] or node["NodeID"] in self.refused:
            return 0
        told = node["Resources"]
        slots = int(told.get("CPU", 0) // (self.share.cpus or 1))
        if self.share.gpus:
            slots = min(slots, int(told.get("GPU", 0) // self.share.gpus))
        return slots

    def submit(self, task: Task) -> Any:
        """Begin a cell, on any node but those that have refused one."""
        options: dict[str, Any] = {}
        if not self.slots:
            return object()  # no node would ever take it
        if self.refused:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(sorted(self.refused))})"}
        called = self.work.options(
            name=task.request.name,
            num_cpus=self.share.cpus,
            num_gpus=self.share.gpus,
            max_retries=0,
            **options,
        )
        return called.remote(task.request.model_dump_json(), self._text(task))

    def _text(self, task: Task) -> Any:
        """Reference to the text, which goes to each node once; None if it comes with the source."""
        if task.text is None:
            return None
        if task.text not in self.texts:
            self.texts[task.text] = ray.put(task.text.read_bytes())
        return self.texts[task.text]

    def ready(self, running: Sequence[Any]) -> Sequence[Any]:
        """References to tasks that have ended."""
        if refused := [handle for handle in running if not isinstance(handle, ray.ObjectRef)]:
            return refused
        self.room()
        if self.refused and not self.slots:
            self.cancel(running)  # else they wait for ever for a node that has not refused
        if not running:  # all nodes are gone: others may come
            time.sleep(HEAR_SECONDS)
            return []
        some, _ = ray.wait([*running], num_returns=1, timeout=HEAR_SECONDS)
        if not some:
            return []
        ready, _ = ray.wait([*running], num_returns=len(running), timeout=0)
        return list(ready)

    def outcome(self, handle: Any) -> Outcome:
        """Outcome of a task that has ended."""
        if not isinstance(handle, ray.ObjectRef):
            reason = next(iter(self.refused.values()))
            return Outcome.ended("refused", f"every node there is refuses, the first for {reason}")
        try:
            node, sent = ray.get(handle)
        except RayTaskError as error:  # it cannot even be imported there
            return Outcome.ended("refused", self._look(str(error).strip().splitlines()[-1][:300]))
        except RayError as error:
            return Outcome.ended("lost", _said(error))
        outcome = Outcome.of(sent)
        if outcome.header.ending == "refused":
            self.refused[node] = outcome.header.reason
            self.looked = 0.0
        return outcome

    def _look(self, told: str) -> str:
        """Refuse every node on which the project does not run: Ray does not tell which it was.

        Args:
            told: by Ray, of one of them.

        Returns:
            The reason, with their names.
        """
        nodes = {
            node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes() if self._slots(node)
        }
        asked = {_asked(node): node for node in nodes}
        if not asked:  # known by now
            return f"the project does not run there: {told}"
        answers, late = ray.wait([*asked], num_returns=len(asked), timeout=LOOK_SECONDS)
        self.cancel(late)
        found = [asked[answer] for answer in answers if not _is_here(answer)]
        names = ", ".join(sorted({nodes[node] for node in found}))
        reason = f"the project does not run on {names or 'a node'}: {told}"
        self.refused |= dict.fromkeys(found, reason)
        self.looked = 0.0
        return reason

    def cancel(self, running: Sequence[Any]) -> None:
        """End all tasks."""
        for handle in running:
            if isinstance(handle, ray.ObjectRef):
                ray.cancel(handle, force=True)

    def close(self) -> None:
        """Leave the cluster."""
        ray.shutdown()


def _probe(address: str) -> None:
    if address == "local":
        raise RequestError(f"--address {address}: {LOCAL}")
    command = [sys.executable, "-c", PROBE, address]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RequestError(
            f"--address {address}: no Ray cluster answers there within {PROBE_SECONDS:g} s: {MEND}"
        ) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason told"]
        raise RequestError(
            f"--address {address}: no Ray cluster there: {lines[-1].strip()}: {MEND}"
        )


def _said(error: BaseException) -> str:
    """The kind of an error of Ray's and the first line of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
