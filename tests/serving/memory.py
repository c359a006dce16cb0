"""What is the same in every report and in every record is computed once a process."""

import json
from functools import cache, wraps

import jinja2
from altair.utils import schemapi

from harness.page import html, rosetta
from harness.records import provenance


def remember():
    """Remember sound charts, templates, excerpts of sources, and what git says of ours."""
    schemapi._get_errors_from_spec = once_sound(schemapi._get_errors_from_spec)
    html.Environment = once(jinja2.Environment, lambda **given: given["loader"].package_name)
    rosetta.highlight = once(rosetta.highlight, lambda code, lexer, formatter: code)
    rosetta._cut = once(rosetta._cut, lambda source, name, topics: (source, name, *topics.items()))
    provenance.checkout = cache(provenance.checkout)


def once(function, key_of):
    """The function, computed once for each key of its arguments."""
    known = {}

    @wraps(function)
    def remembering(*given, **named):
        key = key_of(*given, **named)
        if key not in known:
            known[key] = function(*given, **named)
        return known[key]

    return remembering


def once_sound(errors_of):
    """The function that looks for errors in a chart's part: what had none, has none."""
    sound = set()

    @wraps(errors_of)
    def remembering(spec, schema, rootschema=None):
        key = json.dumps([spec, schema]), id(rootschema)
        errors = [] if key in sound else errors_of(spec, schema, rootschema)
        if not errors:
            sound.add(key)
        return errors

    return remembering
