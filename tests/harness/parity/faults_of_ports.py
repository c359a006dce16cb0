"""Faults planted in the text of ``right_port.py``, and words of the cause that should be named.

They are PyTorch's own ways to go wrong, and often not quite what `common.faults` computes: another
momentum, another truncation, gradients that add up after clipping.
"""

CLIPPED = "        for p in used if norm > theta else ():\n            p.grad *= theta / norm"
OUTPUT = "outputs.append(H @ W_hq + b_q)"
LOSS = "F.cross_entropy(logits, torch.tensor(Y).T.reshape(-1))"
OWN_STATE = "self.H.detach() if self.H is not None else torch.tensor(state, dtype=self.dtype)"
SGD = "torch.optim.SGD(self.params.values(), lr=lr)"
STATE = "torch.tensor(state, dtype=self.dtype)"
Y = "torch.tensor(Y).T.reshape(-1)"

PLANTED = {
    "labels not transposed": ([(Y, "torch.tensor(Y).reshape(-1)")], "labels are in the order of"),
    "inputs reshaped": (
        [("torch.tensor(X).T", "torch.tensor(X).reshape(X.shape[::-1])")],
        "inputs are in the order of the batch",
    ),
    "outputs stacked along the batch": (
        [("torch.cat(outputs)", "torch.stack(outputs, 1).reshape(-1, len(W_xh))")],
        "outputs in the order of the batch meet labels",
    ),
    "state not detached": (
        [
            (
                f"H = {STATE}",
                "on = self.H is not None and np.allclose(self.H.detach(), state)\n"
                f"        H = self.H if on else {STATE}",
            ),
            ("loss.backward()", "loss.backward(retain_graph=True)"),
            ("self.optimizer.step()", "[p.data.sub_(lr * p.grad) for p in used]"),
        ],
        "detach the state that is given",
    ),
    "state not reset": ([(STATE, OWN_STATE)], "the state is not reset"),
    "state not read": ([(STATE, f"torch.zeros_like({STATE})")], "state that is given is ignored"),
    "clip by parameter": (
        [(CLIPPED, "        for p in used:\n            clip_grad_norm_([p], theta)")],
        "each gradient is clipped by its own norm",
    ),
    "clip by value": (
        [(CLIPPED, "        clip_grad_value_(used, theta)")],
        "each number is clipped",
    ),
    "clip_grad_norm_": (
        [(CLIPPED, "        clip_grad_norm_(used, theta)")],
        "an epsilon is added",
    ),
    "norm without root": ([("torch.sqrt(sum", "(sum")], "the norm lacks its square root"),
    "clipped before it is given": (
        [("p.grad.clone() for", "p.grad for")],
        "the gradients are given after clipping",
    ),
    "softmax over rows": (
        [(LOSS, f"F.nll_loss(F.log_softmax(logits, 0), {Y})")],
        "softmax over all rows",
    ),
    "softmax twice": (
        [(OUTPUT, "outputs.append(torch.softmax(H @ W_hq + b_q, 1))")],
        "softmax twice",
    ),
    "nll_loss of logits": ([("F.cross_entropy", "F.nll_loss")], "apply log_softmax"),
    "no b_h": ([("H @ W_hh + b_h", "H @ W_hh")], "b_h is left out"),
    "two biases": ([("W_hh + b_h", "W_hh + b_h + b_h.detach()")], "b_h counts twice"),
    "W_hh as F.linear has it": ([("H @ W_hh", "F.linear(H, W_hh)")], "W_hh is transposed"),
    "W_hq reshaped for F.linear": (
        [("H @ W_hq", "F.linear(H, W_hq.reshape(len(b_q), -1))")],
        "W_hq is reshaped",
    ),
    "relu6": ([("torch.tanh", "F.relu6")], "the activation is ReLU"),
    "sum of the loss": (
        [(".T.reshape(-1))", '.T.reshape(-1), reduction="sum")')],
        "the loss is a sum over all tokens",
    ),
    "sum over steps": ([(LOSS, f"{LOSS} * X.shape[1]")], "the loss is summed over the steps"),
    "loss divided again": ([(LOSS, f"{LOSS} / len(X)")], "do not divide it by the batch size"),
    "lr halved": ([("lr=lr", "lr=lr / 2")], "the learning rate is halved"),
    "divided by the batch in SGD": ([("lr=lr", "lr=lr / len(X)")], "update divides by the batch"),
    "gradients add up": ([("        self.optimizer.zero_grad()\n", "")], "gradients add up over"),
    "old weights": (
        [("        self.optimizer.step()\n", "")],
        "the old weights are given back",
    ),
    "detached every second step": (
        [
            ("for x in torch.tensor(X).T:", "for t, x in enumerate(torch.tensor(X).T):"),
            ("H @ W_hh", "(H if t % 2 else H.detach()) @ W_hh"),
        ],
        "cut within the window",
    ),
    "detached at every step": (
        [("H @ W_hh", "H.detach() @ W_hh")],
        "no gradient flows from step to step",
    ),
    "momentum of 0.5": ([("lr=lr", "lr=lr, momentum=0.5")], "SGD has momentum"),
    "Adam": ([("torch.optim.SGD", "torch.optim.Adam")], "Adam updates"),
    "weight decay of 0.001": ([("lr=lr", "lr=lr, weight_decay=0.001")], "weight decay"),
    "last step alone": (
        [(LOSS, f"F.cross_entropy(logits[-len(X):], {Y}[-len(X):])")],
        "the loss is of the last step alone",
    ),
}
"""By name, pieces of the text with what takes their places, and words of the cause."""
