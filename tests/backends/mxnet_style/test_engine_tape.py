"""The embedded engine's tape: recording, going backward, and writing in place."""

import threading
import weakref

import numpy as np
import pytest

from backends.mxnet_style import mx
from backends.mxnet_style.mx import autograd, nd
from tests.backends.mxnet_style.checking import assert_is, variable


def test_backward_of_many_elements_starts_from_ones():
    x = variable([[1, 2], [3, 4]])
    with autograd.record():
        y = x * x
    y.backward()
    assert_is(x.grad, [[2, 4], [6, 8]])


@pytest.mark.parametrize(("grad_req", "expected"), [("write", [4, 6]), ("add", [12, 18])])
def test_grad_req_says_whether_gradients_are_replaced_or_added(grad_req, expected):
    x, idle = variable([2, 3], grad_req), variable([1])
    held = x.grad
    idle.grad[:] = 7
    for _ in range(3):
        with autograd.record():
            y = x * x
        y.backward()
    assert_is(held, expected)  # the same array is written, so what was taken earlier sees it
    assert_is(idle.grad, [7])  # a variable outside the graph is left alone


def test_grad_req_null_leaves_an_array_out():
    x, w = variable([2, 3], "null"), variable([5, 7])
    with autograd.record():
        y = x * w
    y.backward()
    assert_is(w.grad, [2, 3])
    assert x.grad is None
    with pytest.raises(KeyError, match="write, add, null"):
        x.attach_grad("foo")


def test_second_backward_raises_unless_the_graph_was_retained():
    x = variable([2])
    with autograd.record():
        y = x * x
        z = y * 3
    z.backward(retain_graph=True)
    assert_is(x.grad, [12])
    z.backward()
    assert_is(x.grad, [12])
    with pytest.raises(mx.MXNetError, match="retain_graph=True"):
        z.backward()
    with pytest.raises(mx.MXNetError, match="retain_graph=True"):
        y.backward()
    with autograd.record():
        later = y * x  # y is a constant by now: this is why a state need not be detached
    later.backward()
    assert_is(x.grad, [4])


def test_backward_frees_what_only_the_gradients_needed():
    x = variable([[2]])
    with autograd.record():
        hidden = nd.tanh(x)
        y = nd.dot(hidden, hidden)
    watched = weakref.ref(hidden.values)
    del hidden
    assert watched() is not None
    y.backward()
    assert watched() is None


def test_no_gradient_is_computed_for_a_constant_factor():
    W, one_hot = variable(np.ones((3, 2))), nd.one_hot(nd.array([0, 2]), 3)
    with autograd.record():
        y = nd.dot(one_hot, W)
        unrelated = one_hot * 2
    assert [node for node, _ in y.node.edges] == [W.node]
    assert unrelated.node is None


def test_detach_gives_a_new_array_that_shares_elements_but_no_gradient():
    x = variable([2, 3])
    with autograd.record():
        y = x * x
        z = y.detach() * x
    z.backward()
    assert_is(x.grad, [4, 9])
    x.detach()[:] = 5  # and detaching changes nothing in x itself
    assert_is(x, [5, 5])
    assert x.grad is not None
    assert x.detach().grad is None


def test_several_heads_add_up_and_may_have_gradients_of_their_own():
    x = variable([1, 2])
    with autograd.record():
        y = x * 2
        z = y * y
    autograd.backward([y, z], [None, nd.array([1, 10])])
    assert_is(x.grad, [2 + 8, 2 + 160])


def test_zero_gradients_are_written_too():
    x = variable([[1, 3, 2]])
    for function in (lambda x: x.argmax(axis=1), lambda x: nd.one_hot(x, 4), lambda x: x > 2):
        x.grad[:] = 5
        with autograd.record():
            y = function(x)
        y.backward()
        assert_is(x.grad, [[0, 0, 0]])


def test_attach_grad_cuts_what_came_before():
    x = variable([2, 3])
    with autograd.record():
        y = x * x
        y.attach_grad()
        z = y * x
    z.backward()
    assert_is(x.grad, [4, 9])
    assert_is(y.grad, [2, 3])


def test_recording_is_scoped_to_the_block_and_the_thread():
    seen = []
    with autograd.record():
        assert autograd.is_recording()
        with autograd.pause():
            assert not autograd.is_recording()
        assert autograd.is_recording()
        other = threading.Thread(target=lambda: seen.append(autograd.is_recording()))
        other.start()
        other.join()
    assert seen == [False]
    with pytest.raises(ZeroDivisionError), autograd.record():
        raise ZeroDivisionError
    assert not autograd.is_recording()


IN_PLACE = {
    "+=": lambda x, y: x.__iadd__(1),
    "-=": lambda x, y: x.__isub__(1),
    "*=": lambda x, y: y.__imul__(2),
    "/=": lambda x, y: y.__itruediv__(2),
    "[:]=": lambda x, y: x.__setitem__(slice(None), 1),
    "[0]=": lambda x, y: y.__setitem__(0, 1),
    "constant += recorded": lambda x, y: nd.ones(2).__iadd__(y),
    "constant[0:1] = recorded": lambda x, y: nd.ones(2).__setitem__(slice(0, 1), y[0:1]),
    "a recorded view": lambda x, y: x[0:1].__setitem__(slice(None), 7),
}


@pytest.mark.parametrize("write", IN_PLACE.values(), ids=IN_PLACE)
def test_writing_in_place_while_recording_raises(write):
    x = variable([2, 3])
    with autograd.record():
        y = x * x
        constant = nd.ones(2)
        constant += 1  # off the tape, it is allowed
        x.grad[:] = 5
        with pytest.raises(mx.MXNetError, match="in place"):
            write(x, y)
        with autograd.pause():
            write(x, y)
    assert_is(constant, [2, 2])


def test_writing_in_place_outside_keeps_the_gradient_and_rebinding_loses_it():
    p = variable([2, 3])
    alias, gradient = p, p.grad
    p[:] = p - 1
    p -= 1
    p *= 10
    p /= 5
    p += nd.array([1])
    assert_is(alias, [1, 3])
    assert p.grad is gradient  # in MXNet another object, of the same memory
    gradient[:] *= 3
    p.grad[:] = [4, 8]
    p.grad[:] *= 0.5
    assert_is(gradient, [2, 4])
    p = p - 1
    assert p.grad is None
