"""Options of the commands whose cells an engine can do, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import BaseModel, Field

from harness.engines.choice import EngineOptions, check_engine, parse_slurm
from harness.engines.request import Share
from harness.options import MACHINE

OPTION = Parameter(group=MACHINE)
WITHOUT_NO = Parameter(group=MACHINE, negative=(), show_default=False)

StoreAddress = Annotated[
    str | None,
    Parameter(
        group=MACHINE,
        help="where nodes keep finished cells, as fsspec takes it: a folder, s3://..., gs://...",
    ),
]


class Engines(BaseModel):
    """The options of an engine, and what of a machine a cell is to have."""

    engine: Annotated[str, OPTION] = Field(
        "local",
        description="where the cells are done: local, ray or slurm, or another that is installed",
    )
    jobs: Annotated[int, OPTION] = Field(1, ge=1, description="cells at once, of the engine local")
    address: Annotated[str | None, OPTION] = Field(
        None,
        description="of a Ray cluster (default: auto, which is one that runs on this machine)",
    )
    slurm: Annotated[list[str] | None, WITHOUT_NO] = Field(
        None,
        description="NAME=VALUE: a parameter of its jobs, such as partition=long or time=120, in "
        "minutes (repeat)",
    )
    cpus_per_cell: Annotated[int | None, OPTION] = Field(
        None, ge=1, description="CPUs of a cell (default: 1; one after the other, all of them)"
    )
    gpus_per_cell: Annotated[int, OPTION] = Field(
        0, ge=0, description="GPUs of a cell; without, a cell that an engine does sees none"
    )
    exclusive: Annotated[bool, WITHOUT_NO] = Field(
        False, description="do one cell at a time on each machine"
    )

    def checked(self, folder: Path) -> EngineOptions:
        """The options as an engine takes them.

        Args:
            folder: of the result; an engine may keep files in ``.jobs`` there.

        Raises:
            RequestError: there is no such engine, or an option is another's.
        """
        share = Share(cpus=self.cpus_per_cell, gpus=self.gpus_per_cell, exclusive=self.exclusive)
        slurm = parse_slurm(self.slurm or [])
        options = EngineOptions(self.jobs, self.address, slurm, share, folder / ".jobs")
        check_engine(self.engine, options)
        return options


AsOptions = Annotated[Engines | None, Parameter(name="*")]
