"""Columns of tables as Pydantic reads them: each becomes a series, of numbers that can be."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field


def _within(value: float, least: float, most: float) -> float:
    """See that a number is one that can be, if it is known: a perplexity is 1 at least."""
    if not (math.isnan(value) or least <= value <= most):
        raise ValueError(f"not from {least:g} to {most:g}")
    return value


Whole = Annotated[int, Field(ge=0, le=2**53)]
Duration = Annotated[float, Field(ge=1e-9, le=1e9)]  # seconds
Figure = Annotated[float, BeforeValidator(lambda cell: cell or "nan")]  # empty: not known
Quantity = Annotated[Figure, AfterValidator(partial(_within, least=0, most=1e15))]
# infinite: never, or impossible
Boundless = Annotated[Figure, AfterValidator(partial(_within, least=0, most=math.inf))]
a_perplexity = AfterValidator(partial(_within, least=0.99, most=math.inf))  # 1, but rounded
Amount = Annotated[float, Field(ge=0, le=1e15)]
Shape = Annotated[str, Field(pattern="^[0-9]+x[0-9]+x[0-9]+x[0-9]+$")]

texts, counts, numbers, truths = (
    AfterValidator(partial(pd.Series, dtype=dtype)) for dtype in (str, "int64", "float64", "bool")
)
Texts = Annotated[list[str], texts]
Names = Annotated[list[Annotated[str, Field(max_length=200)]], texts]
Shapes = Annotated[list[Shape], texts]
Counts = Annotated[list[Whole], counts]
Durations = Annotated[list[Duration], numbers]
Figures = Annotated[list[Figure], numbers]
Amounts = Annotated[list[Amount], numbers]
Quantities = Annotated[list[Quantity], numbers]
Perplexities = Annotated[list[Annotated[float, a_perplexity]], numbers]
Validations = Annotated[list[Annotated[Figure, a_perplexity]], numbers]
