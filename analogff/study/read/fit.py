"""Whether rules, devices and images fit each other's sizes."""

from collections.abc import Iterator
from pathlib import Path

from analogff.catalog import resolve_device, resolve_rule
from analogff.data import ImageShape
from analogff.device import Device, InputLines
from analogff.study.case import Case
from analogff.support.mistakes import Mistake, of_plug_in

_Wiring = list[tuple[tuple[int, int], InputLines]]


class Fit:
    """Asks rules and devices whether they fit; what many points share is asked once.

    Args:
        folder: The study file's folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._models: dict[str, type[Device]] = {}
        self._wired: dict[tuple[int, int], tuple[Case, _Wiring | Mistake]] = {}

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
            self._wired[shared] = case, self._wire(case, n_in, classes, image)
        layers = self._wired[shared][1]
        if isinstance(layers, Mistake):
            yield layers
            return
        alike = all(device == case.devices[0] for device in case.devices)
        fitted = zip(case.devices, layers, strict=False)  # a head may be no device
        for n, (device, (shape, lines)) in enumerate(fitted):
            try:
                model = self._model(device.reference)
                parameters = model.on_lines(lines, device.parameters)
                model.check_size(*shape, **parameters)
                if n == 0:
                    model.check_image(shape[0], image, **parameters)
            except BaseException as error:
                path, expected = "device" if alike else f"device.{n}", f"{device.reference} to say whether it fits"
                yield of_plug_in(error, path, expected)

    def _wire(self, case: Case, n_in: int, classes: int, image: ImageShape | None) -> _Wiring | Mistake:
        try:
            rule = resolve_rule(case.rule.name, self.folder)
            options = rule.Options(**case.rule.options)
            rule.check_data(options, n_in, classes, image)
            sizes = n_in, case.settings.layers, classes
            layers = zip(rule.layer_shapes(options, *sizes), rule.input_lines(options, *sizes), strict=False)
            return [((a, b), lines) for (a, b), lines in layers]
        except BaseException as error:
            return of_plug_in(error, "rule", f"{case.rule.name} to say how layers are wired")

    def _model(self, reference: str) -> type[Device]:
        if reference not in self._models:
            self._models[reference] = resolve_device(reference, self.folder)
        return self._models[reference]
