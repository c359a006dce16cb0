"""Answers of a sweep, a sentence a question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from harness.bench.answers import joined, times, titled, withheld
from harness.bench.ranking import match
from harness.bench.ratios import ShapeResult, common_forms, mean_speed
from harness.console import figure
from harness.intervals import Interval, interval
from harness.page.figure import MOST
from harness.scale.overtaking import Overtaking
from harness.scale.ranges import size
from harness.scale.slopes import FLAT, WITHIN, Slope
from harness.scale.swept import Swept
from harness.scale.tables import series_of, wide


def answers(swept: Swept, over: Sequence[Overtaking], slopes: Sequence[Slope]) -> list[str]:
    """Sentences on a sweep; the first is the answer.

    Args:
        swept: the sweep.
        over: who overtakes whom in it.
        slopes: of its forms.
    """
    if swept.forms.empty:
        return ["Nobody has figures."]
    if swept.vary.dimension in FLAT:
        return [" ".join(_flat(swept))]
    if not (names := common_forms([result for _, result in swept.points])):
        return ["Nobody has figures at every size."]
    if swept.vary.dimension == "threads":
        return [_gain(swept, names), _fastest(swept, over, names)]
    ends = groupby(slopes, lambda each: (each.first, each.last))
    costs = [_cost(swept, names, list(each)) for _, each in ends]
    told = [*costs, _fastest(swept, over, names), _texts(swept)]
    return [each for each in told if each]


def _fastest(swept: Swept, over: Sequence[Overtaking], names: Sequence[str]) -> str:
    """Sentence on who is the fastest at the largest size, and from which size on."""
    results = [result for _, result in swept.points]
    (first, last), unit, final = swept.ends, swept.vary.unit, results[-1]
    top, *others = sorted(names, key=lambda name: -mean_speed([final], name))
    reached = _of_floor(swept, top)
    if not others:
        speeds = wide(swept.table, "tokens_per_sec")[top]
        ends = (figure(speeds.iloc[place], ",.0f") for place in (0, -1))
        return f"{titled([final], top)}: {' to '.join(ends)} tokens/s, {first} to {last}{reached}."
    rival = next((n for n in others if n.split()[0] != top.split()[0]), others[0])
    held, name = match([final], top, rival), titled([final], top)
    if why := _busy(swept) or withheld(results):
        ratio = f"{held.ratio.median:.2f} times as fast as {titled([final], rival)}"
        return f"No verdict, for {why}; by its medians {name} is {ratio} at {last}."
    early = max(names, key=lambda name: mean_speed([results[0]], name))
    for each in over:
        if (each.form, each.other) == (top, early):
            began = f"From {size(swept.vary.dimension, each.value)} {unit} on"
            ratio = f"at {size(swept.vary.dimension, each.at)} it is {times(each.ratio)}"
            return (
                f"{began}, {name} overtakes {titled([final], early)}; {ratio} times as fast"
                f"{reached}."
            )
    if held.verdict == "tie":
        both = joined([name, titled([final], rival)])
        return f"At {last}, {both} tie: {times(held.ratio)}{reached}."
    always = f"From {first} to {last}" if _leads(results, top, names) else f"At {last}"
    at = f", at {last}" if always.startswith("From") else ""
    ratio = f"{times(held.ratio)} times as fast as {titled([final], rival)}"
    return f"{always}, {name} is the fastest{at} {ratio}{reached}."


def _leads(results: Sequence[ShapeResult], top: str, names: Sequence[str]) -> bool:
    """True if nobody is found to be faster at any size."""
    held = (match([each], top, name) for each in results for name in names if name != top)
    return all(each.verdict != "slower" for each in held)


def _of_floor(swept: Swept, name: str) -> str:
    shares, of_all = (
        wide(swept.table, quantity) for quantity in ("floor_fraction", "operations_fraction")
    )
    said = f", {shares[name].iloc[-1]:.2f} of the floor" if name in shares else ""
    return f"{said} ({of_all[name].iloc[-1]:.2f} of all operations)" if name in of_all else said


def _cost(swept: Swept, names: Sequence[str], slopes: Sequence[Slope]) -> str:
    """Sentence on the power of the size that a step's cost grows with, between two sizes."""
    mine = [each for each in slopes if f"{each.backend} {each.variant}" in names]
    if not mine:
        return ""
    dimension, whole = swept.vary.dimension, (mine[0].first, mine[0].last)
    words: dict[str, list[str]] = {}
    for each in sorted(mine, key=lambda each: names.index(f"{each.backend} {each.variant}")):
        name = titled([swept.points[-1][1]], f"{each.backend} {each.variant}")
        words.setdefault(each.verdict, []).append(f"{name} {times(each.found)}")
    power = f"the products say {mine[0].expected:.2f}"
    told = "; ".join(f"{verdict}: {joined(found)}" for verdict, found in words.items())
    first, last = (size(dimension, value) for value in whole)
    ends = f"from {first} to {last} {swept.vary.unit}"
    why = "No verdict, for the machine was busy. " if swept.busy else ""
    return f"{why}Power of {dimension} that a step costs, {ends}, where {power}: {told}."


