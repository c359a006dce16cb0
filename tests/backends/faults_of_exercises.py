"""Faults of the exercises, each taking a right function and giving a wrong one.

They serve every backend, as those of ``faults_of_scratch`` do.
"""

from types import SimpleNamespace

from common.weights import by_layer
from tests.backends.faults_of_scratch import constant


def second_layer_of_inputs(rnn):
    """Each layer reads the inputs of the first; the embedding is as wide as a layer."""

    def wrong(inputs, state, params, **named):
        W_emb, layers, output = by_layer(params)
        first, second = layers
        unread, (H,) = rnn(inputs, state[:1], [W_emb, *first, *output], **named)
        Y, (H_2,) = rnn(inputs, state[1:], [W_emb, *second, *output], **named)
        return Y + unread * 0, (H, H_2)

    return wrong


def layers_share_a_state(rnn):
    """Every layer goes on from the state of the first."""
    return lambda inputs, state, params, **named: rnn(
        inputs, state[:1] * len(state), params, **named
    )


def embedding_constant(rnn):
    """No gradient flows into the embedding."""

    def wrong(inputs, state, params, **named):
        W_emb, *others = params
        dropped = constant(W_emb + 0)
        return rnn(inputs, state, [dropped + (W_emb - constant(W_emb + 0)) * 0, *others], **named)

    return wrong


def clipped_without(i):
    """The norm and the scale leave out the gradient of this index."""

    def plant(grad_clipping):
        def wrong(model_or_grads, theta):
            if isinstance(model_or_grads, list):
                kept = model_or_grads[i]
                clipped = grad_clipping([*model_or_grads[:i], *model_or_grads[i + 1 :]], theta)
                return [*clipped[:i], kept, *clipped[i:]]
            params = [*model_or_grads.params[:i], *model_or_grads.params[i + 1 :]]
            return grad_clipping(SimpleNamespace(params=params), theta)

        return wrong

    return plant


def one_window_behind(pullbacks_behind):
    """The gradient reaches the window before, and no further."""
    return lambda state: pullbacks_behind(state)[-1:]


def none_behind(pullbacks_behind):
    """The graph is not kept."""
    return lambda state: ()


def losses_of_all(through_all):
    """The gradients are those of the losses of all windows."""

    def wrong(pullbacks, dH, grads):
        def of_its_loss(pullback):
            return lambda dl, dH, grads: pullback(1.0, dH, grads)

        return through_all(tuple(map(of_its_loss, pullbacks)), dH, grads)

    return wrong


def layers_exchanged(through_all):
    """The gradients of the states come to the window before in the order of another layer."""

    def wrong(pullbacks, dH, grads):
        def exchanged(pullback):
            def of_another(dl, dH, grads):
                grads, before = pullback(dl, dH, grads)
                return grads, tuple(before[::-1])

            return of_another

        return through_all(tuple(map(exchanged, pullbacks)), dH, grads)

    return wrong
