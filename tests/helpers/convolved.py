"""Small networks of convolutions, and what they come to in plain PyTorch."""

import torch
from torch.nn.functional import avg_pool2d, conv2d, group_norm, max_pool2d

from analogff.catalog import resolve_rule
from analogff.data import ImageShape
from analogff.device import convolution
from analogff.network import ConvolutionLayer, LayerSpec, fabricate_wired, plan_layers
from tests.helpers import fakes

IMAGE, CLASSES = ImageShape(2, 6, 6), 5
LAYERS = (ConvolutionLayer(conv=4, pool=2), ConvolutionLayer(conv=6, stride=2, padding=0, kernel=2), 7)


def make(
    name,
    model=fakes.Curved,
    *,
    layers=LAYERS,
    image=IMAGE,
    classes=CLASSES,
    seeds=(0, 1),
    chip=None,
    between=None,
    **told,
):
    """Return a rule on chips of a class, and the chips."""
    rule = resolve_rule(name)
    options, planned = rule.Options(**told), plan_layers(layers, image)
    sizes = image.n_in, [layer.width for layer in planned], classes
    specs = []
    for lines, layer in zip(rule.input_lines(options, *sizes), planned, strict=False):
        own = model if layer.options is None else convolution(model)
        specs.append(LayerSpec(own, own.on_lines(lines, (chip or {}) | (layer.options or {}))))
    pooling, shapes = [layer.pooling for layer in planned], rule.layer_shapes(options, *sizes)
    chips = fabricate_wired(specs, shapes, seeds=seeds, pooling=pooling, writes=options.write_hardware)
    return rule(chips.seal(rule.needs(options), between, image), options, seed=0), chips


def weights_of(chips, chip):
    """Return the weights of each array of a chip, the head last, as leaves of a graph."""
    parts = [
        device.connection.dense(device.bank.weights) if hasattr(device, "bank") else device.weights
        for device in chips.devices
    ]
    return [part[chip].clone().requires_grad_() for part in parts]


def maps(weights, images, layers=LAYERS, image=IMAGE, curve=torch.relu, groups=0):
    """Return the activities of all layers, pooled ones before they are, and the logits; as PyTorch does it."""
    x = images.view(-1, image.height, image.width, image.channels).permute(0, 3, 1, 2)
    x, activities = normalized(x, groups and 1), []
    for layer, own in zip(layers, weights, strict=False):
        if isinstance(layer, int):
            x = x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x
            y = curve(x @ own.mT)
            activities.append(y)
        else:
            padding = layer.kernel // 2 if layer.padding is None else layer.padding
            kernel = own.view(layer.conv, layer.kernel, layer.kernel, -1).permute(0, 3, 1, 2)
            y = curve(conv2d(x, kernel, stride=layer.stride, padding=padding, groups=layer.groups))
            activities.append(y.permute(0, 2, 3, 1).flatten(1))
            if layer.pool > 1:
                y = max_pool2d(y, layer.pool) if layer.pool_kind == "max" else avg_pool2d(y, layer.pool)
        x = normalized(y, groups)
    last = x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x
    return activities, last @ weights[-1].mT


def normalized(x, groups=0):
    """Scale each vector to mean square 1; or groups of its channels to mean 0, too."""
    if groups:
        return group_norm(x, groups, eps=1e-12)
    return x / x.flatten(1).square().mean(-1).sqrt().view(-1, *[1] * (x.dim() - 1))


def hold(rule):
    """Return a list that fills with the gradient of each layer that a step asks for, by its number."""
    held = {}
    for n, optimizer in enumerate(rule.optimizers):
        optimizer.step = lambda found, n=n: held.__setitem__(n, found.clone()) or torch.zeros_like(found)
    return held
