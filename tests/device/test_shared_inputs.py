"""Inputs in variants: what may be shared is what would come of writing them out."""

import pytest
import torch

from analogff.device import Bank, BehindWeights, Observable, Sealed, SharedInputs, outer, product, samplewise
from analogff.device.errors import BlackBoxError, ContractError
from analogff.device.numerics.counting import cells_asked
from analogff.forward_forward.labels import overlay, variants
from analogff.forward_forward.losses import swish
from analogff.network.normalization import L2, GainControl, Length, Unchanged
from tests.helpers.fakes import Curved, Leaky, Tanh

CHIPS, VARIANTS, BATCH, N_IN, N_OUT, LINES = 3, 2, 5, 12, 7, 4


@pytest.fixture
def marked():
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(CHIPS, BATCH, N_IN, generator=generator, dtype=torch.float64)
    shared[..., :LINES] = 0
    return SharedInputs(shared, torch.randn(CHIPS, VARIANTS, BATCH, LINES, generator=generator, dtype=torch.float64))


def test_written_out_variants_differ_in_their_marks_only(marked):
    x = marked.whole()
    assert x.shape == marked.shape == (CHIPS, VARIANTS * BATCH, N_IN)
    for v, variant in enumerate(x.unflatten(1, (VARIANTS, BATCH)).unbind(1)):
        assert torch.equal(variant[..., LINES:], marked.shared[..., LINES:])
        assert torch.equal(variant[..., :LINES], marked.marks[:, v])


def test_products_of_variants_are_those_of_the_inputs_written_out(marked):
    weights = torch.randn(CHIPS, N_OUT, N_IN, dtype=torch.float64)
    torch.testing.assert_close(product(marked, weights), product(marked.whole(), weights))
    errors = torch.randn(CHIPS, VARIANTS * BATCH, N_OUT, dtype=torch.float64)
    torch.testing.assert_close(outer(errors, marked), outer(errors, marked.whole()))
    for a in (weights.requires_grad_(), weights.detach()):  # with and without a graph
        assert product(marked, a).requires_grad == a.requires_grad


@pytest.mark.parametrize("chips", [1, CHIPS])
def test_labels_in_variants_are_labels_written_over_the_image(chips):
    images, classes = torch.rand(BATCH, N_IN), 4
    labels = torch.randint(0, classes, (chips, VARIANTS, BATCH))
    written = torch.cat([overlay(images, labels[:, v], classes) for v in range(VARIANTS)], 1)
    both = variants(images, labels, classes)
    assert torch.equal(SharedInputs(both.shared.expand(chips, -1, -1), both.marks).whole(), written)
    for normalizer in (Length(), L2(), Unchanged(), GainControl(max_gain=3.0, offset=0.2)):
        normalized = normalizer.forward_shared(both)
        of_all = SharedInputs(normalized.shared.expand(chips, -1, -1), normalized.marks)
        torch.testing.assert_close(of_all.whole(), normalizer.forward(written))


def devices():
    seeds = range(CHIPS)
    yield Curved(N_IN, N_OUT, seed=seeds, curve=torch.tanh, noise=0.1)
    yield BehindWeights(N_IN, seed=seeds, box=Bank([Tanh(N_OUT, N_OUT, seed=s) for s in seeds]))


@pytest.mark.parametrize("number", [0, 1])
def test_a_device_answers_what_is_shared_as_what_is_not(number, marked):
    shared, written = (list(devices())[number] for _ in range(2))
    x = SharedInputs(marked.shared.float(), marked.marks.float())
    biases = [torch.tensor(0.3), torch.tensor(-0.3)]
    torch.testing.assert_close(shared(x), written(x.whole()))
    for a, bias in zip(shared.measure_biased(x, biases), biases, strict=True):
        torch.testing.assert_close(a, written(x.whole(), bias))


def test_every_variant_and_every_bias_is_a_read():
    box = Sealed(Curved(N_IN, N_OUT, seed=range(CHIPS), noise=0.1), chips=CHIPS, level=Observable.PROBE)
    x = SharedInputs(torch.rand(CHIPS, BATCH, N_IN), torch.rand(CHIPS, VARIANTS, BATCH, LINES))
    box.measure(x)
    assert box.ledger["layer 1"].reads == VARIANTS * BATCH
    first, second = box.probe(x, [torch.tensor(0.0)] * 2)
    assert box.ledger["layer 1"].reads == 3 * VARIANTS * BATCH
    assert box.ledger["layer 1"].conversions == 3 * VARIANTS * BATCH * (N_IN + N_OUT)
    assert (first - second).abs().mean() > 0.01  # two reads, two noises


def test_a_probe_is_refused_where_it_may_not_be():
    x, bias = torch.rand(1, 2, N_IN), [torch.tensor(0.1)]
    with pytest.raises(BlackBoxError, match="PROBE, which probe shows"):
        Sealed(Curved(N_IN, N_OUT, seed=[0]), chips=1).probe(x, bias)
    with pytest.raises(ContractError, match="bias port"):
        Sealed(Leaky(N_IN, N_OUT, seed=0), chips=1, level=Observable.PROBE).probe(x, bias)
    with pytest.raises(ContractError, match="shape"):
        Sealed(Curved(N_IN, N_OUT, seed=[0]), chips=1, level=Observable.PROBE).probe(x[..., 1:], bias)


def test_whoever_measures_otherwise_shares_nothing_of_a_parent():
    class Doubled(Curved):
        def measure(self, x, bias=None):
            return 2 * super().measure(x, bias)

    device, x = Doubled(N_IN, N_OUT, seed=[0]), torch.rand(1, 3, N_IN)
    marks = SharedInputs(torch.cat([torch.zeros(1, 3, LINES), x[..., LINES:]], 2), x[:, None, :, :LINES])
    torch.testing.assert_close(device(marks), device(x))
    torch.testing.assert_close(device.measure_biased(x, [torch.tensor(0.1)])[0], device(x, torch.tensor(0.1)))


@pytest.mark.parametrize("batch", [1, 31, 64, 100])
def test_samples_do_not_know_their_place(batch):
    positive, negative = 3 * torch.randn(5, batch), 3 * torch.randn(5, batch)
    together = samplewise(lambda g, h: swish(g, h, 2.0, 0.0), positive, negative)
    torch.testing.assert_close(together, swish(positive, negative, 2.0, 0.0))
    for chip in range(5):
        alone = samplewise(lambda g, h: swish(g, h, 2.0, 0.0), positive[chip : chip + 1], negative[chip : chip + 1])
        assert all(torch.equal(a[0], t[chip]) for a, t in zip(alone, together, strict=True))


def test_cells_asked_are_those_that_are_to_change():
    change = torch.zeros(3, 40, 50)
    change[1, :7, :3], change[2] = -0.1, torch.nan
    assert cells_asked(change).tolist() == [0, 21, 2000]
    assert cells_asked(torch.ones(1, 1100, 1000)).tolist() == [1_100_000]
    assert cells_asked(change[:1].expand(2, -1, -1)).tolist() == [0, 0]
