"""HIPS autograd as a backend of rnn-rosetta: all that is known before it is imported."""

from backends import Entry

ENTRY = Entry(
    requires=("autograd",),
    distributions=("autograd", "numpy"),
    title="autograd",
    colours=("#8c3b2e", "#f0a08f"),
)
