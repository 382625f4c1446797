import math

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from analogff.device import (
    ContractError,
    Digital,
    Observable,
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
from tests.helpers.fakes import Curved, Mixed, Tanh

SHAPES = [  # channels, height, width, kernel, stride, padding
    (1, 5, 5, 3, 1, 0),
    (3, 7, 6, 3, 2, 1),
    (2, 4, 4, 1, 1, 0),
    (2, 6, 6, 4, 2, 2),
    (4, 5, 3, 2, 1, 1),
    (2, 1, 9, 3, 1, 1),
]
BATCH, OUT = 5, 4


def make(shape, model=Digital, seeds=(0, 1), before=0, over=0, **more):
    channels, height, width, kernel, stride, padding = shape
    n_in = before + channels * height * width
    given = {"kernel": kernel, "stride": stride, "padding": padding, "channels": channels, "height": height}
    windows = Windows(n_in=n_in, n_out=1, before=before, over=over, **given)
    lines = {"before": before, "over": over}
    return convolution(model)(n_in, OUT * windows.positions, seed=list(seeds), **given, **lines, **more)


def images_of(x, shape):
    return x.view(-1, shape[1], shape[2], shape[0]).permute(0, 3, 1, 2)


def flat(maps):
    return maps.permute(0, 2, 3, 1).flatten(1)


def kernels(weights, shape):
    """Return an array's weights as PyTorch has them; a side of one point has a kernel of one."""
    height, width = (1 if side == 1 else shape[3] for side in shape[1:3])
    return weights.view(OUT, height, width, shape[0]).permute(0, 3, 1, 2)


def in_torch(x, weights, shape):
    padding = [0 if side == 1 else shape[5] for side in shape[1:3]]
    return flat(conv2d(images_of(x, shape), kernels(weights, shape), stride=shape[4], padding=padding))


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_gradients_and_errors_are_those_of_a_convolution(shape):
    """To the rounding of sums: at most 64 products in another order."""
    layer = make(shape)
    x = torch.randn(2, BATCH, layer.datasheet.n_in)
    errors, windows = torch.randn(2, BATCH, layer.datasheet.n_out), layer.datasheet.windows
    y, grown = layer(x), gradient(errors, x, windows)
    back, sums = errors_back(errors, layer.bank.weights, windows), weighted_sums(x, layer.bank.weights, windows)
    for chip in range(2):
        inputs, weights = x[chip].clone().requires_grad_(), layer.bank.weights[chip].clone().requires_grad_()
        answer = in_torch(inputs, weights, shape)
        answer.backward(errors[chip])
        for got, wanted in ((y, answer), (sums, answer), (grown, weights.grad), (back, inputs.grad)):
            torch.testing.assert_close(got[chip], wanted.detach(), rtol=1e-5, atol=2e-5)


def test_errors_go_back_as_a_transposed_convolution():
    layer = make(SHAPES[1])
    errors = torch.randn(2, BATCH, layer.datasheet.n_out)
    down, across = layer.datasheet.windows.map
    for chip in range(2):
        maps = errors[chip].view(BATCH, down, across, OUT).permute(0, 3, 1, 2)
        weights = kernels(layer.bank.weights[chip], SHAPES[1])
        wanted = flat(conv_transpose2d(maps, weights, stride=2, padding=1, output_padding=(0, 1)))
        got = errors_back(errors, layer.bank.weights, layer.datasheet.windows)[chip]
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=2e-5)


def test_one_array_is_fabricated_and_read_at_every_position():
    layer, alone = make(SHAPES[1], Ideal), Ideal(27, OUT, seed=[0, 1])
    sheet, sealed = layer.datasheet, Sealed(layer, chips=2)
    assert torch.equal(layer.oracle(torch.zeros(2, 1, sheet.n_in)).weights, alone.oracle(torch.zeros(2, 1, 27)).weights)
    assert (sheet.reads_per_vector, sheet.weight_shape, sheet.conversions) == (12, (OUT, 27), (27, OUT))
    sealed.measure(torch.rand(2, BATCH, sheet.n_in))
    count = sealed.ledger["layer 1"]
    assert (count.reads, count.conversions) == (12 * BATCH, 12 * BATCH * (27 + OUT))


def test_each_position_has_noise_of_its_own():
    """Two reads of an even image: within one chip all positions see the same sum."""
    layer = make((1, 6, 6, 3, 1, 0), Unknown, mismatch=0.0, read_noise=0.1, adc_bits=16)
    y = layer(torch.ones(2, 400, 36)).view(2, 400, 16, OUT)
    noise = (y - y.mean(1, keepdim=True)).double()
    apart = (noise[:, :, 0] * noise[:, :, 1]).mean(1) / noise.square().mean((1, 2))
    assert apart.abs().max() < 5 / math.sqrt(400)  # independent: standard deviation 1 / sqrt(n)
    assert not torch.equal(y[:, :, 0], y[:, :, 1])


