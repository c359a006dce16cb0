"""The report of a corpus: what is in it, how it is spread, and how far counting predicts it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.corpus.charts import GRAMS, by_length, ranks, rare
from harness.corpus.measure import KINDS, Counted, Studied, shown
from harness.corpus.reading import recount
from harness.page import provenance
from harness.page.blocks import Block, Cell, Chart, Details, Facts, Note, Section, Table
from harness.page.series import records
from harness.page.told import Told, answers_of

FREQUENT = 10
"""N-grams of each length in the table."""

SMOOTHINGS = {"none": "maximum likelihood", "kneser-ney": "Kneser-Ney"}
MEASURES = ("perplexity", "train_perplexity", "val_perplexity")


def told_of(folders: Sequence[Path]) -> Told:
    """The report of the corpus in a folder, whose text is counted again.

    Raises:
        RequestError: its record is damaged, or the text is not there any more, or not the same.
    """
    (folder,) = folders
    return told_of_corpus(recount(folder))


def told_of_corpus(studied: Studied) -> Told:
    """The report of a corpus."""
    kinds = " and ".join(f"{KINDS[each.token]}" for each in studied.counted)
    told = sections(studied)
    title, about = f"The corpus {studied.name}", f"Counted in {kinds}"
    return Told(title, about, [], answers_of(told), told)


def sections(studied: Studied) -> list[Section]:
    """Question by question."""
    parts = (_contents, _zipf, _rare, _baselines, _reproduce)
    return [part(studied) for part in parts]


def _contents(studied: Studied) -> Section:
    sizes = ", ".join(
        f"{each.num_tokens:,} {KINDS[each.token]} of {len(each.vocab):,} kinds"
        for each in studied.counted
    )
    blocks: list[Block] = [_frequent(each) for each in studied.counted]
    facts = [("Corpus", studied.text.name), ("SHA-256", studied.text.sha256)]
    facts += [(name, f"{value:,}") for name, value in studied.asked.items() if value]
    answer = f"{studied.text.num_chars:,} characters, which are counted as {sizes}."
    details = Details("The most frequent, and its hash", [Facts(facts), *blocks])
    return Section("contents", "What is in it?", answer, [details])


def _frequent(each: Counted) -> Table:
    heads, texts = ["rank"], []
    for name in GRAMS:
        texts.append(len(heads))
        heads += [name, "times"]
    columns = [each.grams[each.grams.n == n].head(FREQUENT) for n in (1, 2, 3)]
    rows = []
    for i in range(max(map(len, columns))):
        row = [Cell(str(i + 1))]
        for column in columns:
            there = i < len(column)
            row.append(Cell(shown(column.text.iloc[i], each.token) if there else ""))
            row.append(Cell(f"{column['count'].iloc[i]:,}" if there else ""))
        rows.append(row)
    return Table(f"The most frequent, in {KINDS[each.token]}", heads, rows, tuple(texts))


def _zipf(studied: Studied) -> Section:
    section = Section("zipf", "Does it follow Zipf's law?", "")
    for each in studied.counted:
        rows = [
            [
                Cell(GRAMS[line["n"] - 1]),
                Cell(f"{line['distinct']:,}"),
                Cell(_figure(line["exponent"])),
                Cell(f"{line['first_rank']:,} to {line['last_rank']:,}"),
            ]
            for line in records(each.zipf)
        ]
        heads = ["n-grams", "distinct", "exponent", "ranks of the line"]
        grid = Table(f"Zipf's line, {KINDS[each.token]}", heads, rows)
        section.blocks.append(Chart(ranks(each), grid, half=True))
    last = studied.counted[-1]
    told = [_figure(float(exponent)) for exponent in last.zipf.exponent]
    section.answer = (
        f"Frequency falls with rank to the power of -a; in {KINDS[last.token]}, of unigrams, "
        f"bigrams and trigrams, a is {', '.join(told)}."
    )
    section.blocks.append(
        Note(
            "A line is fitted by least squares to the logarithms, from rank 10, for the first few "
            "are exceptions, to the last n-gram seen twice, for those seen once are a plateau."
        )
    )
    return section


def _rare(studied: Studied) -> Section:
    heads = ["min_freq"]
    for each in studied.counted:
        heads += [f"{KINDS[each.token]} left out", f"kinds of {KINDS[each.token]} kept"]
    rows = []
    for i, min_freq in enumerate(studied.counted[0].oov.min_freq):
        row = [Cell(str(min_freq))]
        for each in studied.counted:
            line = each.oov.iloc[i]
            row += [Cell(f"{line.share:.2%}"), Cell(f"{int(line.kept):,}")]
        rows.append(row)
    last = studied.counted[-1].oov.set_index("min_freq")
    answer = (
        f"A vocabulary of the {KINDS[studied.counted[-1].token]} seen at least "
        f"5 times leaves out {last.share[5]:.1%} of the text, and keeps "
        f"{int(last.kept[5]):,} of {int(last.kept[1]):,} kinds."
    )
    grid = Table("Out of vocabulary, as a share of all tokens", heads, rows)
    question = "What does a smaller vocabulary cost?"
    return Section("rare_tokens", question, answer, [Chart(rare(studied.counted), grid)])


def _baselines(studied: Studied) -> Section:
    section = Section("baselines", "How well does counting predict it?", "")
    answers = []
    for each in studied.counted:
        rows = [
            [
                Cell(row["model"]),
                Cell(SMOOTHINGS[row["smoothing"]]),
                *(Cell(_figure(row[name])) for name in MEASURES),
            ]
            for row in records(each.baselines)
        ]
        heads = ["model", "smoothing", "whole text, itself", "nine tenths, themselves"]
        grid = Table(f"Perplexity, {KINDS[each.token]}", [*heads, "last tenth"], rows, (0, 1))
        section.blocks.append(Chart(by_length(each), grid, half=True))
        best = each.baselines.sort_values("val_perplexity").iloc[0]
        answers.append(f"{best.val_perplexity:.2f} in {KINDS[each.token]} ({best.model})")
    section.answer = (
        "On the last tenth, from counts of the rest, down to a perplexity of "
        f"{' and '.join(answers)}."
    )
    section.blocks.append(
        Note(
            "Maximum likelihood knows the text it was counted on by heart, and holds impossible "
            "what it never saw; Kneser-Ney keeps something for it. A model is judged on text "
            "that it was not counted on."
        )
    )
    return section


def _reproduce(studied: Studied) -> Section:
    words = ["corpus", studied.text.name]
    if len(studied.counted) == 1:
        words += ["--token", studied.counted[0].token]
    for name, value in studied.asked.items():
        words += [f"--{name.replace('_', '-')}", str(value)] if value else []
    blocks: list[Block] = [provenance.command(words)]
    return Section("reproduce", "How can it be done again?", "With this command.", blocks)


def _figure(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "impossible" if math.isinf(value) else f"{value:.2f}"
