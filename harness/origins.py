"""Whose a setting is: what the user did not give is not blamed on the user."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from common.by_hand import NUM_FIRST
from common.errors import RequestError
from common.experiment import Experiment
from common.setup import load_batches


def told_whose(
    error: RequestError, experiment: Experiment, given: Collection[str], source: str
) -> RequestError:
    """The error, with whose the settings are that it names and the user did not give.

    Args:
        error: names settings as ``--option value``.
        experiment: all settings.
        given: the names of those that the user gave.
        source: where the others come from, such as ``recipe quickstart``.
    """
    message = str(error)
    others = []
    for name, value in experiment.model_dump().items():
        option = "--" + name.replace("_", "-")
        named = f"{option} {value}" in message or (
            name == "corpus" and message.startswith(f"corpus {value}:")
        )
        if named and name not in given:
            others.append(option)
    if not others:
        return error
    return RequestError(f"{message} ({', '.join(others)}: from {source}, not given)")


def own_prefixes(experiment: Experiment, data_dir: Path | None) -> tuple[Experiment, str]:
    """The experiment with prefixes that its corpus can spell, and what is said of it.

    Prefixes that nobody gave are those of the recipe's corpus. A corpus that lacks their tokens is
    continued from its own beginning.
    """
    loader, vocab = load_batches(experiment, data_dir)
    unseen = [t for p in experiment.prefixes for t in vocab.split(p) if t not in vocab]
    if not unseen:
        return experiment, ""
    beginning = vocab.join(loader.corpus[:NUM_FIRST])
    said = f"the corpus lacks {unseen[0]!r} of the usual prefixes: continuing {beginning!r}"
    return experiment.model_copy(update={"prefixes": (beginning,)}), said
