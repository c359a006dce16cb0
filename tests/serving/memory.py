"""What is the same in every report and in every record is computed once a process."""

import json
from functools import cache, wraps

import jinja2
from altair.utils import schemapi
from cyclopts.argument import _collection

from harness.page import html, rosetta
from harness.records import provenance


def remember():
    """Remember sound charts, templates, excerpts of sources, groups of options, what git says."""
    schemapi._get_errors_from_spec = once_sound(schemapi._get_errors_from_spec)
    schemapi._FromDict = once(schemapi._FromDict, lambda classes: "those of Vega-Lite")
    html.Environment = once(jinja2.Environment, lambda **given: given["loader"].package_name)
    rosetta.highlight = once(rosetta.highlight, lambda code, lexer, formatter: code)
    rosetta._cut = once(rosetta._cut, lambda source, name, topics: (source, name, *topics.items()))
    groups = _collection._resolve_groups_from_callable
    _collection._resolve_groups_from_callable = once(groups, lambda command, *_, **__: command)
    told = _collection.extract_docstring_help
    _collection.extract_docstring_help = once(told, lambda command: command)
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
