"""What several comparisons of base and head say together: a regression is what every turn shows."""

import json
import math
import sys
from pathlib import Path
from statistics import median

from rich.text import Text

from harness.console import printable, titled
from harness.formats import Outcome, Sheet, tell
from harness.records.provenance import source_of


def main() -> int:
    """Print annotations and the summary; 1 if something regressed in every turn."""
    turns = [json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:]]
    threshold = turns[0]["threshold"]
    changes = [{key(each): each for each in turn["changes"]} for turn in turns]
    outcomes, sheet = [], Sheet()
    table = titled(f"head / base, in {len(turns)} turns; a regression is a loss of {threshold:.0%}")
    for head in ("shape", "backend", "variant"):
        table.add_column(head)
    for head in ("head / base", "each turn", "verdict"):
        table.add_column(head, justify="right")
    for name in dict.fromkeys(name for found in changes for name in found):
        found = [of[name] for of in changes if name in of and of[name]["ratio"]]
        if not found:
            continue
        ratio = math.exp(median(math.log(each["ratio"]) for each in found))
        each_turn = ", ".join(f"{each['ratio']:.3f}" for each in found)
        regressed = len(found) == len(turns) and all(each["regressed"] for each in found)
        verdicts = {each["verdict"] for each in found}
        verdict = verdicts.pop() or "cannot be told" if len(verdicts) == 1 else "tie"
        cells = [printable(part) for part in name]
        table.add_row(*cells, f"{ratio:.3f}", each_turn, "regression" if regressed else verdict)
        said = f"{ratio:.3f} times as fast as base ({each_turn})"
        status = "failed" if regressed else "passed"
        measure, *whose = name
        outcomes.append(Outcome(measure, " ".join(whose), status, said, file=source_of(*whose)))
    for name in dict.fromkeys(name for turn in turns for name in turn["lost"]):
        why = next(turn["lost"][name] for turn in turns if name in turn["lost"])
        outcomes.append(Outcome("rows", name, "failed", f"was ok in base, is {why}"))
    if not outcomes:
        outcomes.append(Outcome("rows", "everything", "failed", "nothing was compared"))
    sheet.print(table)
    for each in outcomes:
        if each.status == "failed":
            sheet.print(Text(f"{each.group}, {each.name}: {each.reason}"))
    tell("github", "head against base", outcomes, sheet)
    return int(any(each.status == "failed" for each in outcomes))


def key(change: dict[str, str]) -> tuple[str, str, str]:
    """What a change is of."""
    return change["measure"], change["backend"], change["variant"]


if __name__ == "__main__":
    raise SystemExit(main())
