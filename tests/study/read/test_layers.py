"""Layers of a study that are tables: convolutions, their sizes, and devices of their own."""

import numpy as np
import pytest

import analogff as ff
from analogff.network.standardization import Standardization
from analogff.study.read.spec import resolve_study
from analogff.study.results.manifest import describe
from analogff.study.run.compute import check_compute
from analogff.study.run.packing import gib_of_a_chip
from analogff.study.run.plan import plan_runs
from analogff.study.task import column_value
from analogff.support.mistakes import StudyError

HEAD = {"name": "own", "dataset": "digits", "epochs": 1, "chips": 1, "train_images": 60, "validation_images": 20}
PARTS = {"device": {"model": "ideal"}, "rule": [{"name": "mono-forward"}]}
NET = [{"conv": 4, "pool": 2}, {"conv": 6, "kernel": 2, "padding": 0, "stride": 2}, {"dense": 7}]


def read(layers, tmp_path, **changes):
    return resolve_study(HEAD | PARTS | {"layers": layers} | changes, tmp_path)


def mistakes(layers, tmp_path, **changes):
    with pytest.raises(StudyError) as caught:
        read(layers, tmp_path, **changes)
    return str(caught.value)


def test_tables_widths_and_their_keys(tmp_path):
    """A dense table is the width that it names: the same run, by the same key."""
    (case,) = read(NET, tmp_path).cases
    assert case.settings.layers[2] == 7 and case.settings.convolves
    keys = [[run.key for run in plan_runs(read(layers, tmp_path))] for layers in ([8], [{"dense": 8}], [{"conv": 8}])]
    assert keys[0] == keys[1] != keys[2]
    assert column_value(NET) == "4C3-MP2-6C2s2-7"
    study = read(NET, tmp_path)
    assert gib_of_a_chip(study.cases[0], study.shapes) > 0
    check_compute(study.cases)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([{"conv": 0}], "layers.0.conv: Expected a number greater than or equal to 1. Got 0"),
        ([8, {"conv": 4}], "layers: Expected an image for layer 2, a convolution, to slide over. Got the outputs of a"),
        ([{"conv": 4, "kernl": 3}], "layers.0.kernl: Expected a field of a convolution .* Did you mean kernel"),
        ([{"conv": 4, "dense": 3}], "layers.0: Expected either conv or dense in a layer"),
        ([{"kernel": 4}], "layers.0: Expected either conv or dense in a layer"),
        ([{"conv": 4, "pool": 3}], "layers: Expected pool of layer 1 to divide its map of 8 x 8 points. Got pool = 3"),
        (
            [{"conv": 4}, {"conv": 6, "groups": 4}],
            "layers: Expected groups of layer 2 to divide the 4 channels below it and its own 6. Got groups = 4",
        ),
        (
            [{"conv": 4, "kernel": 9, "padding": 0}],
            "layers: Expected a kernel of layer 1 that fits on its image of 8 x",
        ),
        ([{"conv": 4, "pool_kind": "average"}], "layers.0.pool_kind: Expected pool above 1 beside it"),
        ([0, {"conv": 4}], "layers.0: Expected a number greater than or equal to 1. Got 0"),
    ],
)
def test_layers_that_make_no_network_are_refused(layers, message, tmp_path):
    with pytest.raises(StudyError, match=message):
        read(layers, tmp_path)


def test_a_table_of_numbers_has_no_image_to_slide_over(tmp_path):
    (tmp_path / "table").mkdir()
    for name in ("train", "test"):
        images, labels = np.random.default_rng(0).random((30, 12)), np.arange(30) % 3
        np.savez(tmp_path / "table" / f"{name}.npz", images=images, labels=labels)
    said = mistakes([{"conv": 4}], tmp_path, dataset="table", train_images=10, validation_images=5)
    assert "Got a table, whose columns are in no place" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": [{"name": "recurrent-forward-forward"}]}, "a rule that learns by itself on convolutions"),
        (
            {"rule": [{"name": "mono-forward", "write": "multi-tile"}], "device": {"model": "reram"}},
            "a write of one array",
        ),
        ({"device": {"model": "local-fields(ideal)", "field": 3}}, "the device of the array itself beside conv"),
    ],
)
def test_rules_writes_and_devices_that_do_not_go_with_convolutions_are_refused(changes, message, tmp_path):
    assert message in mistakes([{"conv": 4}], tmp_path, **changes)


def test_groups_that_do_not_divide_the_channels_are_refused(tmp_path):
    said = mistakes([{"conv": 6}, 8], tmp_path, normalization="group", normalization_groups=4)
    assert "normalization_groups: Expected a divisor of the 6 channels of layer 1. Got 4." in said
    settings = read([{"conv": 6}, 8], tmp_path, normalization="group", normalization_groups=2).cases[0].settings
    assert settings.normalizer == Standardization(2)
    assert "normalization_groups" in mistakes([8], tmp_path, normalization_groups=2)


def test_groups_of_channels_are_no_one_array_to_be_addressed(tmp_path):
    layers, reram = [{"conv": 4}, {"conv": 6, "groups": 2}], {"model": "reram"}
    assert column_value(layers) == "4C3-6C3g2"
    for write, goes in (("sign", True), ("verify", False), ("pulse-trains", False)):
        rule = [{"name": "mono-forward", "write": write}]
        if goes:
            read(layers, tmp_path, device=reram, rule=rule)
        else:
            said = mistakes(layers, tmp_path, device=reram, rule=rule)
            assert 'a write of "digital" or "sign" beside groups' in said and f'Got "{write}"' in said
    said = mistakes(layers, tmp_path, device=reram, event=[{"do": "copy", "to": 1, "by": "readout"}])
    assert "event.0.by: Expected layers of one array each, for a readout" in said


