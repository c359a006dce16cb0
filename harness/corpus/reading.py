"""Results of ``corpus``, counted again for their report: tables hold the most frequent alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from common.errors import RequestError, in_one_line
from common.vocab import Token
from harness.console import printable
from harness.corpus.measure import Studied, study
from harness.records.agreement import damaged
from harness.records.columns import Whole
from harness.records.json_schemas import Open
from harness.records.tables import content


class CorpusFacts(Open):
    """``corpus.json``."""

    format: Literal[1] = 1
    corpus: str
    sha256: str
    max_tokens: Whole
    min_freq: Whole
    tokens: dict[Token, dict[str, Any]]


def recount(folder: Path) -> Studied:
    """Count the text of a folder again, as its record says.

    Raises:
        RequestError: the record is damaged, or the text cannot be had, or is not the same.
    """
    path = folder / "corpus.json"
    try:
        facts = CorpusFacts.model_validate_json(content(path))
    except ValidationError as error:
        raise damaged(path, in_one_line(error)) from error
    found = study(facts.corpus, [*facts.tokens], facts.max_tokens, facts.min_freq, None)
    if found.text.sha256 != facts.sha256:
        raise RequestError(
            printable(
                f"{folder}: corpus {facts.corpus} is not what was counted: its SHA-256 is "
                f"{found.text.sha256}, not {facts.sha256}; bring that file back"
            )
        )
    return found
