"""Printed tables of ``bptt``: gradient flow, strategies, errors against the reference."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.bptt.measure import Measured
from harness.console import figure, titled


def show(console: Console, measured: Measured) -> None:
    """Print the tables, what is wrong, and what was not measured."""
    if measured.backends:
        console.print(_gradient_flow(measured))
        if len(measured.truncation):
            console.print(_strategies(measured))
    for name, errors in measured.checked.groupby("backend", sort=False):
        told = f"{name}: at most {errors.error.max():.1e} from the reference"
        if beyond := measured.ill_conditioned[str(name)]:
            told += f" (in {beyond} gradients beyond what the last bit of the states changes)"
        console.print(Text(told))
    for row in measured.over.itertuples():
        console.print(
            Text(f"over tolerance: {row.backend}: {row.quantity}: {row.error:.1e}", "red")
        )
    for name, reason in {**measured.absent, **measured.failures}.items():
        console.print(Text(f"{name}: not measured: {reason}", "yellow"))


def clipping(clip_theta: float) -> str:
    """Clipping of the updates, in words."""
    return f"clipped at {clip_theta:g}" if clip_theta else "not clipped"


def setting(row: pd.Series[Any]) -> str:
    """The strategy of a row of the truncation table, in words."""
    if row.strategy == "full":
        return "full"
    if row.strategy == "truncated":
        return f"truncated to {row.tau:g}"
    return f"{row.strategy}, pi {row.pi:g}"


def ends(measured: Measured) -> pd.DataFrame:
    """The last point of every setting, with its norms at distance 0 and at the longest."""
    keys = ["backend", "activation", "clip_theta", "epoch"]
    norms = measured.norms.sort_values("distance").groupby(keys, sort=False).norm
    reached = pd.DataFrame({"near": norms.first(), "far": norms.last()}).reset_index()
    last = measured.spectrum.groupby(keys[:3], sort=False).tail(1)
    return last.merge(reached, how="left", on=keys)


def _gradient_flow(measured: Measured) -> Table:
    far = measured.norms.distance.max()
    table = titled(f"||dl_T/dH|| at the last step and {far} steps before, as training ended")
    for name in ("backend", "act", "updates", "epoch", "perplexity", "radius", "d=0", f"d={far}"):
        table.add_column(name, justify="left" if name in ("backend", "act", "updates") else "right")
    table.add_column("status")
    for row in ends(measured).to_dict("records"):
        figures = [f"{row['perplexity']:.3g}", f"{row['spectral_radius']:.3g}"]
        figures += [f"{row[name]:.1e}" for name in ("near", "far")]
        status = Text(row["status"], "green" if row["status"] == "ok" else "red")
        named = [row["backend"], row["activation"], clipping(row["clip_theta"]), str(row["epoch"])]
        table.add_row(*named, *figures, status)
    return table


def _strategies(measured: Measured) -> Table:
    means = measured.means.assign(told=measured.means.apply(setting, axis=1))
    table = titled("The gradient's relative error against the full one (t of its mean)")
    table.add_column("epoch", justify="right")
    table.add_column("strategy")
    for name in measured.backends:
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for (epoch, told), rows in means.groupby(["epoch", "told"], sort=False):
        by = rows.set_index("backend").to_dict("index")
        cells = [_cell(by[name]) if name in by else "-" for name in measured.backends]
        verdicts = sorted({each for each in rows.verdict if each})
        table.add_row(str(epoch), str(told), *cells, ", ".join(verdicts))
    return table


def _cell(row: dict[Any, Any]) -> str:
    t = "" if pd.isna(row["t"]) else f" ({figure(row['t'], '+.1f')})"
    return figure(row["error"], ".3f") + t
