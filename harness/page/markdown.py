"""``report.md``: the same sections for GitHub and terminals, with pictures.

Text from outside is escaped, or stands in a fence longer than any that it holds.
"""

from __future__ import annotations

import re

from harness.console import printable
from harness.formats import in_markdown
from harness.page.blocks import (
    Block,
    Cell,
    Chart,
    Command,
    Details,
    Facts,
    Multiples,
    Note,
    Rosetta,
    Table,
    Texts,
)
from harness.page.figure import Figure
from harness.page.shown import shown
from harness.page.told import Answer, Told

PICTURES = "figures"
"""The folder of the pictures, beside the report."""


def markdown(told: Told) -> str:
    """The whole report."""
    parts = [f"# {escape(told.title)}", escape(told.about)]
    parts += [_block(notice) for notice in told.notices]
    asked = {section.name: section.question for section in told.sections}
    parts.append("\n".join(_answer(answer, asked) for answer in told.answers))
    for study, sections in told.parts:
        parts += [f"## {escape(study)}"] if study else []
        level = "###" if study else "##"
        for section in sections:
            parts += [f"{level} {escape(section.question)}", escape(section.answer)]
            parts += [_block(block) for block in section.blocks]
    return "\n\n".join(filter(None, parts)) + "\n"


def _answer(answer: Answer, asked: dict[str, str]) -> str:
    """A line that leads to a section by the name that GitHub gives its heading."""
    letters = re.sub(r"[^\w\- ]", "", shown(asked.get(answer.section, "")).lower())
    head = f"[{escape(answer.question)}](#{letters.replace(' ', '-')})"
    return f"- **{head}** {escape(answer.text)}"


def escape(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    return in_markdown(shown(text))


def fence(text: str) -> str:
    """A block of code that no run of backticks in the text can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{text}\n{ticks}"


def _block(block: Block) -> str:
    match block:
        case Table():
            return _folded(block.caption, _grid(block)) if block.folded else _captioned(block)
        case Chart():
            grid = _folded("The values as a table", _captioned(block.grid))
            return f"{_picture(block.figure)}\n\n{grid}"
        case Multiples():
            pictures = "\n\n".join(_picture(figure) for figure in block.figures)
            return f"{escape(block.caption)}:\n\n{pictures}"
        case Note():
            return escape(block.text)
        case Details():
            return _folded(block.summary, "\n\n".join(_block(each) for each in block.blocks))
        case Facts():
            return "\n".join(f"- {escape(term)}: {escape(told)}" for term, told in block.pairs)
        case Command():
            return fence(shown(block.text))
        case Texts():
            return _folded(block.caption, _texts(block)) if block.folded else _texts(block)
        case Rosetta():
            return "\n\n".join(_topic(block, topic) for topic in block.topics)


def _picture(figure: Figure) -> str:
    picture = f"![{escape(figure.words)}]({PICTURES}/{figure.name}.png)"
    return f"**{escape(figure.title)}**\n\n{picture}"


def _folded(summary: str, content: str) -> str:
    safe = shown(summary).replace("&", "&amp;").replace("<", "&lt;")
    return f"<details><summary>{safe}</summary>\n\n{content}\n\n</details>"


def _captioned(grid: Table) -> str:
    return f"{escape(grid.caption)}:\n\n{_grid(grid)}"


def _grid(grid: Table) -> str:
    rule = [":--" if i in grid.texts else "--:" for i in range(len(grid.heads))]
    lines = [[escape(head) for head in grid.heads], rule]
    lines += [[_cell(cell) for cell in row] for row in grid.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    return f"**{text}**" if cell.tone == "bad" and text else text


def _texts(block: Texts) -> str:
    lines = []
    for epoch, voices in block.epochs.items():
        for voice in voices:
            writers = ", ".join(series.title for series in voice.writers)
            if voice.unanimous:
                writers = f"all {len(voice.writers)}"
            lines.append(f"epoch {epoch}: {printable(writers)}\n    {voice.prefix}{voice.text}")
    return f"{escape(block.caption)}:\n\n{fence(chr(10).join(lines))}"


def _topic(block: Rosetta, topic: str) -> str:
    parts = []
    for excerpt in block.topics[topic]:
        name = block.frameworks[excerpt.backend]
        parts.append(f"{escape(name)}, `{excerpt.path}`, line {excerpt.line}:")
        parts.append(fence(excerpt.code.rstrip()).replace("```text", "```python", 1))
    return _folded(f"{topic}, in every framework", "\n\n".join(parts))
