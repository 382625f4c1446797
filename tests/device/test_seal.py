"""What the seal holds against an author who means well: every read is counted, no number is lost, nothing leaks."""

import copy
import dataclasses
import io

import pytest
import torch

from analogff.device import (
    BlackBoxError,
    ContractError,
    Digital,
    Ledger,
    Observable,
    Sealed,
    SharedInputs,
    check_device,
    fabricate,
    require,
)
from analogff.network import evaluating
from tests.helpers.fakes import Curved, make_chips

CHIPS, BATCH, N_IN, N_OUT = 2, 4, 5, 3


def seal(model=Curved, level=Observable.PROBE, ledger=None, **parameters):
    device = fabricate(model, N_IN, N_OUT, seeds=range(CHIPS), parameters=parameters)
    return Sealed(device, chips=CHIPS, level=level, ledger=ledger)


def inputs(batch=BATCH, **told):
    return torch.rand(CHIPS, batch, N_IN, generator=torch.Generator().manual_seed(3)).requires_grad_(bool(told))


def marked(**told):
    shared, marks = torch.zeros(CHIPS, BATCH, N_IN), torch.rand(CHIPS, 2, BATCH, 2)
    return SharedInputs(shared.requires_grad_("shared" in told), marks.requires_grad_("marks" in told))


@pytest.mark.parametrize("shape", [(CHIPS, 50, 1), (50, 1), (50, N_OUT), (7, CHIPS, 1, 1), (7, CHIPS, BATCH, N_OUT)])
@pytest.mark.parametrize("act", ["measure", "probe"])
def test_a_bias_makes_no_more_answers_than_there_are_inputs(act, shape):
    box = seal()
    bias = torch.zeros(shape)
    with pytest.raises(ContractError, match=r"broadcasts to \(chips, batch, n_out\).*probe"):
        box.measure(inputs(1), bias) if act == "measure" else box.probe(inputs(1), [bias])
    assert box.ledger.total("reads") == 0


@pytest.mark.parametrize("shape", [(), (1,), (N_OUT,), (BATCH, 1), (1, BATCH, N_OUT), (CHIPS, 1, 1)])
def test_a_bias_that_broadcasts_is_one_read_an_input(shape):
    box = seal()
    assert box.measure(inputs(), torch.full(shape, 0.1)).shape == (CHIPS, BATCH, N_OUT)
    assert box.ledger.total("reads") == BATCH


def test_marks_make_no_more_answers_than_are_counted():
    wide = SharedInputs(torch.zeros(CHIPS, 1, N_IN), torch.rand(CHIPS, 2, 50, 2))
    with pytest.raises(ContractError, match="own marks"):
        seal().measure(wide)


def test_vmap_is_refused_since_one_read_would_stand_for_many():
    box, x, biases = seal(), inputs(), torch.linspace(-1, 1, 9)
    with pytest.raises(BlackBoxError, match="torch.func"):
        torch.vmap(lambda bias: box.measure(x, bias))(biases)
    with pytest.raises(BlackBoxError, match="torch.func"):
        torch.vmap(box.measure, in_dims=1)(x.unsqueeze(1).expand(-1, 6, -1, -1))
    assert box.ledger.total("reads") == 0


@pytest.mark.parametrize(
    "read",
    [
        lambda box: box.measure(inputs(grad=True)),
        lambda box: box.measure(inputs(), torch.zeros(N_OUT, requires_grad=True)),
        lambda box: box.probe(inputs(), [torch.zeros(()), torch.zeros((), requires_grad=True)])[0],
        lambda box: box.probe(inputs(grad=True), [torch.zeros(())])[0],
        lambda box: box.measure(marked(shared=True)),
        lambda box: box.measure(marked(marks=True)),
        lambda box: box.oracle(inputs(grad=True)).slope,
        lambda box: box.oracle(inputs(), torch.zeros(N_OUT, requires_grad=True)).slope,
    ],
)
def test_a_gradient_is_refused_and_not_lost_whichever_way_it_went_in(read):
    with pytest.raises(BlackBoxError, match="backward pass through Curved"):
        read(seal(level=Observable.ORACLE)).sum().backward()


def test_a_tangent_is_refused():
    with torch.autograd.forward_ad.dual_level():
        x = torch.autograd.forward_ad.make_dual(inputs(), torch.ones(CHIPS, BATCH, N_IN))
        with pytest.raises(BlackBoxError, match="tangent"):
            seal().measure(x)


