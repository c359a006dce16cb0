"""The verdict on a network once it is trained: what it computes, and writes, now.

Small first weights hide what is wrong with large numbers, such as a ReLU that is bounded at 6. So
the trained weights are held against the reference once more, by one step and by the text.

Two sound networks may part where two tokens are nearly as likely. So the texts themselves are not
compared: the reference reads what the model has written, and its error is how far the reference's
logits would have to move until each token is the likeliest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from common.array import Array
from common.batches import Batch
from common.experiment import Experiment
from common.interface import Model
from common.judging import Judgement, compare
from common.parity import Quantities, RunEpoch, first_step
from common.reference import Reference
from common.vocab import UNK, Vocab
from common.weights import Weights

NUM_PREDS = 20


def judge_after_training(
    model: Model, experiment: Experiment, batches: Sequence[Batch], vocab: Vocab
) -> Judgement:
    """Judge a model at its own weights; it has taken one more step afterwards.

    Whatever is found, the model does the same: several ranks of one model do it together.

    Args:
        model, experiment: the model as it is trained, and its settings.
        batches: two of one shape.
        vocab: vocabulary of the text, which is judged where it is not drawn.
    """
    weights, prefix = model.weights(), experiment.prefixes[0]
    written = model.predict(prefix, NUM_PREDS, vocab)
    read = vocab[vocab.split(prefix)]
    tokens = read + vocab[vocab.split(written.removeprefix(vocab.join(read)).split(UNK)[0])]
    judges_text = experiment.decode == "greedy" and len(tokens) > len(read)

    def computed(network: Model, weights: Weights, run_epoch: RunEpoch) -> Quantities:
        found = first_step(network, batches)
        if not judges_text:
            return found
        if network is model:
            exact = logits_along(Reference(experiment, weights), tokens, len(read))
            return found | {"text": with_likeliest(exact, tokens[len(read) :])}
        network.load_weights(weights)
        return found | {"text": logits_along(network, tokens, len(read))}

    if not all(np.isfinite(w).all() for w in weights.values()):
        return Judgement("diverged", "its weights are not finite numbers")
    judgement = compare(model, weights, experiment, computed)
    at_the_end = f"{judgement.reason}, at the end of training" if judgement.reason else ""
    return replace(judgement, reason=at_the_end)


def logits_along(reference: Model, tokens: list[int], start: int) -> Array:
    """The logits (N, V) from which the tokens after the first `start` were chosen, N of them."""
    logits, _ = reference.forward(np.array([tokens[:-1]]), reference.begin_state(1))
    return logits[start - 1 :]


def with_likeliest(logits: Array, tokens: list[int]) -> Array:
    """The logits (N, V), each token's raised to the largest of its row."""
    raised = logits.copy()
    raised[np.arange(len(tokens)), tokens] = logits.max(axis=1)
    return raised
