"""Variants of the network: which class and which page of a backend serve an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

from common.errors import RequestError, unknown
from common.experiment import Experiment
from common.interface import Network, Tensor

Build = Callable[[list[Tensor], Experiment], Network]
"""From parameters, in canonical order, to a network on their device and of their type."""
Networks = Mapping[str, Build]
"""A backend's registry: its networks by variant."""


def serving(networks: Networks, variant: str, experiment: Experiment) -> Build:
    """The network of a registry that serves a variant.

    Raises:
        RequestError: the registry has no such variant, or the variant is the chapter's network
            alone and the experiment asks for more.
    """
    if variant not in networks:
        raise unknown("variant", variant, networks)
    if reason := unsupported(experiment, variant):
        raise RequestError(reason)
    return networks[variant]


def unsupported(experiment: Experiment, variant: str) -> str | None:
    """The reason why a variant cannot be the network of an experiment, or None."""
    if variant == "scratch" or not experiment.exercises:
        return None
    asked = " ".join(experiment.exercises)
    return f"{variant} is the chapter's network alone: {asked} needs --variant scratch"


def pages(
    scratch: ModuleType, exercises: ModuleType, experiment: Experiment
) -> tuple[ModuleType, ModuleType]:
    """The pages whose recurrence and whose training step serve an experiment, of these two."""
    recurrence = exercises if experiment.exercises else scratch
    return recurrence, exercises if experiment.keep_graph else scratch