@pytest.mark.parametrize("model", [Unknown, ReRAM, Tanh])
def test_a_chip_is_bitwise_the_same_alone_and_in_a_bank(model):
    shape = SHAPES[1]
    together, alone = make(shape, model, (3, 4, 5)), make(shape, model, (4,))
    n_in, n_out = together.datasheet.n_in, together.datasheet.n_out
    x, change = torch.rand(1, BATCH, n_in), 0.1 * torch.randn(1, *together.datasheet.weight_shape)
    answers = []
    for layer, chips in ((together, 3), (alone, 1)):
        layer.pulse(change.expand(chips, -1, -1).contiguous())
        layer.wait(10.0)
        signal = x.expand(chips, -1, -1)
        read = [layer(signal.contiguous()), layer(signal)]
        if layer.datasheet.bias_port:
            read += layer.measure_biased(signal, [torch.tensor(0.1), torch.full((BATCH, n_out), -0.1)])
        answers.append(torch.stack(read))
    assert torch.equal(answers[0][:, 1], answers[1][:, 0])


@pytest.mark.parametrize("common", [{"before": 3}, {"over": 4}, {"before": 2, "over": 3}])
def test_lines_before_and_over_the_image_are_heard_at_every_position(common):
    layer, shape = make(SHAPES[1], **common), SHAPES[1]
    before, over = common.get("before", 0), common.get("over", 0)
    x = torch.randn(2, BATCH, layer.datasheet.n_in)
    y = layer(x)
    for chip in range(2):
        weights, first = layer.bank.weights[chip], x[chip, :, : before + over]
        image = x[chip, :, before:].clone()
        image[:, :over] = 0
        wanted = in_torch(image, weights[:, before + over :], shape)
        wanted = wanted + (first @ weights[:, : before + over].mT).repeat(1, layer.connection.reads)
        torch.testing.assert_close(y[chip], wanted, rtol=1e-5, atol=2e-5)
    errors = torch.randn(2, BATCH, layer.datasheet.n_out)
    back = errors_back(errors, layer.bank.weights, layer.datasheet.windows)
    change = torch.randn_like(layer.bank.weights)
    moved = (weighted_sums(x, change, layer.datasheet.windows) * errors).sum()
    torch.testing.assert_close(
        (gradient(errors, x, layer.datasheet.windows) * change).sum(), moved, rtol=1e-4, atol=1e-3
    )
    torch.testing.assert_close((back * x).sum(), (errors * y).sum(), rtol=1e-4, atol=1e-3)  # the adjoint