@pytest.mark.parametrize("seconds", [-1000.0, float("nan"), float("inf"), torch.tensor([1.0, -1.0]), torch.ones(3)])
def test_time_that_cannot_pass_is_refused(seconds):
    box = seal()
    box.wait(5.0)
    with pytest.raises(ContractError, match="finite number of seconds from 0"):
        box.wait(seconds)
    assert box.ledger.total("seconds") == 5.0


def test_a_printed_curve_is_for_those_who_declare_that_they_believe_it():
    a = torch.linspace(-1, 1, 5)
    with pytest.raises(BlackBoxError, match=r"declared TWIN.*declared PROBE.*`needs`"):
        seal(level=Observable.PROBE).datasheet.neuron(a)
    assert torch.equal(seal(level=Observable.TWIN).datasheet.neuron(a), a.relu())


class Tires(Digital):
    """Answers in the contract at first."""

    def measure(self, x, bias=None):
        self.read = getattr(self, "read", 0) + 1
        y = super().measure(x, bias)
        return {1: y, 2: y[:, :1], 3: y.double()}[self.read]


def test_every_answer_is_held_to_the_contract():
    box = seal(Tires)
    box.measure(inputs())
    for said in (r"Got \(2, 1, 3\)", "float64"):
        with pytest.raises(ContractError, match=said):
            box.measure(inputs())


@pytest.mark.parametrize("leave", [copy.copy, copy.deepcopy, lambda what: torch.save(what, io.BytesIO())])
def test_weights_do_not_leave_with_a_copy(leave):
    network = make_chips().seal(Observable.ACTIVITY)
    with pytest.raises(BlackBoxError, match=r"copy or a pickle.*checkpoint"):
        leave(network.layers[0])
    if leave is not copy.copy:
        with pytest.raises(BlackBoxError, match="checkpoint"):
            leave(network)


@pytest.mark.parametrize("attribute", ["level", "ledger", "datasheet", "chips", "name", "memory"])
def test_what_was_sealed_stays(attribute):
    box = seal(level=Observable.ACTIVITY)
    with pytest.raises(BlackBoxError, match=rf"stay as it was sealed\. Got {attribute}"):
        setattr(box, attribute, Observable.ORACLE)
    assert box.level == Observable.ACTIVITY


def test_a_rule_reads_the_ledger_and_cannot_write_it():
    network = make_chips().seal(Observable.PROBE)
    layer = network.layers[0]
    layer.measure(torch.zeros(2, 3, 20))
    layer.pulse(torch.ones(2, 16, 20))
    for ledger in (network.ledger, layer.ledger):
        with pytest.raises(AttributeError):
            ledger.of("layer 1").reads = 0
        with pytest.raises(AttributeError):
            ledger.phase = "evaluation"
        assert not hasattr(ledger, "evaluating") and not hasattr(ledger, "load_state_dict")
        ledger["layer 1"].pulses.zero_()
        assert ledger.total("reads") == 3 and ledger.of("layer 1").pulses.tolist() == [320, 320]


def test_looking_is_booked_apart_for_the_engine():
    chips = make_chips()
    network = chips.seal(Observable.PROBE)
    with evaluating(network):
        network.layers[0].measure(torch.zeros(2, 3, 20))
    assert (chips.ledger.total("reads"), chips.ledger.total("reads", "evaluation")) == (0, 3)


class Miscounts(Digital):
    def __init__(self, n_in, n_out, *, seed, steps=-1.0):
        super().__init__(n_in, n_out, seed=seed)
        self.steps = torch.full((len(seed),), steps)

    def pulse(self, change):
        super().pulse(change)
        return self.steps


@pytest.mark.parametrize("steps", [-1.0, float("nan"), float("inf")])
def test_write_steps_that_no_device_can_have_spent_are_refused(steps):
    with pytest.raises(ContractError, match="finite number from 0"):
        seal(Miscounts, steps=steps).pulse(torch.ones(CHIPS, N_OUT, N_IN))
    shapes = next(f for f in check_device(Miscounts, steps=steps).findings if f.name == "shapes")
    assert not shapes.passed and "finite numbers from 0" in shapes.sentence


BAD = pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])


def spoilt(shape, value, chip=1):
    values = torch.full(shape, 0.1)
    values[chip, ..., -1] = value
    return values


