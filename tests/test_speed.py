"""What costs time, counted instead of timed: multiplications, and memory that is asked for."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from analogff.network import LayerSpec, fabricate_chips
from analogff.rules.forward_forward import ForwardForward
from hardware_models.generic.ideal import Ideal
from hardware_models.generic.unknown import Unknown
from tests.helpers.fakes import given_probes

N_IN, WIDTH, NEXT, CLASSES, BATCH, CHIPS = 784, 60, 40, 10, 32, 3


@pytest.fixture
def make_rule():
    def make(model, **options):
        chips = fabricate_chips([LayerSpec(model)] * 2, [N_IN, WIDTH, NEXT], CLASSES, seeds=range(CHIPS))
        chosen = ForwardForward.Options(batch=BATCH, **options)
        return ForwardForward(chips.seal(ForwardForward.needs(chosen)), chosen, seed=0)

    return make


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(BATCH, N_IN, generator=generator), torch.randint(0, CLASSES, (BATCH,), generator=generator)


def multiplications(act):
    """Count those of matrix products."""
    with FlopCounterMode(display=False) as counter:
        act()
    return counter.get_total_flops() / 2


FIRST, LABELS, SECOND = N_IN * WIDTH, CLASSES * WIDTH, WIDTH * NEXT


@pytest.mark.parametrize("model, slope", [(Ideal, "assumed"), (Unknown, "assumed"), (Unknown, "probed")])
def test_a_step_multiplies_the_image_once_for_both_labels_and_both_reads(model, slope, make_rule, batch):
    rule = make_rule(model, **given_probes(slope), negatives="random")
    forward = BATCH * (FIRST + 2 * LABELS + 2 * SECOND)
    update = forward  # an outer product costs what its product costs, and shares what it shares
    assert multiplications(lambda: rule.step(*batch)) == CHIPS * (forward + update)


def test_ten_labels_share_an_image(make_rule, batch):
    rule = make_rule(Unknown)
    once = BATCH * (FIRST + CLASSES * LABELS + CLASSES * SECOND)
    assert multiplications(lambda: rule.predict(batch[0])) == CHIPS * once


@pytest.mark.parametrize("parameters", [{}, {"weight_bits": 8}, {"weight_noise": 0.1}])
def test_a_read_asks_for_little_more_memory_than_its_answer(parameters):
    device, x = Unknown(500, 300, seed=[0, 1], **parameters), torch.rand(2, 256, 500)
    device(x)
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        y = device(x)
    asked = sum(event.cpu_memory_usage for event in watched.events() if event.cpu_memory_usage > 0)
    assert y.numel() * y.element_size() <= asked < 1.1 * y.numel() * y.element_size()
