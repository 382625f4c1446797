"""The seal copies no answer of a built-in device: each is memory of its own already."""

import pytest
import torch

from analogff.device import Observable, Sealed, fabricate
from analogff.device.owned import Owner
from tests.helpers.devices import EXPORTED


@pytest.mark.parametrize("model", EXPORTED)
def test_no_answer_is_copied_once_a_few_were_seen(model, monkeypatch):
    copies, own = [], Owner.own

    def watched(self, y):
        mine = own(self, y)
        copies.append(mine.data_ptr() != y.data_ptr())
        return mine

    monkeypatch.setattr(Owner, "own", watched)
    device = fabricate(model, 6, 4, seeds=[0, 1])
    chips = Sealed(device, chips=2, level=Observable.PROBE)
    x, biases = torch.rand(2, 3, 6), [torch.tensor(0.1), torch.tensor(-0.1)]
    for _ in range(8):
        chips.measure(x)
        if device.datasheet.bias_port:
            chips.probe(x, biases)
    assert not any(copies[-3:])