WAYS = {
    "inputs": lambda box, bad: box.measure(spoilt((CHIPS, BATCH, N_IN), bad)),
    "one batch for all": lambda box, bad: box.measure(spoilt((1, BATCH, N_IN), bad, 0).expand(CHIPS, -1, -1)),
    "marks": lambda box, bad: box.measure(SharedInputs(torch.zeros(CHIPS, 3, N_IN), spoilt((CHIPS, 1, 3, 2), bad))),
    "shared": lambda box, bad: box.measure(SharedInputs(spoilt((CHIPS, 3, N_IN), bad), torch.ones(CHIPS, 1, 3, 2))),
    "bias": lambda box, bad: box.measure(inputs(), torch.tensor(bad)),
    "probe": lambda box, bad: box.probe(inputs(), [torch.tensor(0.1), spoilt((CHIPS, 1, N_OUT), bad)]),
    "oracle": lambda box, bad: box.oracle(inputs(), torch.tensor(bad)),
    "pulse": lambda box, bad: box.pulse(spoilt((CHIPS, N_OUT, N_IN), bad)),
    "program": lambda box, bad: box.program(spoilt((CHIPS, N_OUT, N_IN), bad)),
}


@BAD
@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_finite_is_refused(way, bad):
    box = seal(level=Observable.ORACLE)
    before = box.measure(inputs())
    with pytest.raises(ContractError, match=r"layer 1 to be finite. Got \d+ of \d+ values.*learning rate"):
        WAYS[way](box, bad)
    assert torch.equal(box.measure(inputs()), before)
    assert (box.ledger.total("reads"), box.ledger.total("writes")) == (2 * BATCH, 0)


def test_numbers_whose_sum_overflows_are_finite():
    huge = torch.full((CHIPS, N_OUT, N_IN), 3e38)
    seal().pulse(huge)


@BAD
@pytest.mark.parametrize("way", WAYS)
def test_a_study_records_it_instead_and_the_neighbors_go_on(way, bad):
    recording, other = Ledger(["layer 1"]), seal(level=Observable.ORACLE)
    recording.record_divergence(CHIPS, torch.device("cpu"))
    box = seal(level=Observable.ORACLE, ledger=recording)
    WAYS[way](box, bad)
    WAYS[way](other, 0.1)
    whole = way in ("one batch for all", "bias", "oracle")
    assert recording.diverged.tolist() == [whole, True]
    got, expected = box.measure(inputs()), other.measure(inputs())
    assert got[1].isnan().all() and got[0].isnan().all() == whole
    assert whole or torch.equal(got[0], expected[0])


def test_what_diverged_is_in_the_checkpoint_of_the_ledger():
    ledger, restored = Ledger(["layer 1"]), Ledger(["layer 1"])
    ledger.record_divergence(CHIPS, torch.device("cpu"))
    WAYS["pulse"](seal(ledger=ledger), float("nan"))
    restored.load_state_dict(ledger.state_dict())
    assert restored.diverged.tolist() == [False, True] and restored.of("layer 1").writes.tolist() == [1, 0]


def test_a_ledger_shares_no_memory_with_the_state_that_it_loaded():
    ledger, restored = Ledger(["layer 1"]), Ledger(["layer 1"])
    ledger.record_divergence(CHIPS, torch.device("cpu"))
    ledger.add("layer 1", pulses=torch.tensor([1, 2]))
    state = ledger.state_dict()
    restored.load_state_dict(state)
    restored.add("layer 1", pulses=torch.tensor([10, 10]))
    restored.diverged |= True
    assert state["counts"]["training"]["layer 1"]["pulses"].tolist() == [1, 2]
    assert state["diverged"].tolist() == [False, False]
    again = Ledger(["layer 1"])
    again.load_state_dict(state)
    assert again.of("layer 1").pulses.tolist() == [1, 2]


@pytest.mark.parametrize("shown", list(Observable)[:4])
@pytest.mark.parametrize("port", [False, True])
@pytest.mark.parametrize("printed", [None, torch.relu])
def test_a_device_shows_up_to_its_rung_and_no_further(shown, port, printed):
    """Above ACTIVITY each rung has a ground of its own, and needs the activity beside it; `Curved` knows its truth."""
    device = Curved(N_IN, N_OUT, seed=[0])
    device.datasheet = dataclasses.replace(device.datasheet, observable=shown, bias_port=port, neuron=printed)
    whole = shown == Observable.ACTIVITY
    grounds = {Observable.PROBE: port, Observable.TWIN: printed is not None, Observable.ORACLE: True}
    for needed in Observable:
        is_shown = whole and grounds[needed] if needed in grounds else needed <= shown
        assert (require(device, needed) is None) == is_shown, needed


def test_a_device_that_answers_with_no_tensor_is_refused():
    class Numpy(Digital):
        def measure(self, x, bias=None):
            return super().measure(x, bias).numpy()

    with pytest.raises(ContractError, match=r"Numpy to return a tensor\. Got ndarray"):
        seal(Numpy).measure(inputs())
