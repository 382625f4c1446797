"""Cells that are stuck, and lines that are dead: as many as asked, where they should be, and for good."""

import pytest
import torch
from scipy.stats import binomtest

from hardware_models import kernels
from hardware_models.effects import defects

CHIPS, ROWS, COLUMNS = torch.tensor([0, 1]), 200, 300


def uniforms(stream):
    return kernels.uniform(CHIPS, 0, ROWS, COLUMNS, stream)


def each(*shares):
    return torch.tensor(shares).reshape(-1, 1, 1)


def holds(mask, share):
    """Whether a share lies in the 99.9 % interval of what was drawn."""
    return binomtest(int(mask.sum()), mask.numel(), share).pvalue > 1e-3


@pytest.mark.parametrize("shares", [(0.01, 0.02, 0.135), (0.0, 0.3, 0.0), (0.2, 0.3, 0.5)])
def test_as_many_cells_are_stuck_as_asked_and_each_in_one_way(shares):
    stuck = defects.stuck(uniforms(1), *map(torch.tensor, shares))
    for chip in range(len(CHIPS)):
        assert all(holds(mask[chip], share) for mask, share in zip(stuck, shares, strict=True))
    assert torch.equal(sum(mask.int() for mask in stuck), stuck.at_all.int())


def test_chips_may_have_shares_of_their_own():
    low, none = each(0.0, 0.1), each(0.0, 0.0)
    stuck = defects.stuck(uniforms(1), low, none, none)
    assert not stuck.at_all[0].any() and holds(stuck.low[1], 0.1)


def test_a_greater_share_keeps_the_cells_that_a_smaller_one_had():
    none = torch.tensor(0.0)
    few, many = (defects.stuck(uniforms(1), torch.tensor(share), none, none).low for share in (0.05, 0.1))
    assert (few & ~many).sum() == 0 < (many & ~few).sum()


def test_stuck_cells_are_where_they_are_stuck_and_the_others_are_not_touched():
    cells, place = kernels.normal(CHIPS, 0, ROWS, COLUMNS, 2).clamp(-1, 1), uniforms(3)
    stuck = defects.stuck(uniforms(1), *map(torch.tensor, (0.1, 0.1, 0.2)))
    lower, upper = each(-1.0, -2.0), each(1.0, 2.0)
    held = defects.held(cells, stuck, lower, upper, place)
    assert torch.equal(held[~stuck.at_all], cells[~stuck.at_all])
    assert (held[0][stuck.low[0]] == -1).all() and (held[1][stuck.high[1]] == 2).all()
    for chip, end in enumerate((1, 2)):  # evenly between the ends: mean 0, variance (2 end)^2 / 12
        between = held[chip][stuck.anywhere[chip]] / end
        assert abs(between.mean()) < 3.3 * (1 / 3) ** 0.5 / len(between) ** 0.5
        assert between.abs().max() <= 1 and between.var() == pytest.approx(1 / 3, rel=0.03)


def test_without_defects_nothing_changes():
    cells, none = kernels.normal(CHIPS, 0, ROWS, COLUMNS, 2), torch.tensor(0.0)
    stuck = defects.stuck(uniforms(1), none, none, none)
    assert torch.equal(defects.held(cells, stuck, none, none, uniforms(3)), cells)
    assert torch.equal(defects.silenced(cells, defects.dead(uniforms(1)[:, :1], none)), cells)


def test_as_many_lines_are_dead_as_asked_and_they_carry_nothing():
    dead = defects.dead(kernels.uniform(CHIPS, 0, 1, 5000, 4), each(0.1, 0.02))
    assert holds(dead[0], 0.1) and holds(dead[1], 0.02)
    signals = torch.ones(2, 3, 5000)
    silent = defects.silenced(signals, dead)
    assert torch.equal(silent, 1.0 - dead.float().expand_as(signals)) and (signals == 1).all()
