"""Entry of a backend in the registry: all that is known before its framework is imported."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from common.experiment import DType

Section = Literal["exercises", "sequence", "bptt"]
Colour = Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]


@dataclass(frozen=True)
class Entry:
    """A backend as it is known before its framework is imported; everything has a default.

    Attributes:
        module: keeps the contract `common.interface.Backend`. A plug-in's is, if not said, the
            module ``backend`` of its package, or the plug-in itself where it is one file.
        requires: the modules that must be installed.
        distributions: whose versions `describe` must give.
        variants: of the network, those that are trained and compared.
        bench_variants: further variants, which are for benchmarks alone.
        timed_on_request: likewise, but timed only where they are asked for by name.
        slow_start: True if it takes many seconds to be imported and compiled.
        spins: True if its threads share every product and wait for one another by spinning, so that
            a thread whose CPU another process has holds up all.
        on_request: True if it takes part only where it is asked for by name.
        products: the module whose `ways` and `ways_of_pass` compute the floor; empty for none.
        environment: the variables that must be set before the module is imported.
        own_environment: True if it cannot be installed beside the others.
        devices: how several compute one model: in one process, in a process each, or never.
        sections: what it has beyond the chapter's network: the exercises, by ``scratch``; section
            9.1 and 9.7, in ``sequence.py`` and ``bptt.py`` beside the module.
        dtypes: precisions it computes in. What is in float32 alone is held to float32's tolerance.
        install: command that installs what it requires; if not said, ``pip install`` and that.
        title: the name that people use; if not said, its name in the registry.
        colours: its colour on light and on dark ground, as ``#1b67ad``; if not said, a grey.
        broken: reason why a plug-in cannot be used; empty if it can.
    """

    module: str = ""
    requires: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("scratch",)
    bench_variants: tuple[str, ...] = ()
    timed_on_request: tuple[str, ...] = ()
    slow_start: bool = False
    spins: bool = False
    on_request: bool = False
    products: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    own_environment: bool = False
    devices: Literal["one", "together", "processes"] = "one"
    sections: tuple[Section, ...] = ()
    dtypes: Annotated[tuple[DType, ...], Field(min_length=1)] = ("float32", "float64")
    install: str = ""
    title: str = ""
    colours: tuple[Colour, Colour] | None = None
    broken: str = ""
