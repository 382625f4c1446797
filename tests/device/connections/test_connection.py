"""What any topology gets from its lines, seen at an array that is read twice a vector; and what each read costs."""

import dataclasses

import pytest
import torch

from analogff.device import (
    Connection,
    Datasheet,
    Dense,
    Digital,
    Ledger,
    Observable,
    Sealed,
    SharedInputs,
    check_device,
    connected,
    fabricate,
    local_fields,
)
from analogff.timing import Inference, cost
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from hardware_models.memory_cells.reram import ReRAM
from tests.helpers.fakes import Curved, Leaky

CHIPS, BATCH, N_IN, N_OUT = 2, 5, 6, 7
SEEN = [[0, 1, 2, 3], [0, 3, 4, 5]]  # line 0 is common, 3 is seen twice
NOISY = {"read_noise": 0.05, "adc_bits": 8}


class Twice(Connection):
    """One array of 4 lines and 4 neurons, read twice a vector; the last of the 8 neurons is not connected."""

    def __init__(self, n_in, n_out, *, silent: int = 0):
        lines = torch.tensor(SEEN).clamp(max=n_in)
        lines[:, 4 - silent :] = n_in
        super().__init__(n_in, n_out, lines[None], common=1)


def make(model=Curved, topology=Twice, seeds=(0, 1), **parameters):
    return fabricate(connected(topology, model), N_IN, N_OUT, seeds=list(seeds), parameters=parameters)


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def dense_of(kernel):
    """Write the weights of both reads into the matrix of the layer, ``(chips, 4, 4)`` to ``(chips, 7, 6)``."""
    dense = torch.zeros(len(kernel), 8, N_IN)
    for read, lines in enumerate(SEEN):
        for place, line in enumerate(lines):
            dense[:, 4 * read : 4 * read + 4, line] = kernel[:, :, place]
    return dense[:, :N_OUT]


def sealed(device, level=Observable.PROBE):
    return Sealed(device, chips=CHIPS, level=level)


@pytest.mark.parametrize("bias", [None, (), (N_OUT,), (CHIPS, 1, N_OUT), (CHIPS, BATCH, N_OUT)])
def test_an_array_read_twice_is_the_dense_layer_of_shared_weights(bias):
    device, x = make(), drawn(CHIPS, BATCH, N_IN)
    bias = None if bias is None else drawn(*bias, seed=1) - 0.5
    dense = dense_of(device.bank.weights)
    a = x @ dense.mT + (0 if bias is None else bias)
    torch.testing.assert_close(device(x, bias), a.relu())
    slope, weights = device.oracle(x, bias)
    assert torch.equal(weights, dense)
    assert torch.equal(slope, (a > 0).float())


def test_changes_of_a_shared_weight_add_up():
    """As a gradient does: what the cells get is the adjoint of what they are in the dense layer."""
    device, change = make(), drawn(CHIPS, N_OUT, N_IN) - 0.5
    before = device.bank.weights.clone()
    steps = device.pulse(change)
    cells = device.bank.weights - before
    direction = drawn(CHIPS, 4, 4, seed=2)
    adjoint = (dense_of(direction) * change).flatten(1).sum(1)
    torch.testing.assert_close((direction * cells).flatten(1).sum(1), adjoint)
    assert steps.tolist() == [16, 16], "each cell is written once, however often it is read"


def test_programmed_weights_of_a_shared_one_are_averaged():
    """The closest that can be: what is left is orthogonal to all that the cells can be."""
    device, wanted = make(), drawn(CHIPS, N_OUT, N_IN)
    device.program(wanted)
    left = (wanted - dense_of(device.bank.weights)) * (dense_of(torch.ones(CHIPS, 4, 4)) > 0)
    along = (left * dense_of(drawn(CHIPS, 4, 4, seed=2))).flatten(1).sum(1)
    torch.testing.assert_close(along, torch.zeros(CHIPS), atol=1e-5, rtol=0)
    device.program(dense_of(drawn(CHIPS, 4, 4, seed=3)))
    torch.testing.assert_close(device.bank.weights, drawn(CHIPS, 4, 4, seed=3))


def test_the_seal_counts_every_read_of_a_vector():
    device = sealed(make())
    x, count = drawn(CHIPS, BATCH, N_IN), device.ledger
    assert (device.datasheet.reads_per_vector, device.datasheet.conversions) == (2, (4, 4))
    device.measure(x)
    assert (count["layer 1"].reads, count["layer 1"].conversions) == (2 * BATCH, 2 * BATCH * 8)
    device.probe(x, (torch.tensor(0.1), torch.tensor(-0.1), torch.tensor(0.0)))
    assert count["layer 1"].reads == 2 * BATCH * 4
    marked = SharedInputs(x * (torch.arange(N_IN) > 0), drawn(CHIPS, 3, BATCH, 1))
    device.measure(marked)
    assert count["layer 1"].reads == 2 * BATCH * (4 + 3)
    device.pulse(torch.ones(CHIPS, N_OUT, N_IN))
    assert count["layer 1"].pulses.tolist() == [16, 16]


def test_a_plain_device_is_read_once_a_vector():
    device = sealed(Ideal(N_IN, N_OUT, seed=[0, 1]))
    device.measure(drawn(CHIPS, BATCH, N_IN))
    assert device.ledger["layer 1"].reads == BATCH
    with pytest.raises(ValueError, match="at least one read for each input vector. Got reads_per_vector=0. Give"):
        Datasheet(n_in=1, n_out=1, reads_per_vector=0)


