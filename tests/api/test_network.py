"""A network in Python: the chips and numbers of a study, epoch by epoch."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

import analogff as ff
from analogff.catalog import device_names, resolve_device, resolve_rule, rule_names
from analogff.catalog.parameters import parameters_of
from analogff.data import load_dataset
from analogff.support.mistakes import StudyError
from analogff.training.epoch import NUMBERS

SMALL = {"data": "digits", "train_images": 100, "validation_images": 20}


class Leaky(ff.Device):
    """A device of this file, as one of a notebook would be."""

    def measure(self, x, bias=None):
        return torch.nn.functional.leaky_relu(x if bias is None else x + bias)


def fabricate(device="ideal", **changes):
    return ff.Network.fabricate(device, **({"layers": [64, 8], "classes": 10, "chips": 2} | changes))


def learn(network, **changes):
    return ff.train(network, **({"epochs": 1} | SMALL | changes))


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["forward-forward", "backprop"])
def test_the_numbers_are_those_of_a_study(rule, tmp_path):
    """Of every epoch, so the network has to look at its chips as often as a study does."""
    network = fabricate("reram", chips=[3, 5], read_noise=0.05)
    training = learn(network, rule=rule, epochs=2, seed=4, learning_rate=0.002)
    list(training)
    study = ff.Study(
        name="same",
        dataset="digits",
        layers=[8],
        epochs=2,
        chips=[3, 5],
        seeds=[4],
        train_images=100,
        validation_images=20,
        device={"model": "reram", "read_noise": 0.05},
        rule={"name": rule, "learning_rate": 0.002},
    )
    results = study.run(out=tmp_path / "out", workers=0, quiet=True)
    theirs = results.table.sort_values(["epoch", "chip"])
    for name in (*NUMBERS, "chip", "epoch", "stopped_by"):
        np.testing.assert_array_equal(training.table[name], theirs[name], err_msg=name)
    assert training.measurements.keys() == results.measurements.keys()
    for name, ours in training.measurements.items():
        numbers = [c for c in ours if c in results.measurements[name] and c != "chip"]
        assert sorted(map(tuple, ours[numbers].to_numpy().tolist())) == sorted(
            map(tuple, results.measurements[name][numbers].to_numpy().tolist())
        )
        assert set(ours["chip"]) == {3, 5}


def test_epochs_come_one_at_a_time_and_nothing_global_changes():
    random, threads = torch.get_rng_state(), torch.get_num_threads()
    network = fabricate()
    training = learn(network, epochs=2)
    assert "as fabricated" in repr(fabricate()) and training.table.empty
    epoch = next(training)
    assert epoch.epoch == 1 and epoch.reads.shape == (2,) and "epoch 1 of 2" in repr(training)
    assert str(epoch).startswith("epoch 1: test error ") and "mean of 2 chips" in str(epoch)
    assert [e.epoch for e in training] == [2] and list(training) == []
    assert len(training.table) == 4 and "<table" in training._repr_html_()
    assert torch.equal(random, torch.get_rng_state()) and threads == torch.get_num_threads()


def test_what_is_read_is_booked_under_evaluation_and_is_what_an_epoch_reports():
    data = load_dataset("digits", train_images=100, validation_images=20)
    network = fabricate()
    (epoch,) = ff.train(network, data=data, epochs=1)
    np.testing.assert_array_equal(network.error(data.test.images, data.test.labels), epoch.test_error)
    answers = network.predict(data.test.images.numpy())
    np.testing.assert_allclose((answers != data.test.labels).double().mean(1) * 100, epoch.test_error)
    (activity,) = network.activities(data.test.images)
    assert activity.shape == (2, len(data.test), 8)
    (again,) = ff.train(network, data=data, epochs=1)
    assert (again.reads < 2.5 * epoch.reads).all(), "three looks at the test set are not of training"


def test_a_rule_goes_on_and_another_one_takes_over():
    network = fabricate()
    (first,) = learn(network, slope="assumed")
    (second,) = learn(network, slope="assumed")
    assert (second.reads > 1.5 * first.reads).all() and "trained for 2 epochs, at last by forward-forward" in repr(
        network
    )
    data = load_dataset("digits", train_images=100, validation_images=20)
    before = network.activities(data.test.images[:20])[0]
    (other,) = learn(network, rule="direct-feedback-alignment", learning_rate=0.0)
    assert torch.equal(before, network.activities(data.test.images[:20])[0]), "the weights are as they were"
    assert (first.pulses > 0).all() and (other.pulses == 0).all(), "counts of its own"
    stale = learn(network)
    learn(network)
    with pytest.raises(RuntimeError, match="followed by another call of train"):
        next(stale)


MISTAKES = [
    ({"device": "rream"}, {}, r"device: Expected a registered device.* Did you mean reram\?"),
    ({"device": None}, {}, "device: Expected a name, a class, or a table with model. Got null. Name one"),
    ({"read_nose": 1}, {}, r"read_nose: Expected a parameter of Ideal.*Got \"read_nose\""),
    ({"device": {"model": "reram", "read_noise": -1}}, {}, "read_noise: Expected a number greater than or equal to 0"),
    ({"device": ["ideal", "ideal"]}, {}, "device: Expected a list of 1 devices, one a hidden layer. Got 2. Give one"),
    ({"layers": [64]}, {}, r"layers: Expected input lines and the widths of one or more layers.* Got \[64\]"),
    ({"layers": 8, "classes": 1}, {}, "(?s)layers: .*classes: Expected a whole number of labels"),
    ({"chips": [1, 1]}, {}, "chips: Expected a number of chips"),
    ({"normalization": "lenth"}, {}, r"normalization: .* Did you mean length\?"),
    ({}, {"rule": "backprp"}, r"rule: Expected a registered rule.* Did you mean backprop\?"),
    ({}, {"learning_rat": 1}, r"learning_rat: Expected an option of .* Did you mean learning_rate\?"),
    ({}, {"learning_rate": "x", "epochs": 0}, "(?s)epochs: .*learning_rate: Expected a number. Got \"x\""),
    ({}, {"seed": -1}, "seed: Expected a whole number, at least 0. Got -1. Write seed=0."),
    ({}, {"data": "minst"}, r"data: Expected the name of a data set, a folder or a file.* Did you mean mnist\?"),
    ({"layers": [784, 8]}, {}, r"data: Expected images of 784 numbers, one an input line. Got 64 of digits"),
    ({"classes": 5}, {}, "data: Expected 5 labels. Got 10 of digits"),
    ({}, {"slope": "fitted"}, "chips: Expected 1, since each is read as often as this rule decides"),
    ({}, {"budget": {"pulses": 9}}, "chips: Expected 1, since each reaches pulses at a step of its own"),
    ({}, {"budget": {"read": 9}}, r"budget.read: Expected a field of \[budget\].* Did you mean reads\?"),
    ({}, {"jitter": 99}, "jitter: Expected fewer pixels than the 8"),
    ({}, {"train_images": 10**6}, "train_images: Expected at most the 1437 training images"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "taught", "message"), MISTAKES, ids=[f"{m[0]} {m[1]}" for m in MISTAKES])
def test_mistakes_are_told_at_once_in_the_names_of_keywords(made, taught, message):
    with pytest.raises(StudyError, match=message):
        learn(fabricate(**made), **taught)


def test_a_trained_network_refuses_what_would_lose_its_weights():
    network = fabricate()
    with pytest.raises(ValueError, match="Got one as fabricated. Iterate over analogff.train"):
        network.predict(torch.zeros(1, 64))
    list(learn(network))
    with pytest.raises(StudyError, match="rule: Expected a rule that begins with the weights as they are"):
        learn(network, rule="backprop")
    with pytest.raises(StudyError, match="rule: Expected a rule that wires the layers as forward-forward does"):
        learn(network, labels="lines")
    data = load_dataset("digits", train_images=100)
    with pytest.raises(StudyError, match="train_images: Expected data by name beside it. Got a Dataset"):
        learn(network, data=data)
    with pytest.raises(ValueError, match=r"Expected images \(n, 64\). Got an array of shape \(2, 8, 8\)"):
        network.predict(np.zeros((2, 8, 8)))
    with pytest.raises(ValueError, match=r"Expected a label for each of 2 images. Got labels of shape \(1,\)"):
        network.error(np.zeros((2, 64)), [1])
    with pytest.raises(ValueError, match="Expected seconds of at least 0"):
        network.wait(-1.0)


def test_a_class_within_a_function_is_refused_in_words():
    class Hidden(Leaky):
        """Nobody can import it by name."""

    with pytest.raises(StudyError, match="Got .*<locals>.Hidden. Define it outside of functions"):
        fabricate(device=Hidden)


def test_labels_of_a_rule_may_have_lines_of_their_own():
    network = fabricate()
    list(learn(network, labels="lines"))
    assert network.predict(torch.zeros(3, 64)).shape == (2, 3)
    with pytest.raises(ValueError, match="Expected a first layer of 64 input lines. Got 74"):
        network.activities(torch.zeros(3, 64))


def test_no_keyword_is_a_parameter_of_a_device_or_an_option_of_a_rule():
    taken = {*inspect.signature(ff.Network.fabricate).parameters} - {"parameters"}
    assert not any(taken & parameters_of(resolve_device(name, Path()))[0].keys() for name in device_names())
    taken = {*inspect.signature(ff.train).parameters} - {"options"}
    assert not any(taken & resolve_rule(name).Options.model_fields.keys() for name in rule_names())


def test_a_notebook_shows_it():
    network = fabricate("reram", read_noise=0.05)
    shown = network._repr_html_()
    assert "<td>0.05</td>" in shown and "64 to 8 to 10" in shown and "as fabricated" in shown


def test_a_class_of_its_own_file_is_a_device_and_has_its_name():
    network = fabricate(device=Leaky)
    (epoch,) = learn(network, slope="assumed")
    assert np.isfinite(epoch.test_error).all() and "test_network:Leaky" in repr(network)
    registered = resolve_device("reram", Path())
    assert "Network(reram" in repr(fabricate(device=registered)), "a registered class goes by its name"