@pytest.mark.parametrize("lines", [3, 9])
def test_marked_inputs_answer_and_learn_as_if_written_out(lines):
    layer = make(SHAPES[1], Curved, before=3)
    shared = torch.rand(2, BATCH, layer.datasheet.n_in)
    shared[..., :lines] = 0
    x, windows = SharedInputs(shared, torch.rand(2, 4, BATCH, lines)), layer.datasheet.windows
    torch.testing.assert_close(layer(x), layer(x.whole()))
    biases = [torch.tensor(0.2), torch.randn(2, 4 * BATCH, layer.datasheet.n_out)]
    for got, wanted in zip(layer.measure_biased(x, biases), layer.measure_biased(x.whole(), biases), strict=True):
        torch.testing.assert_close(got, wanted)
    errors = torch.randn(2, 4 * BATCH, layer.datasheet.n_out)
    torch.testing.assert_close(gradient(errors, x, windows), gradient(errors, x.whole(), windows), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("marked", [False, True])
def test_reading_some_samples_at_a_time_changes_nothing_but_the_noise(monkeypatch, marked):
    layer = make(SHAPES[1], Curved, before=2)
    x = torch.rand(2, BATCH, layer.datasheet.n_in)
    if marked:
        x[..., :2] = 0
        x = SharedInputs(x, torch.rand(2, 3, BATCH, 2))
    biases = [torch.tensor([[[0.1]]]), torch.randn(1, x.shape[1], layer.datasheet.n_out)]
    errors, windows = torch.randn(2, x.shape[1], layer.datasheet.n_out), layer.datasheet.windows

    def all_of_it():
        read = [layer(x), *layer.measure_biased(x, biases), layer.oracle(x).slope if not marked else layer(x)]
        return read, gradient(errors, x, windows), errors_back(errors, layer.bank.weights, windows)

    at_once, learned, back = all_of_it()
    monkeypatch.setattr("analogff.device.windows._NUMBERS_AT_ONCE", 2 * 12 * windows.fan_in)
    assert windows.samples_at_once == 2
    in_parts, learned_in_parts, back_in_parts = all_of_it()
    for got, wanted in zip(in_parts, at_once, strict=True):
        torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(learned_in_parts, learned, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(back_in_parts, back)


def test_the_oracle_knows_slopes_weights_and_what_neurons_do_to_each_other():
    layer, small = make(SHAPES[1], Mixed), None
    x = torch.rand(2, BATCH, layer.datasheet.n_in)
    truth, rows = layer.oracle(x), layer.datasheet.windows.rows(x)
    small = layer.bank.oracle(rows)
    assert torch.equal(truth.slope.reshape_as(small.slope), small.slope)
    assert truth.weights.shape == (2, *layer.datasheet.weight_shape)
    error = torch.randn_like(truth.slope)
    pulled = layer.bank.pullback(rows, error.view(2, -1, OUT))
    assert torch.equal(layer.pullback(x, error), pulled.view_as(error))


@pytest.mark.slow
def test_a_write_goes_to_the_array_and_is_counted_once():
    layer, array = make(SHAPES[1], ReRAM), ReRAM(27, OUT, seed=[0, 1])
    sealed, alone = Sealed(layer, chips=2), Sealed(array, chips=2)
    change = 0.2 * torch.randn(2, OUT, 27)
    for one in (sealed, alone):
        one.pulse(change)
    counts = [one.ledger["layer 1"].pulses for one in (sealed, alone)]
    assert torch.equal(*counts) and counts[0].min() > 0
    trains = torch.randint(-7, 8, (2, 3, 27), dtype=torch.int32), torch.randint(-7, 8, (2, 3, OUT), dtype=torch.int32)
    for one in (sealed, alone):
        one.pulse_trains(*trains, 3)
    assert torch.equal(*[one.ledger["layer 1"].pulses for one in (sealed, alone)])
    with pytest.raises(ContractError, match=r"shape \(chips, n_out, n_in\) = \(2, 4, 27\). Got \(2, 48, 126\)"):
        sealed.pulse(torch.zeros(2, 48, 126))


def test_its_seed_is_that_of_its_array():
    assert make(SHAPES[0], seeds=(7,)).connection.seeds(7) == [7] != [derive_seed(7, "array", 0)]


@pytest.mark.slow
@pytest.mark.parametrize("model", [Ideal, Unknown, ReRAM, Tanh])
def test_it_honors_the_contract(model):
    given = {"kernel": 3, "padding": 1, "channels": 2, "height": 3}
    report = check_device(convolution(model), n_in=18, n_out=27, **given)
    assert report.passed, report


@pytest.mark.parametrize(
    ("n_in", "n_out", "given", "message"),
    [
        (
            36,
            64,
            {"kernel": 8},
            "kernel that fits on an image of 6 x 6 points with 0 zeros on each side. Got kernel = 8",
        ),
        (36, 65, {}, "outputs at each of 4 x 4 positions alike. Got 65 in all"),
        (35, 64, {"channels": 5}, "channels that make a square image of the 35 lines of this layer. Got 5"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(n_in, n_out, given, message):
    with pytest.raises(ContractError, match=message):
        convolution(Digital).check_size(n_in, n_out, **given)


def test_the_first_layer_must_know_its_image():
    convolution(Digital).check_image(27, (3, 3, 3), channels=3, height=3)
    with pytest.raises(ContractError, match="Expected channels = 3, height = 3, before = 0"):
        convolution(Digital).check_image(27, (3, 3, 3))


def test_a_layer_is_read_at_its_level():
    sealed = Sealed(make(SHAPES[0], Curved), chips=2, level=Observable.PROBE)
    up, down = sealed.probe(torch.rand(2, BATCH, 25), (torch.full((2, 1, 1), 0.05), torch.full((2, 1, 1), -0.05)))
    assert up.shape == (2, BATCH, 36) and (up >= down).all() and (up > down).any()


@pytest.mark.gpu
@pytest.mark.parametrize("shape", SHAPES)
def test_a_gpu_reads_the_windows_of_a_cpu(shape):
    """Noise belongs to a chip, a read and a position, so that all but the rounding of sums is equal."""
    here, there = make(shape, Unknown), make(shape, Unknown).cuda()
    x = torch.rand(2, BATCH, here.datasheet.n_in)
    off = (here(x) - there(x.cuda()).cpu()).abs()
    assert off.max() < 2 / (2**6 - 1)  # rounding may lift a sample to the next step of the converter
    assert (off > 1e-4).float().mean() < 0.02
