"""Contract suite: any backend, against the reference, with faults planted in it.

    pytest --pyargs rnn_rosetta_suite --backend NAME

A plug-in that is not installed is named by ``--plugin PATH``, too. Optional parts that a backend's
entry does not name are skipped, and say so. `common.interface` is what must be kept.
"""
