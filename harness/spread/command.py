"""``run`` and ``bench`` with the options of engines: what they compare stays on one machine.

A seed is a cell of a study, a shape a contest; so neither ever crosses machines. Without any of
these options, and with one seed, a command is as it is alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any

from cyclopts import Parameter

from common.errors import RequestError
from harness.bench import command as alone_bench
from harness.engines.options import AsOptions, Engines, StoreAddress
from harness.options import MACHINE
from harness.run import command as alone_run

Command = Callable[..., int]

Apart = Annotated[
    bool,
    Parameter(
        negative=(),
        group=MACHINE,
        show_default=False,
        help="let an engine run each backend on whatever machine is free, though their speeds are "
        "then compared within a machine alone",
    ),
]


def with_options(alone: Command, **added: Any) -> Callable[[Command], Command]:
    """Give a command the options of another one as well.

    Args:
        alone: the other.
        added: options of its own, by name, with their types.
    """

    def make(command: Command) -> Command:
        options = [inspect.signature(command).parameters[name] for name in added]
        own = wraps(alone)(command)
        told = inspect.signature(alone)
        own.__signature__ = told.replace(  # type: ignore[attr-defined]
            parameters=[*told.parameters.values(), *options]
        )
        own.__annotations__ = alone.__annotations__ | added
        return own

    return make


@with_options(alone_run.run, engines=AsOptions, store=StoreAddress, apart=Apart)
def run(
    *,
    engines: Engines | None = None,
    store: str | None = None,
    apart: bool = False,
    **options: Any,
) -> int:
    """Run one seed here, or several as a study."""
    from harness.options import split

    if not (engines or store or apart or len(split(options.get("seed"))) > 1):
        return alone_run.run(**options)
    from harness.spread.seeds import run_seeds

    return run_seeds(engines or Engines(), store, bool(apart), **options)


@with_options(alone_bench.bench, engines=AsOptions)
def bench(*, engines: Engines | None = None, **options: Any) -> int:
    """Time shapes here, one after the other, or have an engine time them."""
    if not engines:
        return alone_bench.bench(**options)
    from harness.spread.shapes import time_shapes

    if options.get("generate"):
        raise RequestError("--generate: texts are timed here alone; leave --engine out")
    return alone_bench.bench(**options, by=partial(time_shapes, engines))
