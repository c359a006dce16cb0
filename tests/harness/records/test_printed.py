"""JSON for programs: its schema is written down, and what is printed and left keeps to it."""

import json
from functools import cache

import jsonschema
import pytest

from harness.console import FORMAT
from harness.paths import RESULTS, ROOT
from harness.records.printed import schema
from tests.harness.made_runs import make_run

SCHEMA = ROOT / "docs" / "output.schema.json"


def check(value, name):
    validator(name).validate(value)


@cache
def validator(name):
    """Of the schema of this name, which is sound by `test_the_schema_is_written_down`."""
    whole = json.loads(SCHEMA.read_text("utf-8"))
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": whole["$defs"]})


def test_the_schema_is_written_down():
    told = json.loads(SCHEMA.read_text("utf-8"))
    assert told == schema(), "python -m harness.records.printed > docs/output.schema.json"
    assert told["title"].endswith(f"version {FORMAT}")
    jsonschema.Draft202012Validator.check_schema(told)


def test_committed_records_keep_to_it():
    for path in RESULTS.rglob("*.json"):
        if path.name in ("run.json", "bench.json", "scale.json", "parity.json"):
            check(json.loads(path.read_text("utf-8")), path.name)


def test_what_compare_prints_keeps_to_it(tmp_path, here):
    make_run(tmp_path / "old")
    done = here("compare", "old", "old", "--json")
    found = json.loads(done.stdout)
    assert next(iter(found)) == "format"
    check(found, "compare")
    with pytest.raises(jsonschema.ValidationError):
        check(found | {"format": 2}, "compare")
    with pytest.raises(jsonschema.ValidationError):
        check(found | {"threshold": "much"}, "compare")


SMALL = "--backend mxnet-style --variant fused"
FEW = "--batch-size 16 --num-steps 10"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("run", f"run {SMALL} --num-epochs 1 --num-hiddens 4 --num-preds 4 --max-tokens 300 {FEW}"),
        ("parity", f"parity {SMALL} --steps 2 --dtype float64 --devices 1"),
        ("bench", f"bench {SMALL} --shape 2x2x2x2 --rounds 6"),
    ],
)
def test_what_is_printed_and_left_keeps_to_it(name, line, tmp_path, here, alone):
    done = here(*line.split(), "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout), name)
    check(json.loads((tmp_path / "out" / f"{name}.json").read_text("utf-8")), f"{name}.json")
