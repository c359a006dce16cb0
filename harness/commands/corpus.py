"""``corpus``: the text before any network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from common.errors import RequestError
from common.vocab import Token
from harness.commands.options import CHOICE, DATA, OUTPUT, Flag, print_json, screen


def corpus(
    name: str | None = None,
    /,
    *,
    run: Annotated[Path | None, Parameter(group=CHOICE)] = None,
    data_dir: Annotated[Path | None, Parameter(group=DATA)] = None,
    token: Annotated[list[Token] | None, Parameter(negative=(), group=DATA)] = None,
    max_tokens: Annotated[int, Parameter(group=DATA)] = 0,
    min_freq: Annotated[int, Parameter(group=DATA)] = 0,
    out: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    json: Flag = False,
) -> int:
    """Count a text: its tokens, Zipf's law, rare tokens, and how well counting predicts it.

    Parameters
    ----------
    name
        embedded, time-machine, lyrics, or a UTF-8 text file (default: every corpus that is here)
    run
        write only baselines.csv, into this run folder, for its report; on its own text and settings
    data_dir
        where to look first for a published corpus
    token
        what a token is (default: both, one after the other)
    max_tokens
        count so many tokens from the start (0: all)
    min_freq
        tokens seen less often become <unk>
    out
        the folder that gets tables and report (default: results/corpus/NAME; for several corpora,
        a folder in it for each)
    json
        print the result as JSON alone
    """
    from common import sources
    from harness.corpus import study, write
    from harness.corpustable import table
    from harness.report.corpus import write_corpus

    if run:
        if name or token or max_tokens or min_freq or out:
            raise RequestError("--run takes text and settings from the run: leave out the others")
        return add_to_run(run, data_dir, json)
    here = [each for each in sources.NAMES if sources.available(each, data_dir) is None]
    studies = [
        study(each, token or ("char", "word"), max_tokens, min_freq, data_dir)
        for each in ([name] if name else here)
    ]
    folders = [out if out and name else (out or FOLDER) / each.name for each in studies]
    for studied, folder in zip(studies, folders, strict=True):
        write(studied, folder)
        page = write_corpus(studied, folder)
        if not json:
            screen().print(table(studied))
            screen().print(Text(f"report: {page}\n"), soft_wrap=True)
    if json:
        told = [
            each.as_json() | {"folder": str(folder)}
            for each, folder in zip(studies, folders, strict=True)
        ]
        print_json({"corpora": told})
    return 0


FOLDER = Path("results/corpus")


def add_to_run(folder: Path, data_dir: Path | None, json: bool) -> int:
    """Write the baselines of a run that has ended into its folder."""
    from harness.corpus import add_baselines

    found = add_baselines(folder, data_dir)
    if json:
        print_json({"run": str(folder), "baselines": found.to_dict("records")})
    else:
        screen().print(Text(f"written: {folder / 'baselines.csv'}"), soft_wrap=True)
        screen().print(Text(f"for the report: python -m harness report {folder}"), soft_wrap=True)
    return 0
