"""Checks of a request before anything starts; each error names the settings it comes from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, dropwhile, islice, takewhile
from pathlib import Path
from typing import Any

import backends
from common.checkpoint import Checkpoint, load_checkpoint
from common.errors import RequestError, unknown
from common.experiment import Experiment
from common.inputs import Inputs
from common.sources import NAMES
from common.variants import unsupported
from common.vocab import UNK, Vocab

FIRST, MANY = 20, 10
"""Characters of a text's first words, and tokens that a note names, at most."""


def told_whose(
    error: RequestError, experiment: Experiment, given: Collection[str], source: str
) -> RequestError:
    """The error, with whose the settings are that it names and the user did not give.

    Args:
        error: names settings as ``--option value``.
        experiment: all settings.
        given: the names of those that the user gave.
        source: origin of the others, such as ``recipe quickstart``.
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


def own_prefixes(experiment: Experiment, inputs: Inputs, begins: bool) -> tuple[Experiment, str]:
    """The experiment with prefixes of its own corpus, and what is said of it.

    Prefixes that nobody gave are those of the recipe's corpus. A text of the user's own is
    continued from its first words, and so is a corpus that lacks their tokens.

    Args:
        experiment: nobody gave its prefixes.
        inputs: its own.
        begins: False where it goes on from a checkpoint, whose prefixes are of its text already.
    """
    vocab = inputs.vocab
    unseen = [t for p in experiment.prefixes for t in vocab.unseen(p)]
    if not unseen and not (begins and experiment.corpus not in NAMES):
        return experiment, ""
    beginning = first_words(inputs)
    said = f"no --prefix was given: continuing the text's first words, {beginning!r}"
    return experiment.model_copy(update={"prefixes": (beginning,)}), said


def first_words(inputs: Inputs) -> str:
    """The first words of a corpus, as many as are about `FIRST` characters, or three words."""
    vocab = inputs.vocab
    tokens = vocab.to_tokens(inputs.loader.corpus[: 3 * FIRST])
    tokens = dropwhile(lambda token: token == UNK or token.isspace(), tokens)
    known = takewhile(lambda token: token != UNK, tokens)
    if vocab.token == "word":
        return " ".join(islice(known, 3)) or vocab.token_freqs[0][0]
    text = "".join(known)
    line = (text.splitlines() or [""])[0]
    words = re.match(rf".{{1,{FIRST}}}(?!\S)", line)
    return (words[0].rstrip() if words else line[: FIRST // 2]) or vocab.token_freqs[0][0]


def unseen_by(vocab: Vocab, prefixes: Iterable[str]) -> str:
    """Note on what a vocabulary reads as ``<unk>`` in some prefixes; empty if nothing."""
    if vocab.unk is None:
        return ""  # such prefixes are refused
    unseen = dict.fromkeys(t for prefix in prefixes for t in vocab.unseen(prefix))
    if not unseen:
        return ""
    named = ", ".join(map(repr, islice(unseen, MANY))) + (", ..." if len(unseen) > MANY else "")
    return f"--prefix holds what the text never shows: {named}: each is read as {UNK}"


def select(
    names: Sequence[str], variants: Sequence[str], bench: bool = False
) -> list[tuple[str, str]]:
    """The (backend, variant) pairs asked for, in the order of the registry.

    Those for benchmarks alone are among them only where `bench` is true.

    Raises:
        RequestError: a backend or a variant does not exist, or a backend that was named has none of
            the variants.
    """
    known = list(backends.registry())
    for name in names:
        if backends.backend_of(name) not in known:
            raise unknown("backend", name, known)
    chosen = sorted(names, key=lambda name: known.index(backends.backend_of(name)))
    found = {name: _variants(name, variants, bench) for name in chosen or backends.by_default()}
    existing = list(dict.fromkeys(chain(*(_variants(name, variants, bench) for name in known))))
    for variant in variants:
        if variant not in existing:
            raise unknown("variant", variant, existing)
    for name in names:
        if variants and not {*variants} & {*found[name]}:
            there = ", ".join(found[name])
            raise RequestError(f"{name} has no variant {', '.join(variants)}: it has {there}")
    return [(n, v) for n, mine in found.items() for v in mine if v in variants or not variants]


def _variants(name: str, asked: Sequence[str], bench: bool) -> tuple[str, ...]:
    """The variants of a backend that may be asked for, or take part where none is."""
    entry = backends.entry(name)
    timed = entry.bench_variants + (entry.timed_on_request if asked else ())
    return entry.variants + (timed if bench else ())


def unable(backend: str, variant: str, experiment: Experiment) -> str | None:
    """The reason why a backend's variant cannot be the network of an experiment, or None."""
    return unsupported(experiment, variant) or backends.beyond(backend, experiment)


def corpus_facts(inputs: Inputs) -> dict[str, Any]:
    """Name, hash and sizes of a corpus, for ``run.json``."""
    prepared = inputs.prepared
    return {
        "name": prepared.name,
        "sha256": prepared.sha256,
        "characters": prepared.num_chars,
        "tokens": len(prepared.indices),
        "of_tokens": prepared.num_tokens,
        "vocab_size": len(inputs.vocab),
        "batches_per_epoch": len(inputs.loader),
    }


def check_inputs(inputs: Inputs, experiment: Experiment, resume: Path | None) -> None:
    """See that a corpus can be continued from the prefixes, and fits a checkpoint.

    Raises:
        RequestError: it cannot, or does not.
    """
    for prefix in experiment.prefixes:
        inputs.vocab.check_prefix(prefix)
    if resume:
        check_resume(load_checkpoint(resume), resume, experiment, inputs.vocab)


def check_resume(saved: Checkpoint, path: Path, experiment: Experiment, vocab: Vocab) -> None:
    """See that training can go on from a checkpoint.

    Raises:
        RequestError: the vocabulary or size is another, or nothing is left to train.
    """
    if saved.vocab.idx_to_token != vocab.idx_to_token:
        raise RequestError(
            f"--resume {path}: its vocabulary is not that of corpus {experiment.corpus}; "
            f"it was trained on {saved.experiment.corpus}"
        )
    asked = experiment.shapes(len(vocab))
    for name in asked | saved.weights:
        shape = saved.weights[name].shape if name in saved.weights else None
        if shape != asked.get(name):
            raise RequestError(
                f"--resume {path}: its {name} is {shape or 'not there'}, these settings ask for "
                f"{asked.get(name) or 'none'}: it goes on as the network that it is"
            )
    if saved.middle:
        raise RequestError(
            f"--resume {path}: written in the middle of an epoch: go on with its own run, whose "
            f"folder is --out, or take a checkpoint from the end of an epoch"
        )
    if saved.epoch >= experiment.num_epochs:
        raise RequestError(
            f"--resume {path}: trained for {saved.epoch} epochs already; "
            f"give --num-epochs more than that"
        )
