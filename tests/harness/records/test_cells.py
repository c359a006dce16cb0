"""CSV in a spreadsheet: text stays text, a number a number, and all is read back as it was."""

import csv
import io

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from harness.records.cells import csv_of, guarded, unguarded

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff20A1"]


@given(st.text() | st.sampled_from(DANGEROUS).map(lambda text: "''" + text))
def test_what_is_guarded_is_read_back(text):
    assert unguarded(guarded(text)) == text


def test_no_text_begins_as_a_formula_and_numbers_are_as_they_were():
    table = pd.DataFrame(
        {"text": [*DANGEROUS, "it's"], "number": [-1.5, 1, -2, 0, 1, 2, 3, 4, 5, 6]}
    )
    header, *rows = csv.reader(io.StringIO(csv_of(table), newline=""))
    assert header == ["text", "number"]
    assert [text for text, _ in rows] == ["'" + text for text in DANGEROUS] + ["it's"]
    assert [float(number) for _, number in rows] == table.number.tolist()
