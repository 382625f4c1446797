import pytest
import torch

from analogff.characterize import characterize
from analogff.data import ImageShape
from analogff.device import Observable, convolution
from analogff.network import ConvolutionLayer, heard, layer_text, plan_layers
from analogff.network.readout import read_weights
from hardware_models.generic.ideal import Ideal
from tests.helpers import fakes
from tests.helpers.convolved import make

IMAGE = ImageShape(3, 8, 6)


def test_each_layer_hears_the_pooled_map_of_the_one_before():
    first = ConvolutionLayer(conv=4, pool=2)
    second = ConvolutionLayer(conv=5, kernel=2, padding=1, stride=2)
    plan = plan_layers([first, second, 7, 9], IMAGE)
    assert [layer.width for layer in plan] == [4 * 8 * 6, 5 * 3 * 2, 7, 9]
    assert [heard(layer.width) for layer in plan] == [4 * 4 * 3, 5 * 3 * 2, 7, 9]
    assert plan[1].options == {"kernel": 2, "stride": 2, "padding": 1, "channels": 4, "height": 4}
    assert [(layer.width, layer.options) for layer in plan[2:]] == [(7, None), (9, None)]


@pytest.mark.parametrize(
    ("layers", "image", "message"),
    [
        (
            [ConvolutionLayer(conv=4, kernel=9, padding=0)],
            IMAGE,
            "kernel of layer 1 that fits on its image of 8 x 6 points with 0 zeros on each side. Got kernel = 9",
        ),
        ([ConvolutionLayer(conv=4, pool=9)], IMAGE, "pool of layer 1 to divide its map of 8 x 6 points. Got pool = 9"),
        ([ConvolutionLayer(conv=4, pool=3)], IMAGE, "pool of layer 1 to divide its map of 8 x 6 points. Got pool = 3"),
        ([9, ConvolutionLayer(conv=4)], IMAGE, "image for layer 2, a convolution, to slide over. Got the outputs of a"),
        ([ConvolutionLayer(conv=4)], None, "image for layer 1, a convolution, to slide over. Got a table"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, image, message):
    with pytest.raises(ValueError, match=message):
        plan_layers(layers, image)


def test_weights_of_a_convolution_are_read_out_line_by_line_of_its_array():
    """As in a copy by readout; the printed curve of exact chips is inverted to rounding."""
    _, chips = make("backprop", fakes.Curved, chip={"curve": torch.tanh}, through="oracle")
    for array, device in zip(chips.seal_arrays(Observable.TWIN), chips.devices, strict=True):
        weights = device.array.weights
        assert array.datasheet.weight_shape == weights.shape[1:]
        torch.testing.assert_close(read_weights(array, 1), weights, rtol=0, atol=2e-3)
    assert chips.ledger.total("reads") == sum(2 * device.array.datasheet.n_in for device in chips.devices)


def test_a_convolution_is_characterized_by_its_array():
    with pytest.raises(ValueError, match="Got ConvolutionOfIdeal, which reads one array at many positions"):
        characterize(convolution(Ideal), chips=2)


def test_an_image_of_one_line_is_convolved_and_pooled_along_it():
    (plan,) = plan_layers([ConvolutionLayer(conv=2, kernel=5, pool=4)], ImageShape(1, 1, 40))
    assert (plan.width, heard(plan.width)) == (80, 20)


def test_layers_have_short_names():
    named = [500, {"dense": 500}, {"conv": 96, "device": {}}, {"conv": 8, "kernel": 5, "stride": 2, "pool": 2}]
    named += [ConvolutionLayer(conv=8, pool=2, pool_kind="average")]
    assert [layer_text(layer) for layer in named] == ["500", "500", "96C3", "8C5s2-MP2", "8C3-AP2"]
