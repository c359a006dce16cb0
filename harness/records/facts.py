"""Records: JSON files that say ``running`` until their last writing says how it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.files import strict, write_aside
from harness import interrupts

FORMAT = 1
"""Version of every JSON file that a command leaves; one without is of version 1."""


class Record:
    """A JSON file of facts, whole at any moment.

    Args:
        path: of the file, in a folder that exists.
        facts: by name; more may be added until the last writing.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts

    def write(self, status: str) -> None:
        """Write all of them with this status, which is kept; ``running``: more will follow."""
        self.facts["status"] = status
        write_facts(self.path, self.facts)


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """Write facts as strict JSON that begins with its version."""
    interrupts.begin()
    content = strict({"format": FORMAT} | facts)
    write_aside(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
