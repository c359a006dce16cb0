"""A study that is spread: an engine runs its cells, and what comes back is filed by this process.

Nobody else writes into the study's folder.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from rich.console import Console

from harness.checks import select
from harness.engines.choice import engine_of
from harness.engines.request import RunCell, versions_of
from harness.engines.store import Store
from harness.engines.task import Engine, Outcome, Task
from harness.engines.tries import tried
from harness.lock import locked
from harness.records.json_schemas import RunFacts
from harness.records.provenance import from_home
from harness.records.reading import has_finished, record
from harness.study.again import (
    Pair,
    alone_of,
    forget,
    gather_rows,
    placement_of,
)
from harness.study.filing import Filed, Filing
from harness.study.grid import GridCell, each_cell
from harness.study.progress import Progress
from harness.study.rows import title
from harness.study.run import (
    StudyRequest,
    begin,
    check_cells,
    is_finished,
    study_record,
    to_run_again,
)
from harness.study.texts import Texts
from harness.workers.source import source_hash

WRITERS = 8
"""Cells that are filed at once: a disk flushes many files in the time of one."""


def spread_study(
    order: StudyRequest,
    tell: Callable[[str], None],
    engine: Engine | None = None,
    console: Console | None = None,
) -> bool:
    """Have an engine run every cell that is not finished, as `harness.study.run.run_study` does.

    Args:
        order: the study.
        tell: is told a line at every cell.
        engine: runs the cells; None is that of the order.
        console: shows progress, if it is a terminal.

    Returns:
        False after Ctrl-C. Of cells that were lost, ``study.json`` says why.

    Raises:
        RequestError: a cell or the engine cannot be run, or a folder holds something else; nothing
            was run.
        StorageError: the study's folder cannot be written.
    """
    with locked(order.out):
        texts = Texts(order.data_dir)
        count = check_cells(order, texts)
        store = Store(order.store) if order.store else None
        if store:
            store.check_writable()
        with closing(engine or engine_of(order.engine, order.options)) as engine:
            begin(order)
            with Progress(count, tell, console) as progress:
                lost = Spread(order, engine, texts, store, progress).run()
        if lost is not None:
            study_record(order, lost).write("running")
        return lost is not None


class Spread:
    """A study on its way.

    Args:
        order: the study.
        engine: runs its cells.
        texts: of the study, which have been read.
        store: keeps finished cells; or None.
        progress: is told.
    """

    def __init__(
        self,
        order: StudyRequest,
        engine: Engine,
        texts: Texts,
        store: Store | None,
        progress: Progress,
    ) -> None:
        self.order, self.engine, self.texts = order, engine, texts
        self.store, self.progress = store, progress
        self.being_filed: deque[Future[Filed]] = deque()
        self.lost: dict[str, str] = {}
        self.pairs = select(order.study.backends, order.study.variants)
        self.filing = Filing(self.pairs, store)
        self.command = tuple(from_home(word) for word in sys.argv[1:])

    def run(self) -> dict[str, str] | None:
        """Run it; by the title of each cell that was lost, why, or None after Ctrl-C."""
        with ThreadPoolExecutor(WRITERS) as self.pool:
            try:
                for task, outcome in tried(self.engine, self.tasks(), self.progress.tell):
                    self.begin_filing(task, outcome)
                while self.being_filed:
                    self.end_filing()
            except KeyboardInterrupt:
                self.pool.shutdown(cancel_futures=True)
                return None
        return self.lost

    def tasks(self) -> Iterator[Task]:
        """The cells that are not finished, and the rows that are to be run again."""
        for cell in each_cell(self.order.study):
            folder = self.order.folder(cell)
            if not is_finished(self.order, cell):
                yield from self.rows(cell) if self.order.apart else self.whole(cell)
            elif pairs := [*to_run_again(self.order, cell)]:
                self.progress.count += len(pairs) - 1
                for pair in pairs:
                    yield from self.not_in_store(self.task(cell, pair))
            else:
                forget(folder)
                self.progress.done_before(title(cell))

    def whole(self, cell: GridCell) -> Iterator[Task]:
        """The task of a cell whose rows stay together."""
        yield from self.not_in_store(self.task(cell, None))

    def rows(self, cell: GridCell) -> Iterator[Task]:
        """The tasks of a cell whose rows may be apart, but for those that an earlier driver had."""
        folder, experiment = self.order.folder(cell), cell.experiment.model_dump(mode="json")
        self.progress.count += len(self.pairs) - 1
        waiting = []
        for pair in self.pairs:
            alone = alone_of(folder, pair)
            facts = record(alone, "run.json", RunFacts) if has_finished(alone) else {}
            if facts.get("experiment") == experiment:
                self.progress.done_before(f"{title(cell)}: {' '.join(pair)}")
            else:
                waiting.append(pair)
        for pair in waiting:
            yield from self.not_in_store(self.task(cell, pair))
        if not waiting:
            gather_rows(folder, self.pairs)

    def task(self, cell: GridCell, row: Pair | None) -> Task:
        """The task of a cell, or of a row of it."""
        study, experiment = self.order.study, cell.experiment
        folder, backends = self.order.folder(cell), row[:1] if row else study.backends
        placed = placement_of(folder) if row and has_finished(folder) else None
        data_dir = self.order.data_dir
        request = RunCell(
            name=title(cell),
            recipe=study.recipe,
            experiment=experiment,
            backends=backends,
            variants=row[1:] if row else study.variants,
            checkpoint_seconds=self.order.checkpoint_seconds,
            pythons={name: str(path.absolute()) for name, path in self.order.pythons.items()},
            data_dir=data_dir and str(data_dir.resolve()),
            corpus=self.texts.sha256(experiment),
            command=self.command,
            source=source_hash(),
            versions=versions_of(backends),
            placement=placed,
            share=self.engine.share,
            engine=self.engine.name,
            store=self.store and self.store.address,
        )
        return Task(request, folder, row, self.texts.path(experiment.corpus))

    def not_in_store(self, task: Task) -> Iterator[Task]:
        """The task, unless the store has it finished."""
        kept = self.store.get(task.request.key) if self.store else None
        if kept:
            self.begin_filing(task, kept, "from the store")
        else:
            self.progress.begun(task.request.name)
            yield task

    def begin_filing(self, task: Task, outcome: Outcome, how: str = "") -> None:
        """File an outcome beside others; waits where too many wait."""
        how = how or f"{outcome.header.seconds:.0f} s on {outcome.header.host}"
        self.being_filed.append(self.pool.submit(self.filing.filed, task, outcome, how))
        while self.being_filed and (
            self.being_filed[0].done() or len(self.being_filed) > 4 * WRITERS
        ):
            self.end_filing()

    def end_filing(self) -> None:
        """Tell of the outcome that was filed first."""
        filed = self.being_filed.popleft().result()
        if filed.lost:
            self.lost[filed.task.request.name] = filed.lost
        name = filed.task.request.name
        self.progress.ended(name, filed.told, filed.machine, bool(filed.lost))
