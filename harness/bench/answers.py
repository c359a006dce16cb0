"""Answers of a contest, a sentence a question."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bench.floor import OPERATIONS, PRODUCTS, limits
from harness.bench.ranking import Match, against_reference, match, reference
from harness.bench.ratios import ShapeResult, best_forms, mean_speed, ratio_over, said_of
from harness.intervals import FEWEST, Interval, bounds
from harness.page.series import framework


def answers(results: Sequence[ShapeResult], against: str = "") -> list[str]:
    """Sentences on the shapes of a contest; none where nobody has figures on all of them."""
    best = best_forms(results)
    if not best:
        return []
    said = [_fastest(results, list(best.values()))] if len(best) > 1 else []
    said += [_forms(results, list(best.values())), _of_floor(results, list(best.values()))]
    if against and (base := reference(results, against)):
        said.append(_against(results, base, against_reference(results, against)))
    return [each for each in said if each]


def titled(results: Sequence[ShapeResult], name: str) -> str:
    """A form by the names that people know."""
    form = results[0].forms[name]
    return f"{framework(form.backend)} {form.label}"


def withheld(results: Sequence[ShapeResult]) -> str:
    """Reason why no verdict is given; empty if verdicts are given."""
    busy = [each.shape for each in results if each.quiet.busy]
    if busy:
        on = f" on {', '.join(busy)}" if len(results) > 1 else ""
        return f"the machine was busy{on}"
    fewest = min(len(form.turns) for each in results for form in each.forms.values())
    if fewest < FEWEST:
        return f"{fewest} rounds are too few, {FEWEST} are needed"
    if any(each.twin is None for each in results):
        return "no contender could be held against itself"
    return ""


def times(ratio: Interval) -> str:
    """A ratio with its interval: ``1.52 [1.41, 1.63]``."""
    ends = f" [{bounds(ratio.low, ratio.high, ', ')}]" if ratio.known else ""
    return f"{ratio.median:.2f}{ends}"


def joined(words: Sequence[str]) -> str:
    """Words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _fastest(results: Sequence[ShapeResult], best: list[str]) -> str:
    """Sentence on the best forms of the frameworks, the fastest first."""
    top, *others = best
    matches = [match(results, top, other) for other in others]
    if why := withheld(results):
        told = [f"{m.ratio.median:.2f} times {titled(results, m.base)}" for m in matches]
        return f"No verdict, for {why}; by its median {titled(results, top)} is {joined(told)}."
    tied = [top, *(m.base for m in matches if m.verdict == "tie")]
    behind = [m.base for m in matches if m.verdict != "tie"]
    names = joined([titled(results, name) for name in tied])
    if not behind:
        told = [f"{times(m.ratio)} times {titled(results, m.base)}" for m in matches]
        return f"On this machine, {names} tie: {titled(results, top)} is {joined(told)}."
    told = []
    for other in behind:
        over = _pooled(results, tied, other)
        told.append(f"{times(over)} times as fast as {titled(results, other)}")
    if len(tied) == 1:
        return f"On this machine, {names} is the fastest: {joined(told)}."
    them = "both are" if len(tied) == 2 else "they are"
    return f"On this machine, {names} tie; {them} {joined(told)}."


def _pooled(results: Sequence[ShapeResult], tied: Sequence[str], other: str) -> Interval:
    """Speed of forms that tie, their geometric mean, as a multiple of another's."""
    over = ratio_over(results, tied, other)
    return Interval(1 / over.median, 1 / over.high, 1 / over.low)


def _forms(results: Sequence[ShapeResult], best: list[str]) -> str:
    """Sentence on the best form of each framework against its own layers."""
    told = []
    for name in best:
        form = results[0].forms[name]
        concise = f"{form.backend} concise"
        if concise not in results[0].forms or any(concise not in r.forms for r in results):
            continue
        if name == concise:
            told.append(titled(results, name))
            continue
        over = ratio_over(results, [concise], name)
        tie = ", a tie" if said_of(results, over) == "tie" else ""
        told.append(f"{titled(results, name)} ({times(over)} times its concise{tie})")
    return f"Best forms: {joined(told)}." if told else ""


def _of_floor(results: Sequence[ShapeResult], best: list[str]) -> str:
    """Sentence on how near the fastest form comes to the floor of one shape."""
    floors = limits(results[0].found)
    if len(results) > 1 or not floors:
        return ""
    speed = mean_speed(results, best[0])
    told = [f"{speed * floors[PRODUCTS]:.2f} of the speed of the matrix products alone"]
    if OPERATIONS in floors:
        told.append(f"{speed * floors[OPERATIONS]:.2f} of that of all operations")
    return f"{titled(results, best[0])} reaches {joined(told)}."


def _against(results: Sequence[ShapeResult], base: str, matches: Sequence[Match]) -> str:
    """Sentence on the form that was asked for."""
    named = titled(results, base)
    if not matches:
        return ""
    fastest = max(matches, key=lambda each: each.ratio.median)
    told = f"the fastest other, {titled(results, fastest.form)}, is {times(fastest.ratio)} times it"
    if why := withheld(results):
        return f"Against {named}: {told}; no verdict, for {why}."
    groups = {
        word: [titled(results, each.form) for each in matches if each.verdict == verdict]
        for word, verdict in (("faster", "faster"), ("as fast", "tie"), ("slower", "slower"))
    }
    counts = ", ".join(f"{len(names)} {word}" for word, names in groups.items() if names)
    return f"Against {named}: {counts}; {told}."
