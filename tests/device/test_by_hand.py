"""Devices used by hand, as in a notebook: what does not fit is a sentence, and what can be meant is done."""

import numpy as np
import pytest
import torch

from analogff.catalog import resolve_device
from analogff.characterize import characterize
from analogff.device import (
    ContractError,
    Device,
    Digital,
    Observable,
    Sealed,
    SharedInputs,
    check_device,
    fabricate,
    single_precision,
)
from tests.helpers.fakes import Curved, Leaky, Tanh


@pytest.fixture
def double():
    """Let torch make tensors of float64, as some authors prefer."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", ["ideal", "reram", "mzi-mesh", "p-bit", "faulty(reram)"])
def test_a_device_is_the_same_whatever_torch_makes_by_default(name, tmp_path, double):
    model, x = resolve_device(name, tmp_path), torch.rand(2, 3, 6, dtype=torch.float32)
    answers = [fabricate(model, 6, 4, seeds=[0, 1])(x)]
    assert torch.get_default_dtype() == torch.float64
    with single_precision():
        answers.append(fabricate(model, 6, 4, seeds=[0, 1])(x))
    assert torch.equal(*answers) and answers[0].dtype == torch.float32


@pytest.mark.slow
@pytest.mark.parametrize("model", [Tanh, Leaky, Curved, Digital])
def test_a_device_is_checked_and_known_whatever_torch_makes_by_default(model, double):
    report = check_device(model)
    assert report.passed, report.lines()
    assert characterize(model, n_in=4, n_out=4, chips=1).estimates


@pytest.mark.parametrize(("model", "seed"), [(Tanh, 0), (Digital, [0])])
def test_inputs_of_other_numbers_are_refused(model, seed):
    x = torch.zeros(1, 2, 4, dtype=torch.float64)
    with pytest.raises(ContractError, match=r"to \w+ of torch.float32. Got torch.float64. Write x.float\(\)"):
        model(4, 4, seed=seed)(x)


@pytest.mark.parametrize("name", ["ideal", "reram", "local-fields(ideal)"])
@pytest.mark.parametrize("seed", [7, [7], np.int64(7)])
def test_one_seed_is_one_chip(name, seed, tmp_path):
    told = {"field": 2} if "(" in name else {}
    device = resolve_device(name, tmp_path)(64, 32, seed=seed, **told)
    x = torch.rand(3, 64)
    assert device(x[None]).shape == (1, 3, 32)
    with pytest.raises(
        ContractError, match=r"shape \(chips, batch, n_in\) with n_in = 64. Got \(3, 64\). Write x\[None"
    ):
        device(x)


def test_inputs_of_another_size_are_refused():
    with pytest.raises(
        ContractError, match=r"to Tanh of shape \(batch, n_in\) with n_in = 4. Got \(3, 5\). Give one row"
    ):
        Tanh(4, 4, seed=0)(torch.zeros(3, 5))


@pytest.mark.parametrize(
    "name", ["ideal", "reram", "mzi-mesh", "p-bit", "inverter", "local-fields(ideal)", "faulty(reram)"]
)
def test_an_empty_batch_has_an_empty_answer(name, tmp_path):
    told = {"field": 2} if "fields" in name else {}
    chips = Sealed(
        fabricate(resolve_device(name, tmp_path), 6, 4, seeds=[0, 1], parameters=told), chips=2, level=Observable.PROBE
    )
    x = torch.zeros(2, 0, 6)
    marked = SharedInputs(x, torch.zeros(2, 3, 0, 2))
    answers = [chips.measure(x), chips.measure(marked)]
    if chips.datasheet.bias_port:
        answers += chips.probe(x, [torch.tensor(0.1), torch.tensor(-0.1)])
    assert all(y.shape == (2, 0, 4) and y.dtype == torch.float32 for y in answers)
    assert chips.ledger.total("reads") == 0


class Proud(Device):
    """Has never heard of an empty batch."""

    def measure(self, x):
        return x / x.abs().max()


def test_a_device_need_not_think_of_an_empty_batch():
    assert fabricate(Proud, 4, 3, seeds=[0])(torch.zeros(1, 0, 4)).shape == (1, 0, 3)


class Instrument(Tanh):
    """Can be opened once."""

    open = False

    def __init__(self, n_in, n_out, *, seed):
        super().__init__(n_in, n_out, seed=seed)
        if Instrument.open:
            raise OSError("the port is busy")
        Instrument.open = True


def test_a_chip_that_cannot_be_open_beside_another_is_told_with_the_way_out():
    with pytest.raises(ContractError, match="Expected chip 2 of Instrument to be made beside others") as told:
        fabricate(Instrument, 4, 4, seeds=[0, 1])
    assert "Got OSError: the port is busy (test_by_hand.py" in str(told.value)
    assert "functools.cache" in str(told.value)
