"""``corpus``: the text before any network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.errors import RequestError
from common.vocab import Token
from harness.console import print_json, screen
from harness.options import CHOICE, DATA, FLAT, OUTPUT, DataDir, Force, Json, Options, as_options


@as_options({DATA: "max_tokens min_freq"})
class Settings(Options):
    """The settings of ``corpus`` that are options."""


def corpus(
    name: str | None = None,
    /,
    *,
    run: Annotated[Path | None, Parameter(group=CHOICE)] = None,
    data_dir: DataDir = None,
    token: Annotated[list[Token] | None, Parameter(negative=(), group=DATA)] = None,
    settings: Annotated[Settings | None, FLAT] = None,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    force: Force = False,
    json: Json = False,
) -> int:
    """Count a text: its tokens, Zipf's law, rare tokens, and how well counting predicts it.

    Parameters
    ----------
    name
        embedded, time-machine, lyrics, or a UTF-8 text file (default: every corpus that is here)
    run
        write only baselines.csv, into this run folder, for its report; on its own text and settings
    token
        what a token is (default: both, one after the other)
    out
        the folder that gets tables and report (default: runs/<time>-corpus; for several
        corpora, a folder in it for each)
    """
    from common import sources
    from common.pipes import kept
    from harness.corpus.measure import study, write
    from harness.corpus.report import told_of_corpus
    from harness.corpus.tables import table
    from harness.page.write import write_told
    from harness.paths import new_folder, refuse_to_overwrite, result_folder

    if run:
        if name or token or settings or out:
            raise RequestError("--run takes text and settings from the run: leave out the others")
        refuse_to_overwrite(run, "baselines.csv", force)
        return add_to_run(run, data_dir, json)
    chosen = settings or Settings()
    here = [each for each in sources.NAMES if sources.available(each, data_dir) is None]
    names = [kept(name)] if name else here
    out = out or new_folder("corpus")
    folders = [out if name else out / each for each in names]
    for folder in folders:
        refuse_to_overwrite(folder, "corpus.json", force)
    studies = [
        study(each, token or ("char", "word"), chosen.max_tokens, chosen.min_freq, data_dir)
        for each in names
    ]
    for studied, folder in zip(studies, folders, strict=True):
        with result_folder(folder, "corpus.json", force) as place:
            page = write_told(told_of_corpus(studied), place.path)
            write(studied, place.path)
        if not json:
            screen().print(table(studied))
            screen().print(Text(f"report: {folder / page.name}\n"), soft_wrap=True)
    if json:
        told = [
            each.as_json() | {"folder": str(folder)}
            for each, folder in zip(studies, folders, strict=True)
        ]
        print_json({"corpora": told})
    return 0


def add_to_run(folder: Path, data_dir: Path | None, json: bool) -> int:
    """Write the baselines of a run that has ended into its folder."""
    from harness.corpus.measure import add_baselines

    found = add_baselines(folder, data_dir)
    if json:
        print_json({"run": str(folder), "baselines": found.to_dict("records")})
    else:
        screen().print(Text(f"written: {folder / 'baselines.csv'}"), soft_wrap=True)
        screen().print(Text(f"for the report: python -m harness report {folder}"), soft_wrap=True)
    return 0
