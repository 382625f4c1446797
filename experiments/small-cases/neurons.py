"""Which part of the setup decides whether XOR is solved: 200 random nets with true slopes, by plain torch.

python experiments/small-cases/neurons.py    # 3 min of one core
"""

import torch
from torch.nn.functional import cross_entropy

IMAGES = torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
LABELS = torch.tensor([0, 1, 1, 0])
NETS = 200
SETUPS = [
    ("rectifiers, normalized", torch.relu, 4, True, False),
    ("rectifiers, normalized, bias of the head", torch.relu, 4, True, True),
    ("rectifiers", torch.relu, 4, False, False),
    ("rectifiers, bias of the head", torch.relu, 4, False, True),
    ("16 rectifiers, normalized", torch.relu, 16, True, False),
    ("sigmoids, normalized", torch.sigmoid, 4, True, False),
    ("sigmoids", torch.sigmoid, 4, False, False),
    ("3 sigmoids", torch.sigmoid, 3, False, False),
]


def normalized(y):
    """Scale vectors to a mean square of 1."""
    return y / (y.square().mean(-1, keepdim=True) + 1e-12).sqrt()


def solved(curve, width, normal, bias, rate=0.01, steps=4000):
    """Return the share of the nets that have all four right after steps of Adam, each on four patterns drawn anew."""
    generator = torch.Generator().manual_seed(0)
    first = (torch.randn(NETS, width, 3, generator=generator) / 3**0.5).requires_grad_()
    lines = width + bias
    head = (torch.randn(NETS, 2, lines, generator=generator) / lines**0.5).requires_grad_()
    optimizer = torch.optim.Adam([first, head], lr=rate)

    def logits(chosen):
        hidden = curve((normalized(IMAGES) if normal else IMAGES)[chosen] @ first.mT)
        hidden = normalized(hidden) if normal else hidden
        return torch.cat([hidden, torch.ones(NETS, len(chosen), int(bias))], -1) @ head.mT

    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        chosen = torch.randint(0, 4, (4,), generator=generator)
        loss = cross_entropy(logits(chosen).flatten(0, 1), LABELS[chosen].repeat(NETS), reduction="sum") / 4
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (logits(torch.arange(4)).argmax(-1) == LABELS).all(1).float().mean().item()


if __name__ == "__main__":
    print("setup,solved_percent")
    for name, *setup in SETUPS:
        print(f'"{name}",{100 * solved(*setup):.1f}', flush=True)