def _texts(swept: Swept) -> str:
    """Sentence on who writes the fastest at the largest size."""
    speeds, firsts = (wide(swept.table, each) for each in ("generated_per_sec", "first_token_ms"))
    if speeds.empty:
        return ""
    top = str(speeds.iloc[-1].idxmax())
    (first, last), name = swept.ends, series_of(top).title
    written = [figure(speeds[top].iloc[place], ",.0f") for place in (0, -1)]
    waited = [figure(firsts[top].iloc[place], ".2f") for place in (0, -1)]
    return (
        f"{name} writes the fastest at {last}: {written[1]} tokens/s, the first after "
        f"{waited[1]} ms; at {first}, {written[0]} and {waited[0]} ms."
    )


def _gain(swept: Swept, names: Sequence[str]) -> str:
    """Sentence on how many times as fast the most threads are."""
    (few, least), (many, most) = swept.points[0], swept.points[-1]
    found = {name: interval(np.exp(-swept.relative[name][many])) for name in names}
    best = sorted(found, key=lambda name: -found[name].median)[:MOST]
    first, *others = [(titled([most], name), times(found[name])) for name in best]
    told = [f"{first[0]} is {first[1]} times as fast", *(f"{n} {ratio}" for n, ratio in others)]
    said = f"ith {many} threads instead of {few}, {joined(told)}"
    if why := _busy(swept) or withheld([least, most]):
        return f"No verdict, for {why}; w{said}."
    return f"W{said}."


def _by_median(ratio: Interval) -> float:
    """The distance of a ratio from 1, as a logarithm."""
    return abs(math.log(ratio.median))


def _by_end(ratio: Interval) -> float:
    """The distance from 1 of the farther end of its interval; infinite where it has none."""
    if math.isnan(ratio.low):
        return math.inf
    return max(math.log(ratio.high), -math.log(ratio.low))


def _flat(swept: Swept) -> list[str]:
    """Sentences on a cost that should not depend on the size: of a token, and of memory."""
    dimension = swept.vary.dimension
    ratios = {
        (name, value): interval(np.exp(logs))
        for name, of in swept.relative.items()
        for value, logs in of.items()
        if value != swept.vary.values[0]
    }
    what = {"corpus_size": "the size of the text", "num_epochs": "the length of the run"}[dimension]
    ends = "from {} to {}".format(*swept.ends)
    told = []
    if ratios:
        most = 1 + WITHIN
        beyond = [key for key, r in ratios.items() if r.low > most or r.high < 1 / most]
        known = all(1 / most <= r.low and r.high <= most for r in ratios.values())
        far = _by_median if beyond or known else _by_end
        worst = max(beyond or ratios, key=lambda key: far(ratios[key]))
        at = f"{size(dimension, worst[1])} {swept.vary.unit}"
        case = f"{series_of(worst[0]).title} costs {times(ratios[worst])} times as much at {at}"
        share = _percent(abs(ratios[worst].median - 1))
        if swept.busy:
            told.append(f"No verdict on the cost of a token, for the machine was busy: {case}.")
        elif beyond:
            told.append(f"The cost of a token is NOT flat in {what}: {case}, {ends}.")
        elif known:
            flat = f"The cost of a token is flat in {what}: within {share}, {ends}"
            told.append(f"{flat}; at most, {case}.")
        else:
            told.append(f"If the cost of a token is flat in {what}, rounds are too few: {case}.")
    memory = wide(swept.table, "memory_mb")
    if not memory.empty:
        grown = (memory.iloc[-1] - memory.iloc[0]).clip(lower=0)
        shares = grown / memory.iloc[0]
        growth, form = float(shares.max()), str(shares.idxmax())
        verb = "grows" if growth <= WITHIN else "GROWS"
        more = f"{_percent(growth)} ({float(grown[form]):.1f} MB, {series_of(form).title})"
        told.append(f"Memory {verb} by at most {more}, {ends}.")
    return told


def _busy(swept: Swept) -> str:
    """Reason why nothing can be said of speed; empty if it was quiet."""
    return "the machine was busy" if swept.busy else ""


def _percent(share: float) -> str:
    """A share, rounded up."""
    return f"{math.ceil(100 * share - 1e-9)} %"
