"""One pass over the layers, however they are read."""

import torch

from analogff.device import Observable
from analogff.network.forward import forward
from analogff.network.normalization import length_normalize, mean_square
from tests.helpers.fakes import make_chips, weights_of


def test_a_layer_is_read_when_it_is_asked_for_and_hears_what_became_of_the_one_before():
    heard = []
    reads = [lambda x, n=n: heard.append((n, float(x))) or x + 10.0**n for n in range(3)]
    signal = forward(reads, torch.ones(1), lambda passed: passed.y * 2)
    assert heard == []
    first = next(signal)
    assert (first.layer, float(first.x), float(first.y), heard) == (0, 1.0, 2.0, [(0, 1.0)])
    assert [(passed.layer, float(passed.y)) for passed in signal] == [(1, 14.0), (2, 128.0)]
    assert heard == [(0, 1.0), (1, 4.0), (2, 28.0)]


def test_a_pass_that_is_left_reads_no_further_layer_and_nothing_goes_onward_after_the_last():
    chips, asked = make_chips(), []
    network = chips.seal(Observable.ACTIVITY)
    x = network.present(torch.rand(5, 20))
    next(network.forward(x))
    assert [chips.ledger.of(name).reads for name in chips.names] == [5, 0, 0]
    for passed in network.forward(x, onward=lambda passed: asked.append(passed.layer) or network.onward(passed)):
        assert torch.equal(passed.mean_squares, mean_square(passed.y))
    assert asked == [0]


def test_it_computes_what_exact_chips_compute():
    chips = make_chips()
    network, images = chips.seal(Observable.ACTIVITY), torch.rand(5, 20)
    x = length_normalize(images)
    for passed, weights in zip(network.forward(network.present(images)), weights_of(chips), strict=False):
        torch.testing.assert_close(passed.x, x.expand(2, -1, -1))
        y = torch.relu(x @ weights.mT)
        torch.testing.assert_close(passed.y, y)
        x = length_normalize(y)
