"""MLX as a backend of rnn-rosetta: all that is known before it is imported."""

from backends import Entry

ENTRY = Entry(
    requires=("mlx.core",),
    distributions=("mlx",),
    dtypes=("float32",),
    install="pip install 'mlx[cpu]'",
    title="MLX",
    colours=("#5b5f00", "#c9cf4d"),
)
