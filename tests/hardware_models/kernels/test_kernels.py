"""Noise addressed by position: known answers, two implementations, moments, and independence of how it is asked."""

import math

import numpy as np
import pytest
import torch

from analogff.device.numerics import compiled as compiling
from hardware_models import kernels
from hardware_models.kernels import reference
from hardware_models.kernels.cpu import philox as cpu

SEEDS = torch.tensor([0, 1, 2**62 + 12345, -7])
FIRST_ROWS = torch.tensor([0, 5, 2**33 + 1, 2**32 - 2])
ONES = 0xFFFFFFFF
KNOWN = [  # kat_vectors of Random123: counter, key, words
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize("counter, key, words", KNOWN)
def test_philox_gives_the_known_answers(counter, key, words):
    clear = reference.philox(*(tuple(torch.tensor(v) for v in part) for part in (counter, key)))
    assert tuple(w.item() for w in clear) == words
    assert cpu.philox(*(np.uint64(v) for v in (*counter, *key))) == words


@pytest.mark.parametrize("columns", [1, 3, 4, 7, 64, 501])
def test_the_fast_kernel_equals_the_reference(columns):
    fast = kernels.normal(SEEDS, FIRST_ROWS, 9, columns, 17)
    clear = reference.normal(SEEDS, FIRST_ROWS, 9, columns, 17)
    assert (fast - clear).abs().max() < 2e-6  # single precision at up to 5 standard deviations
    fast, clear = (m.uniform(SEEDS, FIRST_ROWS, 9, columns, 17) for m in (kernels, reference))
    assert torch.equal(fast, clear)


@pytest.mark.parametrize("module", [kernels, reference])
def test_adding_in_one_pass_is_drawing_and_adding(module):
    y, sigma = torch.rand(4, 9, 13), torch.rand(4, 9, 1)
    noise = module.normal(SEEDS, FIRST_ROWS, 9, 13, 3)
    for s in (sigma, sigma[:, :1], sigma * torch.rand(4, 9, 13), torch.zeros(4, 1, 1)):
        assert torch.equal(module.add_normal_(y.clone(), s, SEEDS, FIRST_ROWS, 3), y + s * noise)


def test_normals_have_the_moments_and_tails_of_normals():
    z = kernels.normal(torch.tensor([3]), 0, 1000, 1000, 5).double().flatten()
    n = z.numel()
    # standard errors of mean, variance, skewness and kurtosis of n normals: sqrt of 1, 2, 6 and 24 over n
    for moment, wanted, spread in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
        assert abs((z**moment).mean() - wanted) < 4 * math.sqrt(spread / n)
    for k in (1, 2, 3, 4):
        beyond = math.erfc(k / math.sqrt(2)) * n
        assert abs((z.abs() > k).sum() - beyond) < 4 * math.sqrt(beyond)
    assert 4.4 < z.abs().max() < 6.7


@pytest.mark.parametrize("other", ["seed", "row", "stream", "column", "quad"])
def test_noise_at_other_positions_is_unrelated(other):
    def draw(seed=1, row=0, stream=5):
        return kernels.normal(torch.tensor([seed]), row, 400, 400, stream)[0]

    a, n = draw(), 400 * 400
    b = {
        "seed": lambda: draw(seed=2),
        "row": lambda: a.roll(1, 0),
        "stream": lambda: draw(stream=6),
        "column": lambda: a.roll(1, 1),
        "quad": lambda: a.roll(4, 1),
    }[other]()
    for f in (lambda z: z, torch.abs):  # sign and size
        x, y = f(a) - f(a).mean(), f(b) - f(b).mean()
        assert abs((x * y).mean() / (x.std() * y.std())) < 4 / math.sqrt(n)


def test_a_number_depends_on_its_position_only():
    whole = kernels.normal(SEEDS, FIRST_ROWS, 10, 37, 17)
    assert torch.equal(kernels.normal(SEEDS[1:2], FIRST_ROWS[1:2], 10, 37, 17), whole[1:2])
    halves = [kernels.normal(SEEDS, FIRST_ROWS + r, 5, 37, 17) for r in (0, 5)]
    assert torch.equal(torch.cat(halves, 1), whole)
    assert torch.equal(kernels.normal(SEEDS, FIRST_ROWS, 10, 11, 17), whole[..., :11])


def test_without_a_place_for_a_cache_the_kernels_still_compile(monkeypatch):
    compile_ = compiling.numba.njit

    def njit(**options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return compile_(**options)

    monkeypatch.setattr(compiling.numba, "njit", njit)
    assert compiling.compiled(lambda x: x + 1)(1) == 2


@pytest.mark.gpu
def test_cuda_draws_the_same_noise():
    there = kernels.normal(SEEDS.cuda(), FIRST_ROWS.cuda(), 9, 501, 17).cpu()
    assert (there - kernels.normal(SEEDS, FIRST_ROWS, 9, 501, 17)).abs().max() < 2e-6


def test_speed_of_a_normal(benchmark):
    y, sigma, seeds = torch.zeros(1, 1000, 500), torch.ones(1, 1, 1), torch.tensor([0])
    benchmark(kernels.add_normal_, y, sigma, seeds, 0, 3)
