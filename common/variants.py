"""Variants of the network: which network of a backend serves a variant and an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from common.errors import RequestError, unknown
from common.experiment import Experiment
from common.interface import Network

Build = Callable[..., Network]
"""From (params, activation, lr, theta) to a network; ``scratch`` takes more, see `serving`."""
Networks = Mapping[str, Build]
"""A backend's registry: its networks by variant."""


Join = Callable[[int, str], Build]
"""Bring so many devices of a kind together: ``parallel.join`` of a backend gives their network."""


def serving(
    networks: Networks, variant: str, experiment: Experiment, join: Join | None = None
) -> Build:
    """The network of a registry that serves a variant.

    The exercises of the chapter are served by ``scratch``, which is told of them: it is `extended`
    where the experiment asks for more than the chapter's network, and may have to `keep_graph`.

    Raises:
        RequestError: the registry has no such variant; the variant is the chapter's network alone
            and the experiment asks for more; or it asks for several devices and there is no `join`.
    """
    if variant not in networks:
        raise unknown("variant", variant, networks)
    if reason := unsupported(experiment, variant):
        raise RequestError(reason)
    if experiment.devices > 1:
        if join is None:
            raise RequestError(f"--devices {experiment.devices}: this backend has one device")
        several = join(experiment.devices, experiment.device)
        return partial(several, extended=True) if experiment.exercises else several
    if not experiment.exercises:
        return networks[variant]
    return partial(networks[variant], extended=True, keep_graph=experiment.keep_graph)


def unsupported(experiment: Experiment, variant: str) -> str | None:
    """The reason why a variant cannot be the network of an experiment, or None."""
    if variant == "scratch":
        return None
    if experiment.devices > 1:
        return (
            f"{variant} is for one device: --devices {experiment.devices} needs --variant scratch"
        )
    if not experiment.exercises:
        return None
    asked = " ".join(experiment.exercises)
    return f"{variant} is the chapter's network alone: {asked} needs --variant scratch"
