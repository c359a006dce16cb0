"""Cases of the tape: recording, going backward, and writing in place."""

import threading

import numpy as np
import pytest

from tests.backends.mxnet_style.comparing import ALL, recorded, variable


def several_heads(m, head_grads):
    x = variable(m, [1.0, 2])
    y = recorded(m, lambda: x * 2)
    z = recorded(m, lambda: x * x)
    m.autograd.backward([y, z], head_grads and [g and m.nd.array(g) for g in head_grads])
    return x.grad


def backward_twice(m, **first):
    x = variable(m, [2.0])
    y = recorded(m, lambda: x * x)
    y.backward(**first)
    y.backward()
    return x.grad


def freed_in_part(m):
    x = variable(m, [2.0])
    y = recorded(m, lambda: x * x)
    recorded(m, lambda: y * 3).backward()
    y.backward()


def carried_without_detaching(m):
    x, h, seen = variable(m, [2.0]), m.nd.ones(1), []
    for _ in range(3):
        h = recorded(m, lambda h=h: m.nd.tanh(h * x))
        recorded(m, lambda h=h: h * h).backward()
        seen.append(x.grad.copy())
    return seen


def grad_req(m, req):
    x, idle = variable(m, [2.0, 3], req), variable(m, [1.0])
    x.grad[:], idle.grad[:] = 5, 7
    for _ in range(3):
        recorded(m, lambda: x * x).backward()
    return [x.grad, idle.grad]


def attached_inside(m):
    x = variable(m, [2.0, 3])
    with m.autograd.record():
        y = x * x
        y.attach_grad()
        z = y * x
    z.backward()
    return [x.grad, y.grad]


def attached_again(m):
    x = variable(m, [2.0, 3])
    y = recorded(m, lambda: x * x)
    x.attach_grad()
    y.backward()
    return x.grad


def recording(m):
    seen = [m.autograd.is_recording()]
    with m.autograd.record():
        seen.append(m.autograd.is_recording())
        with m.autograd.pause():
            seen.append(m.autograd.is_recording())
            with m.autograd.record():
                seen.append(m.autograd.is_recording())
            seen.append(m.autograd.is_recording())
        seen.append(m.autograd.is_recording())
        other = threading.Thread(target=lambda: seen.append(m.autograd.is_recording()))
        other.start()
        other.join()
    with pytest.raises(ZeroDivisionError), m.autograd.record():
        raise ZeroDivisionError
    return [*seen, m.autograd.is_recording()]


def paused(m):
    x = variable(m, [2.0])
    with m.autograd.record():
        y = x * x
        with m.autograd.pause():
            z = y * 5
        w = z * x + y
    w.backward()
    return x.grad


def parameter(m, rebound):
    p = variable(m, [2.0, 3])
    alias = p
    p[:] = p - 1
    p -= 1
    p *= 10
    p /= 5
    p.grad[:] = [4, 8]
    p.grad[:] *= np.float32(0.5)
    p = p - 1 if rebound else p
    return [alias, alias.grad, p.grad]


WRITES = {
    "x += 1": lambda m, x, y: x.__iadd__(1), "x -= 1": lambda m, x, y: x.__isub__(1),
    "y *= 2": lambda m, x, y: y.__imul__(2), "y /= 2": lambda m, x, y: y.__itruediv__(2),
    "x[:] = 1": lambda m, x, y: x.__setitem__(ALL, 1),
    "x[:] = array": lambda m, x, y: x.__setitem__(ALL, m.nd.ones(2)),
    "x[:] = list": lambda m, x, y: x.__setitem__(ALL, [1, 2]),
    "y[0] = 1": lambda m, x, y: y.__setitem__(0, 1),
    "constant += 1": lambda m, x, y: m.nd.ones(2).__iadd__(1),
    "constant += y": lambda m, x, y: m.nd.ones(2).__iadd__(y),
    "constant[0:1] = y": lambda m, x, y: m.nd.ones(2).__setitem__(slice(0, 1), y[0:1]),
    "a view of x": lambda m, x, y: x[0:1].__setitem__(ALL, 7),
    "a reshaped x": lambda m, x, y: x.reshape((1, 2)).__setitem__(ALL, 7),
    "a detached x": lambda m, x, y: x.detach().__setitem__(ALL, 7),
    "x.grad": lambda m, x, y: x.grad.__setitem__(ALL, 5),
}  # fmt: skip


def written_inside(m, write, pause):
    x = variable(m, [2.0, 3])
    with m.autograd.record():
        y = x * x
        with m.autograd.pause() if pause else m.autograd.record():
            write(m, x, y)
    y.backward()
    return [x, y, x.grad]


def head(m, gradient):
    x = variable(m, [1.0, 2])
    recorded(m, lambda: x * x).backward(gradient and m.nd.array(gradient))
    return x.grad


TAPE = {
    "ones by default": lambda m: head(m, None),
    "a head gradient": lambda m: head(m, [3, 4]),
    "several heads": lambda m: several_heads(m, None),
    "several heads with gradients": lambda m: several_heads(m, [None, [1, 10]]),
    "too few head gradients": lambda m: several_heads(m, [None]),
    "one head, not in a list": lambda m: (
        lambda x: [m.autograd.backward(x, m.nd.array([3.0])), x.grad]
    )(variable(m, [1.0])),
    "backward of a variable": lambda m: (lambda x: [x.backward(), x.grad])(variable(m, [1.0])),
    "backward twice": lambda m: backward_twice(m),
    "backward twice, retained": lambda m: backward_twice(m, retain_graph=True),
    "freed in part": freed_in_part,
    "carried without detaching": carried_without_detaching,
    "write": lambda m: grad_req(m, "write"),
    "add": lambda m: grad_req(m, "add"),
    "no such grad_req": lambda m: grad_req(m, "foo"),
    "null beside another": lambda m: (
        lambda x, w: [recorded(m, lambda: x * w).backward(), w.grad]
    )(variable(m, [2.0], "null"), variable(m, [5.0])),
    "null alone": lambda m: recorded(m, lambda: variable(m, [2.0], "null") * 2).backward(),
    "attached inside": attached_inside,
    "attached again": attached_again,
    "recording": recording,
    "paused": paused,
    "a parameter": lambda m: parameter(m, False),
    "a rebound parameter": lambda m: parameter(m, True),
    "detached": lambda m: (lambda x: [x.detach() is x, x.detach().grad])(variable(m, [1.0])),
    "no gradient": lambda m: m.nd.ones(1).grad,
    "no graph": lambda m: m.nd.ones(1).backward(),
    "no record": lambda m: (variable(m, [1.0]) * 2).backward(),
    "zero gradients": lambda m: [
        (lambda x: [x.grad.__setitem__(ALL, 5), recorded(m, f, x).backward(), x.grad])(
            variable(m, [[1.0, 3, 2]]))
        for f in (lambda x: x.argmax(axis=1), lambda x: m.nd.one_hot(x, 4), lambda x: x > 2)
    ],
    **{
        f"{name}{' paused' * pause}": lambda m, w=write, p=pause: written_inside(m, w, p)
        for name, write in WRITES.items()
        for pause in (False, True)
    },
}  # fmt: skip
