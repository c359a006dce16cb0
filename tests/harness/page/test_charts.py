"""What charts show, by their specification."""

import pandas as pd

from harness.page.charts import speed


def test_words_of_a_floor_stand_beside_the_slowest():
    """The fastest may come near a floor, and then lies where the words would."""
    names = [f"form {number}" for number in range(9)]
    speeds = [100.0 - 10 * number for number in range(9)]
    table = pd.DataFrame(
        {"backend": "jax", "framework": "jax", "variant": names, "title": names}
        | {"tokens_per_sec": speeds, "low": speeds, "high": speeds}
    )
    drawn = speed("name", "title", table, {"the products alone": 101.0, "all operations": 100.5})
    spec = drawn.chart.to_dict()
    places = [
        layer["encoding"]["y"]["value"]
        for layer in spec["layer"]
        if layer["mark"]["type"] == "text"
    ]
    assert len(places) == 2
    assert all(place > spec["height"] / 2 for place in places)
