"""Groups of channels that are connected one to one: an array each, read side by side."""

import pytest
import torch
from torch.nn.functional import conv2d

from analogff.device import (
    ContractError,
    Digital,
    Sealed,
    SharedInputs,
    Windows,
    check_device,
    convolution,
    derive_seed,
    errors_back,
    gradient,
    weighted_sums,
)
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.fakes import Curved

SHAPES = [(4, 5, 4, 3, 1, 1, 2), (6, 4, 4, 2, 2, 0, 3), (4, 1, 9, 3, 1, 1, 4)]  # ..., kernel, stride, padding, groups
BATCH, OUT = 5, 12


def make(shape, model=Digital, seeds=(0, 1), before=0, over=0, **more):
    channels, height, width, kernel, stride, padding, groups = shape
    n_in = before + channels * height * width
    given = dict(kernel=kernel, stride=stride, padding=padding, channels=channels, height=height, groups=groups)
    positions = Windows(n_in=n_in, n_out=1, before=before, over=over, **given).positions
    return convolution(model)(n_in, OUT * positions, seed=list(seeds), **given, before=before, over=over, **more)


def in_torch(x, weights, shape):
    """Return what PyTorch makes of one chip's images; a side of one point has a kernel of one."""
    channels, height, width, kernel, stride, padding, groups = shape
    sides = [1 if side == 1 else kernel for side in (height, width)]
    kernels = weights.view(OUT, *sides, channels // groups).permute(0, 3, 1, 2)
    margins = [0 if side == 1 else padding for side in (height, width)]
    images = x.view(-1, height, width, channels).permute(0, 3, 1, 2)
    y = conv2d(images, kernels, stride=stride, padding=margins, groups=groups)
    return y.permute(0, 2, 3, 1).flatten(1)


def weights_of(layer):
    return layer.connection.dense(layer.bank.weights)


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_gradients_and_errors_are_those_of_a_grouped_convolution(shape):
    layer = make(shape)
    x, weights = torch.randn(2, BATCH, layer.datasheet.n_in), weights_of(layer)
    errors, windows = torch.randn(2, BATCH, layer.datasheet.n_out), layer.datasheet.windows
    y, grown, into = layer(x), gradient(errors, x, windows), torch.empty_like(weights)
    back, sums = errors_back(errors, weights, windows), weighted_sums(x, weights, windows)
    assert torch.equal(gradient(errors, x, windows, into), grown) and torch.equal(into, grown)
    for chip in range(2):
        inputs, own = x[chip].clone().requires_grad_(), weights[chip].clone().requires_grad_()
        answer = in_torch(inputs, own, shape)
        answer.backward(errors[chip])
        for got, wanted in ((y, answer), (sums, answer), (grown, own.grad), (back, inputs.grad)):
            torch.testing.assert_close(got[chip], wanted.detach(), rtol=1e-5, atol=2e-5)


def test_each_group_has_an_array_and_they_are_read_side_by_side():
    layer = make(SHAPES[0], Ideal)
    sheet, sealed = layer.datasheet, Sealed(layer, chips=2)
    own = [derive_seed(chip, "group", g) for chip in (0, 1) for g in (0, 1)]
    alone = Ideal(18, OUT // 2, seed=own)
    nothing = torch.zeros(4, 1, 18)
    assert torch.equal(weights_of(layer), alone.oracle(nothing).weights.unflatten(0, (2, 2)).flatten(1, 2))
    assert (sheet.reads_per_vector, sheet.weight_shape, sheet.conversions) == (20, (OUT, 18), (36, OUT))
    sealed.measure(torch.rand(2, BATCH, sheet.n_in))
    assert sealed.ledger["layer 1"].reads == 20 * BATCH


def test_a_group_hears_nothing_of_the_others():
    layer, x = make(SHAPES[0], Unknown, read_noise=0.0), torch.rand(2, BATCH, 80)
    other = x.unflatten(-1, (20, 4)).clone()
    other[..., 2:] = torch.rand_like(other[..., 2:])
    y, moved = (layer(one).unflatten(-1, (20, 2, OUT // 2)) for one in (x, other.flatten(2)))
    assert torch.equal(y[..., 0, :], moved[..., 0, :]) and not torch.equal(y[..., 1, :], moved[..., 1, :])


@pytest.mark.parametrize("common", [{"before": 3}, {"over": 4}, {"before": 2, "over": 3}])
def test_lines_beside_the_image_are_heard_by_every_group(common):
    layer, shape = make(SHAPES[0], **common), SHAPES[0]
    before, over = common.get("before", 0), common.get("over", 0)
    x, weights = torch.randn(2, BATCH, layer.datasheet.n_in), weights_of(layer)
    y, windows, lines = layer(x), layer.datasheet.windows, before + over
    for chip in range(2):
        image = x[chip, :, before:].clone()
        image[:, :over] = 0
        wanted = in_torch(image, weights[chip, :, lines:].contiguous(), shape)
        wanted = wanted + (x[chip, :, :lines] @ weights[chip, :, :lines].mT).repeat(1, windows.positions)
        torch.testing.assert_close(y[chip], wanted, rtol=1e-5, atol=2e-5)
    errors = torch.randn(2, BATCH, layer.datasheet.n_out)
    back = errors_back(errors, weights, windows)
    torch.testing.assert_close((back * x).sum(), (errors * y).sum(), rtol=1e-4, atol=1e-3)  # the adjoint


def test_marked_inputs_and_biases_answer_as_if_written_out():
    layer = make(SHAPES[0], Curved, before=3)
    shared = torch.rand(2, BATCH, layer.datasheet.n_in)
    shared[..., :3] = 0
    x, n_out = SharedInputs(shared, torch.rand(2, 4, BATCH, 3)), layer.datasheet.n_out
    torch.testing.assert_close(layer(x), layer(x.whole()))
    of_chips = torch.tensor([0.1, -0.3]).view(2, 1, 1)
    biases = [torch.tensor(0.2), of_chips, torch.randn(2, 4 * BATCH, n_out), torch.randn(n_out)]
    for got, wanted in zip(layer.measure_biased(x, biases), layer.measure_biased(x.whole(), biases), strict=True):
        torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(layer(x, of_chips), layer(x, of_chips.expand(2, 4 * BATCH, n_out)))
    errors, windows = torch.randn(2, 4 * BATCH, n_out), layer.datasheet.windows
    torch.testing.assert_close(gradient(errors, x, windows), gradient(errors, x.whole(), windows), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", [Unknown, ReRAM])
def test_a_chip_is_bitwise_the_same_alone_and_in_a_bank(model):
    together, alone = make(SHAPES[0], model, (3, 4, 5)), make(SHAPES[0], model, (4,))
    x, change = torch.rand(1, BATCH, 80), 0.1 * torch.randn(1, *alone.datasheet.weight_shape)
    answers = []
    for layer, chips in ((together, 3), (alone, 1)):
        steps = layer.pulse(change.expand(chips, -1, -1).contiguous())
        layer.wait(10.0)
        answers.append((layer(x.expand(chips, -1, -1)), layer.oracle(x.expand(chips, -1, -1)).weights, steps))
    for bank, own in zip(*answers, strict=True):
        assert torch.equal(bank[1], own[0])


@pytest.mark.slow
@pytest.mark.parametrize("model", [Unknown, ReRAM])
def test_it_honors_the_contract(model):
    given = {"kernel": 3, "padding": 1, "channels": 4, "height": 3, "groups": 2}
    report = check_device(convolution(model), n_in=36, n_out=36, **given)
    assert report.passed, report


@pytest.mark.parametrize("n_out, groups", [(36, 3), (27, 2)])
def test_groups_divide_both_kinds_of_channels(n_out, groups):
    with pytest.raises(ContractError, match=f"groups that divide the 4 channels .* Got groups = {groups}"):
        convolution(Digital).check_size(36, n_out, kernel=3, padding=1, channels=4, height=3, groups=groups)


@pytest.mark.gpu
def test_a_gpu_reads_the_groups_of_a_cpu():
    """As `test_a_gpu_reads_the_windows_of_a_cpu` of one array."""
    here, there = make(SHAPES[0], Unknown), make(SHAPES[0], Unknown).cuda()
    x = torch.rand(2, BATCH, here.datasheet.n_in)
    off = (here(x) - there(x.cuda()).cpu()).abs()
    assert off.max() < 2 / (2**6 - 1) and (off > 1e-4).float().mean() < 0.02