def test_a_layer_read_twice_a_vector_takes_twice_as_long():
    """As a plain one that is sent twice as many vectors, but the layer behind it waits for fewer."""
    device = make(Ideal)
    twice, plain = device.datasheet, dataclasses.replace(device.datasheet, reads_per_vector=1)
    box = sealed(device)
    box.measure(drawn(CHIPS, 100, N_IN))
    seconds, _ = cost([twice], [box.ledger["layer 1"]], Inference(), CHIPS)
    read = twice.dac_seconds + twice.settle_seconds + twice.adc_share * twice.adc_seconds
    assert seconds == pytest.approx([200 * read] * CHIPS)
    behind = cost([twice, twice], [box.ledger["layer 1"]] * 2, Inference(), CHIPS)[0]
    assert behind == pytest.approx([202 * read] * CHIPS), "the last vector takes both of its reads behind"
    assert cost([plain, plain], [box.ledger["layer 1"]] * 2, Inference(), CHIPS)[0] == pytest.approx([201 * read] * 2)


def test_marks_on_common_lines_are_marks_of_every_read():
    device, x = make(), drawn(CHIPS, BATCH, N_IN)
    for lines in (1, 2):  # two are not common, and written out
        marked = SharedInputs(x * (torch.arange(N_IN) >= lines), drawn(CHIPS, 3, BATCH, lines))
        torch.testing.assert_close(device(marked), device(marked.whole()))


@pytest.mark.slow
@pytest.mark.parametrize("model", [Curved, Ideal, Unknown, Leaky])
def test_it_keeps_the_contract(model):
    parameters = NOISY if model is Unknown else {}
    report = check_device(connected(Twice, model), n_in=N_IN, n_out=N_OUT, **parameters)
    assert report.passed, report.lines()


def test_a_chip_is_the_same_alone_and_in_a_bank():
    x, change = drawn(CHIPS, BATCH, N_IN), drawn(CHIPS, N_OUT, N_IN) - 0.5
    together, alone = make(Unknown, **NOISY, write_noise=0.1), make(Unknown, seeds=(1,), **NOISY, write_noise=0.1)
    for device, chips in ((together, slice(None)), (alone, slice(1, None))):
        device(x[chips])
        device.pulse(change[chips])
    assert torch.equal(together(x)[1:], alone(x[1:]))


@pytest.mark.parametrize("model", [Unknown, ReRAM, Digital])
def test_dense_is_what_a_device_is_without_a_connection(model):
    x, change = drawn(CHIPS, BATCH, N_IN), 0.3 * (drawn(CHIPS, N_OUT, N_IN) - 0.5)
    seals = [sealed(make(model, Dense)), sealed(fabricate(model, N_IN, N_OUT, seeds=[0, 1]))]
    lives = []
    for device in seals:
        life = [device.measure(x)]
        device.pulse(change)
        device.wait(torch.tensor([1.0, 100.0]))
        life += device.probe(x, (torch.tensor(0.1), drawn(CHIPS, BATCH, N_OUT)))
        device.program(change)
        marked = SharedInputs(x * (torch.arange(N_IN) >= 2), drawn(CHIPS, 3, BATCH, 2))
        lives.append([*life, device.measure(marked)])
    assert all(map(torch.equal, *lives))
    for name, counted in vars(seals[1].ledger["layer 1"]).items():
        assert torch.equal(torch.as_tensor(vars(seals[0].ledger["layer 1"])[name]), torch.as_tensor(counted)), name
    layer, plain = (device.datasheet for device in seals)
    assert layer.conversions == plain.conversions
    own = {"neuron": None, "dacs": None, "adcs": None}
    assert vars(layer) | own == vars(plain) | own


FIELDS = {"field": 3, "stride": 2, "before": 2, "over": 1}


@pytest.mark.parametrize(
    ("layer", "parameters", "n_in"),
    [
        (connected(Twice, ReRAM), {}, N_IN),
        (connected(Twice, ReRAM), {"silent": 1}, N_IN),
        (local_fields(ReRAM), FIELDS, 24),
    ],
)
@pytest.mark.parametrize("marks", [0, 3])
def test_each_array_is_charged_for_what_it_receives(layer, parameters, n_in, marks):
    """Bright lines that many arrays see cost what those arrays would cost one by one, in single precision."""
    device = fabricate(layer, n_in, N_OUT, seeds=[0, 1], parameters=parameters)
    array = device.bank.datasheet
    x = (
        10 * drawn(CHIPS, BATCH, n_in) * torch.linspace(0, 1, n_in) ** 2
    )  # some above the range of 8, the dark ones first
    if marks:
        x = SharedInputs(x * (torch.arange(n_in) >= marks), drawn(CHIPS, 4, BATCH, marks, seed=1))
    book = Ledger(["layer 1"])
    Sealed(device, chips=CHIPS, level=Observable.PROBE, ledger=book).probe(x, (torch.tensor(0.1), torch.tensor(0.2)))
    pieces = device.connection.spread(x.whole() if marks else x).clamp(array.input_min, array.input_max).double()
    each = pieces.square().mean(-1).view(CHIPS, -1).sum(1) * array.signal_joules
    charged = book["layer 1"].mean_squares * device.datasheet.signal_joules
    assert charged.tolist() == pytest.approx((2 * each).tolist(), rel=1e-6, abs=0)
