import pytest
import torch

from analogff.device import (
    BlackBoxError,
    ContractError,
    Device,
    Digital,
    Ledger,
    Observable,
    Sealed,
    fabricate,
)
from tests.helpers.fakes import Curved, Leaky, Tanh


def sealed(model=Curved, level=Observable.PROBE, chips=2, n_in=5, n_out=3, **parameters):
    device = fabricate(model, n_in, n_out, seeds=range(chips), parameters=parameters)
    return Sealed(device, chips=chips, level=level)


def test_backward_through_a_device_is_refused_in_a_sentence():
    device = Tanh(3, 3, seed=0)
    for x in (torch.randn(4, 3), torch.randn(4, 3, requires_grad=True)):
        with pytest.raises(BlackBoxError, match=r"backward pass through Tanh.*two reads"):
            device(x).sum().backward()


def test_backward_through_a_sealed_device_is_refused_not_lost():
    x = torch.randn(2, 4, 5, requires_grad=True)
    with pytest.raises(BlackBoxError, match="black box"):
        sealed().measure(x).sum().backward()


def test_a_sealed_output_is_detached():
    y = sealed(model=Tanh).measure(torch.randn(2, 4, 5))
    assert not y.requires_grad and y.grad_fn is None


def test_no_gradient_leaks_even_from_a_device_with_parameters():
    class Parametric(Device):
        def __init__(self, n_in, n_out, *, seed):
            super().__init__(n_in, n_out)
            self.gain = torch.nn.Parameter(torch.ones(()))

        def measure(self, x):
            return self.gain * x

    device = Parametric(3, 3, seed=0)
    with pytest.raises(BlackBoxError):
        device(torch.ones(1, 3)).sum().backward()
    assert device.gain.grad is None


@pytest.mark.parametrize(
    ("attribute", "instead"),
    [
        ("weights", "pulse"),
        ("weight", "program"),
        ("parameters", "pulse"),
        ("grad", "probe"),
        ("state_dict", "checkpoint"),
        ("read_noise", "measure"),
        ("curve", "measure"),
    ],
)
def test_reaching_inside_names_the_verb_to_use(attribute, instead):
    with pytest.raises(BlackBoxError, match=rf"Got \.{attribute}.*Use .*{instead}"):
        getattr(sealed(), attribute)


@pytest.mark.parametrize(
    ("level", "act"),
    [
        (Observable.LOSS, lambda s, x: s.measure(x)),
        (Observable.GOODNESS, lambda s, x: s.measure(x)),
        (Observable.ACTIVITY, lambda s, x: s.measure(x, torch.tensor(0.1))),
        (Observable.PROBE, lambda s, x: s.oracle(x)),
        (Observable.TWIN, lambda s, x: s.oracle(x)),
    ],
)
def test_a_holder_sees_no_more_than_it_declared(level, act):
    with pytest.raises(BlackBoxError, match=rf"declared {level.name}.*`needs`"):
        act(sealed(level=level), torch.zeros(2, 4, 5))


def test_everything_is_counted():
    ledger = Ledger(["layer 1"])
    device = fabricate(Curved, 5, 3, seeds=[0, 1])
    box = Sealed(device, chips=2, level=Observable.PROBE, ledger=ledger)
    box.measure(torch.zeros(2, 7, 5))
    box.measure(torch.zeros(2, 4, 5), torch.tensor(0.1))
    change = torch.zeros(2, 3, 5)
    change[0, 0, :2] = 1.0
    box.pulse(change)
    box.wait(2.5)
    with ledger.evaluating():
        box.measure(torch.zeros(2, 100, 5))
    count = ledger.of("layer 1")
    assert (count.reads, count.conversions, count.seconds) == (11, 11 * 8, 2.5)
    assert count.pulses.tolist() == [2, 0]
    assert count.writes.tolist() == [1, 0]  # a change of zero is not asked for
    assert ledger.of("layer 1", "evaluation").reads == 100
    assert ledger.total("reads") == 11


def test_a_digital_layer_converts_nothing():
    box = Sealed(Digital(5, 3, seed=[0]), chips=1)
    box.measure(torch.zeros(1, 7, 5))
    assert box.ledger.of("layer 1").conversions == 0


def test_wrong_shapes_are_refused_with_the_right_ones():
    with pytest.raises(ContractError, match=r"\(2, batch, 5\)\. Got \(7, 5\)\. Expand"):
        sealed().measure(torch.zeros(7, 5))
    with pytest.raises(ContractError, match=r"\(2, 3, 5\)\. Got \(3, 5\)"):
        sealed().pulse(torch.zeros(3, 5))


def test_a_device_that_answers_out_of_contract_is_refused():
    class Transposed(Device):
        def measure(self, x):
            return x.T

    class Bank(Digital):
        def measure(self, x, bias=None):
            return super().measure(x, bias).mT

    with pytest.raises(
        ContractError, match=r"Transposed to return .* \(9, 4\)\. Got \(4, 9\)\. Return one row a sample"
    ):
        sealed(model=Transposed, n_in=4, n_out=4).measure(torch.zeros(2, 9, 4))
    with pytest.raises(ContractError, match="analogff check"):
        sealed(model=Bank, n_in=4, n_out=4).measure(torch.zeros(2, 9, 4))


class NoSeed(Device):
    def __init__(self, n_in, n_out, gain=1.0):
        super().__init__(n_in, n_out)

    def measure(self, x):
        return x


class NoParent(NoSeed):
    def __init__(self, n_in, n_out, *, seed):
        self.gain = 1.0


class NoMeasure(Device):
    def measurement(self, x):
        return x


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            NoSeed,
            "takes (self, n_in, n_out, gain=1.0): got an unexpected keyword argument 'seed'. Begin it as `def __init__(",
        ),
        (NoParent, "leaves out what every device has. Begin it with `super().__init__(n_in, n_out, seed=seed)`."),
        (NoMeasure, "to have a method measure. Got a class without it. Write `def measure(self, x:"),
    ],
)
def test_a_class_that_cannot_be_made_is_told_what_to_write(model, said):
    with pytest.raises(ContractError) as refused:
        fabricate(model, 4, 3, seeds=[0])
    assert said in str(refused.value) and model.__name__ in str(refused.value)


def test_a_missing_port_is_named():
    with pytest.raises(ContractError, match="bias port"):
        sealed(model=Leaky).measure(torch.zeros(2, 4, 5), torch.tensor(0.1))


def test_forward_cannot_be_overridden():
    with pytest.raises(TypeError, match="measure"):

        class Cheat(Device):
            def measure(self, x):
                return x

            def forward(self, x):
                return x
