import pytest
import torch
from torch.nn.functional import avg_pool2d, max_pool2d

from analogff.network.pooling import Pooling, Width, heard, kinds_of_neurons


def as_maps(y, pooling):
    return y.view(-1, pooling.height, pooling.width, pooling.channels).permute(0, 3, 1, 2)


@pytest.mark.parametrize(("height", "width", "size"), [(4, 6, 2), (6, 3, 3), (1, 8, 4)])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_it_pools_and_carries_errors_back_as_pytorch_does(height, width, size, kind):
    pooling = Pooling(channels=3, height=height, width=width, size=size, kind=kind)
    y = torch.randn(2, 5, pooling.n_in).requires_grad_()
    square = min(size, height), min(size, width)
    pool = max_pool2d if kind == "max" else avg_pool2d
    wanted = pool(as_maps(y, pooling), square).permute(0, 2, 3, 1).reshape(2, 5, -1)
    torch.testing.assert_close(pooling.forward(y), wanted)
    assert wanted.shape[-1] == pooling.n_out
    error = torch.randn_like(wanted)
    wanted.backward(error)
    torch.testing.assert_close(pooling.backward(error, y.detach()), y.grad)


def test_of_equal_activities_the_first_takes_the_error():
    pooling = Pooling(channels=1, height=2, width=2, size=2)
    back = pooling.backward(torch.tensor([[[3.0]]]), torch.tensor([[[0.0, 1.0, 1.0, 1.0]]]))
    assert back.tolist() == [[[0.0, 3.0, 0.0, 0.0]]]


def test_its_work_is_a_comparison_for_each_number_of_the_map():
    pooling = Pooling(channels=2, height=4, width=4, size=2)
    assert pooling.work(5) == (5 * 32, 4 * 5 * (32 + 8))
    assert pooling.backward_work(5) == (5 * 32, 4 * 5 * (2 * 32 + 2 * 8))


def test_a_width_is_its_outputs_and_knows_what_is_heard_of_them():
    width = Width(16, heard=4, channels=2)
    assert (width, heard(width), heard(16), kinds_of_neurons(width), kinds_of_neurons(16)) == (16, 4, 16, 2, 16)
