"""Mutations of sound files, by a seed: bytes, cells, values of JSON and TOML, tensors."""

import copy
import csv
import io
import json
import random
import re

MARKUP = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>"
TEXTS = [
    "", " ", "NA", "nan", "inf", "-inf", "1e20", "-1", "0", "1e400", "9" * 400, "1_000", "0x10",
    "=1+1", "@SUM(A1)", "'", '"', ",", "\n", "\r\n", "\t", "\0", "\x1b[2J\x1b]0;owned\x07",
    "\u202eright to left\u2066", "\ufeff", "\ud800", "😀" * 50, "e\u0301" * 50, "x" * 100_000,
    "../../../../tmp/owned", "/etc/passwd", "~/x", "file:///etc/passwd", "${HOME}",
    "$(touch owned)", "{{ 7*7 }}", "{% raw %}", "%s%n", "javascript:window.owned=1",
    MARKUP, f"\"'>{MARKUP}",
    "```\n# owned\n```", "| a | b |", "True", "null", "__import__('os').system('touch owned')",
]  # fmt: skip
NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**64, 10**400, -(10**20), 0.5, 1e20, 1e194, -1e308, 1e-320]
NUMBERS += [float("nan"), float("inf"), float("-inf")]
DEEP = 3000


def some_text(rng: random.Random) -> str:
    """A text that means harm, or two."""
    return rng.choice(TEXTS) + (rng.choice(TEXTS) if rng.random() < 0.3 else "")


def some_value(rng: random.Random):
    """A value of any kind of JSON."""
    kind = rng.randrange(6)
    if kind < 2:
        return some_text(rng)
    if kind < 4:
        return rng.choice(NUMBERS)
    return copy.deepcopy(rng.choice([None, True, [], {}, [[]], {"": {}}, [1] * 1000, {"a": [{}]}]))


def in_bytes(content: bytes, rng: random.Random) -> bytes:
    """A file with bytes flipped, cut out, doubled, put in or cut off, once or a few times."""
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice([1, 1, 4, 30, 1000]))
        piece = content[start:end]
        match rng.randrange(7):
            case 0:
                piece = bytes(byte ^ (1 << rng.randrange(8)) for byte in piece)
            case 1:
                piece = b""
            case 2:
                piece *= 50
            case 3:
                piece = some_text(rng).encode("utf-8", "surrogatepass") + piece
            case 4:
                piece = rng.randbytes(len(piece))
            case 5:
                return content[:start]
            case 6:
                piece = bytes(len(piece))
        content = content[:start] + piece + content[end:]
    return content


def in_csv(content: bytes, rng: random.Random) -> bytes:
    """A table with cells replaced, rows doubled, moved or left out, or a column that is another."""
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    for _ in range(rng.choice([1, 1, 2, 4])):
        row = rng.choice(rows)
        match rng.randrange(8):
            case 0 | 1 | 2 | 3:
                row[rng.randrange(len(row))] = some_text(rng)
            case 4:
                row[rng.randrange(len(row))] = repr(rng.choice(NUMBERS))
            case 5:
                rows.append(list(rng.choice(rows)))
            case 6:
                column = rng.randrange(len(rows[0]))
                text = some_text(rng)
                for each in rows[1:]:
                    if column < len(each):
                        each[column] = text
            case 7:
                rng.shuffle(rows)
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "surrogatepass")


def in_json(content: bytes, rng: random.Random) -> bytes:
    """A record with values replaced, left out, doubled or nested without end."""
    facts = json.loads(content)
    for _ in range(rng.choice([1, 1, 2, 4])):
        where, key = _place(facts, rng)
        match rng.randrange(8):
            case 0:
                del where[key]
            case 1 if isinstance(where, dict):
                where[some_text(rng)] = where[key]
            case 2:
                where[key] = [where[key]]
            case _:
                where[key] = some_value(rng)
    text = json.dumps(facts)
    if rng.random() < 0.1:
        deep = "[" * DEEP + "]" * DEEP
        text = re.sub(r'(?<=": )("[^"\\]*"|\d+)', deep, text, count=1)
    return text.encode()


