"""Whether rules, devices and images fit each other's sizes."""

from collections.abc import Iterator
from pathlib import Path

from analogff.catalog import resolve_device, resolve_rule
from analogff.data import ImageShape
from analogff.device import Connected, Device, InputLines, convolution
from analogff.learning.rule import Rule, RuleOptions
from analogff.network import ConvolutionLayer, Planned, plan_layers
from analogff.study.case import Case
from analogff.study.settings import Settings
from analogff.support.mistakes import Mistake, in_clauses, of_plug_in, shown

_BY_LAYER = ("digital", "sign")
"""Writes that address the layer, and no array of it."""
_Wiring = list[tuple[tuple[int, int], InputLines]]


class Fit:
    """Asks rules and devices whether they fit; what many points share is asked once.

    Args:
        folder: The study file's folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._models: dict[str, type[Device]] = {}
        self._wired: dict[tuple[int, int], tuple[Case, _Wiring | None, list[Mistake]]] = {}

    def misfits(self, case: Case, n_in: int, classes: int, image: ImageShape | None) -> Iterator[Mistake]:
        """Yield what does not fit.

        Args:
            case: The case.
            n_in: Input lines of an image.
            classes: Number of labels.
            image: How the lines are a picture.
        """
        shared = id(case.rule), id(case.settings)  # their case is kept, so that no other ones get these numbers
        if shared not in self._wired:
            self._wired[shared] = case, *self._wire(case, n_in, classes, image)
        _, layers, mistakes = self._wired[shared]
        yield from mistakes
        if layers is None:
            return
        planned = [*plan_layers(case.settings.layers, image), Planned(classes)]
        alike = all(device == case.devices[0] for device in case.devices)
        fitted = zip(case.devices, layers, strict=False)  # a head may be no device
        for n, (device, (shape, lines)) in enumerate(fitted):
            try:
                model = self._model(device.reference)
                if planned[n].options is not None:
                    model = convolution(model)
                parameters = model.on_lines(lines, device.parameters | (planned[n].options or {}))
                model.check_size(*shape, **parameters)
                if n == 0:
                    model.check_image(shape[0], image, **parameters)
            except BaseException as error:
                path, expected = "device" if alike else f"device.{n}", f"{device.reference} to say whether it fits"
                yield of_plug_in(error, path, expected)

    def _wire(
        self, case: Case, n_in: int, classes: int, image: ImageShape | None
    ) -> tuple[_Wiring | None, list[Mistake]]:
        """Return how the layers of a case are wired, None if they cannot be, and why not."""
        mistakes = list(_ungrouped(case.settings))
        widths: list[int] = []
        try:
            widths = [layer.width for layer in plan_layers(case.settings.layers, image)]
        except ValueError as error:
            mistakes.append(in_clauses("layers", str(error)))
        try:
            rule = resolve_rule(case.rule.name, self.folder)
            options = rule.Options(**case.rule.options)
            if case.settings.convolves:
                mistakes += self._unconvolved(case, rule, options)
            if mistakes:
                return None, mistakes
            rule.check_data(options, n_in, classes, image)
            sizes = n_in, widths, classes
            shapes = rule.layer_shapes(options, *sizes)
            layers = zip(shapes, rule.input_lines(options, *sizes), strict=False)
            wired = [((a, b), lines) for (a, b), lines in layers]
        except BaseException as error:
            return None, [*mistakes, of_plug_in(error, "rule", f"{case.rule.name} to say how layers are wired")]
        try:
            for flow in rule.dataflows(options, shapes, options.batch):
                flow.work()
        except BaseException as error:
            return None, [of_plug_in(error, "rule", f"{case.rule.name} to say what a step has a chip do")]
        return wired, []

    def _unconvolved(self, case: Case, rule: type[Rule], options: RuleOptions) -> Iterator[Mistake]:
        """Yield why convolutions do not go with a rule, its write, or a device."""
        if why := rule.why_no_convolution(options):
            advice = "Write layers as widths, or take a rule such as forward-forward or backprop."
            yield Mistake("rule", "a rule that learns by itself on convolutions", why, advice)
        if options.write == "multi-tile":
            expected = "a write of one array a layer, since a convolution reads its array in windows"
            yield Mistake("rule.write", expected, '"multi-tile"', "Take another write.")
        elif options.write not in _BY_LAYER and case.settings.has_groups:
            expected = f"a write of {' or '.join(map(shown, _BY_LAYER))} beside groups, which have an array each"
            yield Mistake("rule.write", expected, shown(options.write), "Take one of these, or leave groups out.")
        for device, layer in zip(case.devices, case.settings.layers, strict=False):
            if isinstance(layer, ConvolutionLayer) and issubclass(self._model(device.reference), Connected):
                expected = "the device of the array itself beside conv, which connects it"
                yield Mistake("device.model", expected, f'"{device.reference}"', "Write the name in its brackets.")

    def _model(self, reference: str) -> type[Device]:
        if reference not in self._models:
            self._models[reference] = resolve_device(reference, self.folder)
        return self._models[reference]


def _ungrouped(settings: Settings) -> Iterator[Mistake]:
    """Yield the first layer whose channels do not form groups of one size."""
    groups = settings.normalization_groups
    for n, layer in enumerate(settings.layers, start=1):
        channels = layer.conv if isinstance(layer, ConvolutionLayer) else layer
        if settings.normalization == "group" and channels % groups:
            expected = f"a divisor of the {channels} channels of layer {n}"
            yield Mistake("normalization_groups", expected, f"{groups}", "Give another one, or another width.")
            return
