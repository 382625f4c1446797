"""What digital work costs: formulas by hand, prices, and the sum over a system."""

import numpy as np
import pytest
from pydantic import ValidationError

from analogff.device import ContractError, Datasheet, Digital, Sealed
from analogff.device.ledger import Count
from analogff.system import Prices, Work, system_cost
from analogff.system.work import adam, elementwise, outer, product


def test_work_is_counted_as_by_hand():
    # 5 vectors of 3 through a 2 x 3 matrix: 30 products; 15 + 6 numbers in, 10 out
    assert product(5, 3, 2) == outer(5, 3, 2) == (30, 4 * (15 + 6 + 10))
    assert elementwise(7, operations=2, operands=1) == (14, 4 * 7 * 2)
    assert product(5, 3, 2) + Work(1, 1) == (31, 125)
    assert Work(2, 3).times(4) == (8, 12)
    # gradient, mean and mean square in; mean, mean square and change out
    assert adam(10).moved_bytes == 4 * 10 * 6
    assert adam(10, decay=True).moved_bytes == 4 * 10 * 8


@pytest.mark.parametrize("technology", ["45nm", "7nm"])
def test_prices_are_those_of_the_technology_unless_given(technology):
    prices = Prices(technology=technology)
    assert prices.mac_joules == prices.mac32_joules > Prices(technology=technology, mac_bits=8).mac_joules
    assert Prices(technology=technology, mac32_joules=1e-12).mac_joules == 1e-12
    assert Prices(technology="7nm").mac_joules < Prices(technology="45nm").mac_joules


def test_a_price_that_does_nothing_is_refused():
    with pytest.raises(ValidationError, match="mac_bits = 8 beside mac8_joules"):
        Prices(mac8_joules=1e-12)
    with pytest.raises(ValidationError, match="greater than 0"):
        Prices(sram_joules=-1.0)


def test_traffic_is_off_the_chip_in_proportion_to_what_does_not_fit():
    prices = Prices(sram_bytes=1000, sram_joules=1.0, dram_joules=9.0)
    assert prices.byte_joules(0) == prices.byte_joules(1000) == 1.0
    assert prices.byte_joules(4000) == pytest.approx(0.25 * 1 + 0.75 * 9)


def test_a_systems_cost_is_the_sum_of_its_parts():
    sheet = Datasheet(
        n_in=3, n_out=2, read_joules=5.0, signal_joules=2.0, dac_joules=0.1, adc_joules=0.2, pulse_joules=0.5
    )
    head = Datasheet(n_in=2, n_out=4, dacs=0, adcs=0, readable_weights=True, read_joules=99.0, pulse_joules=99.0)
    counts = [Count(reads=10, mean_squares=4.0, pulses=6, writes=1), Count(reads=5, pulses=8, writes=1)]
    prices = Prices(mac32_joules=2.0, sram_joules=1.0, macs_per_second=10.0, bytes_per_second=1e6)
    cost = system_cost([sheet, head], counts, Work(100, 40), 0.0, np.array([3.0, 4.0]), prices)
    assert [part[0] for part in cost.joules[:3]] == pytest.approx([10 * 5 + 4 * 2, 10 * (0.3 + 0.4), 6 * 0.5])
    macs, moved = 100 + 5 * 8 + 8, 40 + 4 * (5 * 6 + 2 * 8)
    assert cost.digital_macs[0] == macs
    assert cost.digital_bytes[0] == moved
    assert cost.joules.digital[0] == pytest.approx(2.0 * macs)
    assert cost.joules.memory[0] == pytest.approx(moved)
    assert cost.seconds == pytest.approx([3 + macs / 10, 4 + macs / 10])


def test_what_stands_behind_digital_weights_is_priced_beside_them():
    box = Datasheet(n_in=3, n_out=2, dacs=2, adcs=2, readable_weights=True, read_joules=5.0, adc_joules=0.5)
    free = Prices(mac32_joules=1e-300, sram_joules=1e-300)
    cost = system_cost([box], [Count(reads=10, pulses=4, writes=1)], Work(), 0.0, np.zeros(1), free)
    chip, converters, writes = (part[0] for part in cost.joules[:3])
    assert (chip, writes) == (50.0, 0.0)
    assert converters == pytest.approx(10 * 2 * (0.5 + box.dac_joules))
    assert cost.digital_macs[0] == 10 * 6 + 4


def test_digital_work_is_booked_beside_its_layer_and_never_taken_back():
    layer = Sealed(Digital(3, 2, seed=[0]), chips=1)
    layer.compute(*product(5, 3, 2))
    layer.compute(1.0, 2.0)
    assert (layer.ledger[layer.name].macs, layer.ledger[layer.name].moved_bytes) == (31, 126)
    with pytest.raises(ContractError, match="0 or more"):
        layer.compute(-1.0, 0.0)