def _place(facts, rng: random.Random):
    """A container in a record, and one of its keys."""
    where = facts
    while True:
        key = rng.choice(list(where) if isinstance(where, dict) else range(len(where)))
        inner = where[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.25:
            return where, key
        where = inner


def in_toml(content: bytes, rng: random.Random) -> bytes:
    """Settings with values, keys or headings replaced."""
    lines = content.decode().splitlines()
    for _ in range(rng.choice([1, 1, 2, 4])):
        number = rng.randrange(len(lines))
        key, _, value = lines[number].partition(" = ")
        match rng.randrange(7):
            case 0 | 1 | 2:
                lines[number] = f"{key} = {_toml(some_value(rng))}"
            case 3:
                lines[number] = f"{_toml(some_text(rng))} = {value or 1}"
            case 4:
                lines[number] = f"{'.'.join('a' * rng.choice([2, 20, 5000]))} = {value or 1}"
            case 5:
                lines[number] = f"{key} = {'[' * DEEP}"
            case 6:
                lines.insert(number, rng.choice(lines))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _toml(value) -> str:
    """A value as TOML has it, or nearly: what JSON has is that, but for null and braces."""
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


def in_checkpoint(content: bytes, rng: random.Random) -> bytes:
    """A safetensors file with another header, other metadata or other weights."""
    length = int.from_bytes(content[:8], "little")
    header, tensors = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    metadata = header["__metadata__"]
    if rng.random() < 0.9:
        metadata.pop("sha256", None)  # a checkpoint from before it had one is read, too
    match rng.randrange(6):
        case 0 | 1:
            name = rng.choice(list(metadata))
            if metadata[name][:1] in "{[":
                metadata[name] = in_json(metadata[name].encode(), rng).decode()
            else:
                metadata[name] = some_text(rng)
        case 2:
            metadata[rng.choice([*metadata, some_text(rng)])] = some_text(rng)
        case 3:
            where, key = _place(header, rng)
            where[key] = some_value(rng)
        case 4:
            number = rng.choice([b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f"])
            for _ in range(rng.choice([1, 50])):
                at = 4 * rng.randrange(len(tensors) // 4)
                tensors[at : at + 4] = number
        case 5:
            return rng.choice([0, 2**63, length + 1, 10**9]).to_bytes(8, "little") + content[8:]
    told = json.dumps(header).encode()
    return len(told).to_bytes(8, "little") + told + bytes(tensors)


def in_text(content: bytes, rng: random.Random) -> bytes:
    """A corpus that is another encoding's, of one line or of none, or of texts that mean harm."""
    text = content.decode()
    match rng.randrange(6):
        case 0:
            return text.encode(rng.choice(["utf-16", "utf-32", "utf-8-sig", "utf-7", "utf-16-le"]))
        case 1:
            return (some_text(rng) * rng.choice([1, 50])).encode("utf-8", "surrogatepass")
        case 2:
            return " ".join(some_text(rng) for _ in range(200)).encode("utf-8", "surrogatepass")
        case 3:
            return text.replace(" ", rng.choice(["\n", "\r", "", "\u2028", "=", "\x1b["])).encode()
        case 4:
            return bytes([rng.randrange(1, 256)]) * rng.choice([1, 9, 5000])
        case _:
            return in_bytes(content, rng)


WORDS = {"reason", "device", "versions", "prefix", "text", "case"}
"""Columns of tables that hold any text."""
FACTS = ["recipe", "command", "resumed", "started", "machine.cpu", "machine.os", "corpus.name"]
FACTS += ["versions.python", "source.revision", "experiment.corpus"]


def in_words(content: bytes, rng: random.Random) -> bytes:
    """A table or a record that is sound, but for texts in it that mean harm to a page."""
    if content[:1] == b"{":
        facts = json.loads(content)
        for path in rng.sample(FACTS, rng.choice([1, 3, len(FACTS)])):
            where, (*folders, name) = facts, path.split(".")
            for folder in folders:
                where = where[folder]
            text = _told(rng) or "it"
            where[name] = [text, _told(rng)] if name == "command" else text
        return json.dumps(facts).encode()
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    for column in [i for i, name in enumerate(header) if name in WORDS]:
        for row in rows:
            if rng.random() < 0.7:
                row[column] = _told(rng)
    written = io.StringIO(newline="")
    csv.writer(written).writerows([header, *rows])
    return written.getvalue().encode()


def _told(rng: random.Random) -> str:
    """A text that can be written in UTF-8, and that may be very long."""
    text = some_text(rng).replace("\ud800", "").replace("\0", "")
    return text * rng.choice([1, 1, 1, 1, 1, 100])