def test_converters_that_begin_at_0_do_not_go_with_inputs_below_it(tmp_path):
    said = mistakes([8], tmp_path, normalization="layer", device={"model": "reram"})
    assert "normalization: Expected a device whose inputs may be below 0" in said and "Got reram, whose" in said
    read([8], tmp_path, normalization="layer")  # exact devices have no converters
    read([8], tmp_path, normalization="layer", device={"model": "reram", "signed_inputs": True})
    student = [{"do": "distil", "to": 1, "epochs": 1, "device": {"model": "reram"}}]
    said = mistakes([8], tmp_path, normalization="layer", event=student)
    assert "event.0.device: Expected a device whose inputs may be below 0" in said


def test_images_layers_and_rules_that_do_not_fit_are_told_at_once(tmp_path):
    changes = {"validation_images": 5000, "clock": "pass", "rule": [{"name": "phyll"}, {"name": "mono-forward"}]}
    with pytest.raises(StudyError) as caught:
        read([{"conv": 4, "pool": 3}], tmp_path, **changes)
    assert [m.path for m in caught.value.mistakes] == ["clock", "train_images", "layers", "rule"]


def test_a_layer_may_have_a_device_of_its_own(tmp_path):
    own = {"model": "reram", "read_noise": 0.05}
    layers = [{"conv": 4, "device": own}, {"dense": 7}, 5]
    (case,) = read(layers, tmp_path, head="device", rule=[{"name": "backprop", "through": "probed"}]).cases
    assert [d.reference for d in case.devices] == ["reram", "ideal", "ideal", "ideal"]
    assert case.devices[0].parameters["read_noise"] == 0.05
    swept = read(layers, tmp_path, sweep={"layers.0.device.read_noise": [0.0, 0.1], "layers.1.dense": [6, 7]})
    found = [(c.devices[0].parameters["read_noise"], c.settings.layers[1]) for c in swept.cases]
    assert found == [(0.0, 6), (0.0, 7), (0.1, 6), (0.1, 7)]
    alone = {name: part for name, part in PARTS.items() if name != "device"}
    every = [{"dense": 5, "device": own}]
    (case,) = resolve_study(HEAD | alone | {"layers": every}, tmp_path).cases
    assert [d.reference for d in case.devices] == ["reram"]


def test_mistakes_in_python_count_the_input_lines():
    with pytest.raises(StudyError, match=r"layers\.2\.conv: Expected a number greater than or equal to 1. Got 0"):
        ff.Network.fabricate("ideal", layers=[64, {"conv": 4}, {"conv": 0}], classes=10)
    network = ff.Network.fabricate("ideal", layers=[64, {"conv": 4, "pool": 3}], classes=10)
    with pytest.raises(StudyError, match="layers: Expected pool of layer 1 to divide its map of 8 x 8 points"):
        list(ff.train(network, data="digits", epochs=1, rule="mono-forward", train_images=60, validation_images=20))


def test_mistakes_in_a_device_of_a_layer_name_its_place(tmp_path):
    assert "layers.1.device.read_nois" in mistakes(
        [{"conv": 4}, {"dense": 3, "device": {"model": "reram", "read_nois": 0.1}}], tmp_path
    )
    both = mistakes([{"dense": 3, "device": {"model": "reram"}}], tmp_path, device=[{"model": "ideal"}])
    assert "layers.0.device: Expected devices in one place. Got [[device]] tables too" in both


@pytest.mark.slow
@pytest.mark.parametrize("head", ["digital", "device"])
def test_a_network_of_ones_own_learns_the_same_in_a_study_and_in_python(head, tmp_path):
    layers = [{"conv": 4, "pool": 2, "device": {"model": "reram"}}, {"conv": 6, "kernel": 2}, {"dense": 7}]
    rule = {"name": "backprop", "through": "probed"}
    results = ff.Study(**HEAD, layers=layers, device="ideal", rule=rule, head=head).run(
        out=tmp_path / "out", workers=0, quiet=True
    )
    network = ff.Network.fabricate("ideal", layers=[64, *layers], classes=10, head=head)
    assert "8 -> 10" not in repr(network) and "4C3-MP2" in repr(network)
    given = {name: HEAD[name] for name in ("train_images", "validation_images")}
    training = ff.train(network, data="digits", epochs=1, rule="backprop", through="probed", **given)
    list(training)
    for name in ("train_loss", "test_error", "reads", "pulses"):
        np.testing.assert_array_equal(training.table[name], results.table[name], err_msg=name)
    with pytest.raises(StudyError, match="layers: Expected layers whose weights are read once for each input"):
        ff.Study(**HEAD, layers=layers, device="ideal", rule=rule).timelines()


def test_the_manifest_says_how_often_a_convolution_is_read_for_a_sample(tmp_path):
    def told(layers, **changes):
        return describe(read(layers, tmp_path, **changes), []).get("reads_per_sample")

    assert told(NET) == [64, 4, 1]
    assert told([8, 8]) is None
    assert told([{"conv": 4}, 7], sweep={"layers.0.stride": [1, 2]}) is None  # layers differ in the study
