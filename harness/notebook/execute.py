"""Running a notebook: its outputs as a file keeps them, the same every time but for seconds."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Any

from backends import installs
from common.errors import RequestError
from harness.paths import ROOT
from harness.workers.errors import WorkerError

MEASURED = re.compile(r"[\d,]+(?:\.\d+)? (?=tokens/s|s\b|sec\b)")
"""A time or a speed in an output: another one at every run."""


def execute(text: str) -> str:
    """Run a notebook, as JSON, in this Python: the same with its outputs, in threads of one.

    Raises:
        RequestError: nbclient or ipykernel is not installed.
        WorkerError: a cell failed, or the kernel died.
    """
    import nbformat

    notebook = nbformat.reads(text, as_version=4)
    metadata = notebook.metadata.copy()
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # sums in one order
    run_cells(notebook, threads)
    notebook.metadata = metadata  # the kernel adds this Python's own version
    return f"{nbformat.writes(notebook).rstrip()}\n"


def run_cells(notebook: Any, variables: dict[str, str], timeout: int | None = None) -> None:
    """Run the cells of a notebook by this Python, in place, by no settings of the user's own.

    Args:
        notebook: of nbformat.
        variables: of the kernel's environment, besides those of this process.
        timeout: seconds that a cell may take; None waits.

    Raises:
        RequestError, WorkerError: as `execute`.
    """
    try:
        import ipykernel  # noqa: F401
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, DeadKernelError
    except ImportError as error:
        raise RequestError(f"{error.name} not installed: {installs('notebook')}") from error

    with tempfile.TemporaryDirectory() as folder:
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),  # none but this Python's own
            connection_file=os.path.join(folder, "kernel.json"),
            transport="ipc",
            ip=os.path.join(folder, "kernel"),
        )
        client = NotebookClient(
            notebook, km=manager, timeout=timeout, record_timing=False, coalesce_streams=True
        )
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        own = {"IPYTHONDIR": folder, "PYTHONPATH": path}
        try:
            client.execute(env=os.environ | own | variables, cleanup_kc=True)
        except CellExecutionError as error:
            said = " ".join(f"{error.ename}: {error.evalue}".split())
            raise WorkerError("error", f"{_failed(notebook)}: {said}") from error
        except DeadKernelError as error:
            raise WorkerError("crashed", f"its kernel died: {error}") from error


def _failed(notebook: Any) -> str:
    """The id of the cell that raised an error."""
    (name,) = [
        cell["id"]
        for cell in notebook.cells
        if any(output.output_type == "error" for output in cell.get("outputs", ()))
    ]
    return str(name)


def same_but_for_time(old: str, new: str) -> bool:
    """True where two notebooks differ in measured times and speeds alone."""
    return MEASURED.sub("", old) == MEASURED.sub("", new)
