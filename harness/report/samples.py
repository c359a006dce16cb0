"""Samples: the generated texts, those that agree told once."""

from __future__ import annotations

from itertools import takewhile

import pandas as pd

from harness.console import printable
from harness.page.blocks import Block, Section, Texts, Voice
from harness.page.series import Series, in_order
from harness.page.shown import cut
from harness.report.groups import RunGroup

LONGEST = 20_000
"""Characters of a text; ``samples.csv`` has all of it."""


def samples(group: RunGroup) -> Section:
    """The texts of a group; those of the first prefix and seed are open."""
    name = group.place("samples")
    return Section(name, "What do they write?", _answer(group), _texts(group))


def _answer(group: RunGroup) -> str:
    if group.samples.empty:
        return "Nothing was generated."
    last = group.samples[group.samples.epoch == group.samples.epoch.max()]
    writers = len(in_order(last))
    same = last.groupby(["seed", "prefix"]).text.nunique()
    where = f"After epoch {int(last.epoch.max())}"
    if writers == 1:
        return f"{where}, the texts below."
    if (same == 1).all():
        return f"{where}, all {writers} write the same text, letter for letter."
    return f"{where}, {(same == 1).sum()} of {len(same)} texts are the same from all {writers}."


def _texts(group: RunGroup) -> list[Block]:
    blocks: list[Block] = []
    for seed in group.seeds:
        mine = group.samples[group.samples.seed == seed]
        for prefix in dict.fromkeys(mine.prefix):
            found = mine[mine.prefix == prefix]
            epochs = {
                int(str(epoch)): voices(each) for epoch, each in found.groupby("epoch", sort=True)
            }
            after = f", seed {seed}" if len(group.seeds) > 1 else ""
            folded = bool(blocks)
            blocks.append(Texts(printable(cut(prefix)), after, epochs, folded))
    return blocks


def voices(samples: pd.DataFrame) -> list[Voice]:
    """The different texts of one prefix, seed and epoch, the most common first."""
    writers = in_order(samples)
    written: dict[str, set[Series]] = {}
    for backend, variant, text in zip(samples.backend, samples.variant, samples.text, strict=True):
        written.setdefault(printable(cut(text, LONGEST)), set()).add(Series(backend, variant))
    ranked = sorted(written, key=lambda text: -len(written[text]))
    prefix = printable(cut(samples.prefix.iloc[0], LONGEST))
    voices = []
    for text in ranked:
        start = prefix if text.startswith(prefix) else ""
        agrees = sum(1 for _ in takewhile(_same, zip(text, ranked[0], strict=False)))
        mine = [series for series in writers if series in written[text]]
        unanimous = len(ranked) == 1 and len(writers) > 1
        rest = text[len(start) :]
        voices.append(Voice(start, rest, max(0, agrees - len(start)), mine, unanimous))
    return voices


def _same(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]
