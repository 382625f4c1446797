"""Chips that a rule can be trained on, in Python."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from analogff.api.given import Named, tables
from analogff.api.html import table_html
from analogff.api.images import checked
from analogff.api.lesson import Lesson, begin, load, read_case, read_settings
from analogff.data import Dataset, Split
from analogff.device import Observable
from analogff.network import evaluating, layer_text
from analogff.network.normalizers import Normalization
from analogff.study.read.document import MAX_WIDTH
from analogff.study.settings import Settings, whole
from analogff.support.mistakes import Mistake, StudyError, shown
from analogff.support.plain import plain
from analogff.support.process_state import standard
from analogff.training.loop import EVALUATION_BATCH, error_percent


class Network:
    """Chips of several layers, side by side; `analogff.train` trains them. Make one by `fabricate`.

    The first rule wires the chips, since it decides which input lines carry labels. Everything that is read here is
    read through sealed devices, as by a rule, with noise of its own at every call, and booked under evaluation.
    """

    def __init__(self, document: dict[str, Any], sizes: Sequence[Any], classes: int):
        self._document, self._folder = document, Path.cwd()
        self._settings: Settings = read_settings(document, self._folder)
        self.layers: tuple[Any, ...] = tuple(sizes)
        """Input lines, then each hidden layer: its width, or its table."""
        self.classes: int = classes
        """Number of labels."""
        self.chips: tuple[int, ...] = self._settings.chips
        """Chip seeds, in the order of all arrays and tensors."""
        self._lesson: Lesson | None = None

    @classmethod
    def fabricate(
        cls,
        device: Named | Sequence[Named],
        *,
        layers: Sequence[int | Mapping[str, Any]],
        classes: int,
        chips: int | Sequence[int] = 1,
        normalization: Normalization = "length",
        normalization_groups: int | None = None,
        head: Literal["digital", "device"] = "digital",
        compute: Literal["cpu", "cuda"] = "cpu",
        **parameters: Any,
    ) -> "Network":
        """Make chips. A chip seed is the same chip as in a study, bit by bit.

        Args:
            device: The device of every layer: a name (`analogff devices` lists them), a class derived from
                `analogff.Device`, or a table ``{"model": ..., ...}`` with parameters. A list has one for each layer.
            layers: Input lines, then each hidden layer: its width, or a table as in a study. ``[784, 256, 256]``,
                ``[784, {"conv": 16, "pool": 2}, {"dense": 100}]``; convolutions slide over the images of the data.
            classes: Number of labels.
            chips: Number n of chips (seeds 0 to n - 1), or a list of chip seeds.
            normalization: Of the inputs of each layer; as in a study.
            normalization_groups: Groups of channels, only with "group"; 10 if None.
            head: Whether the last layer, which gives the labels, is digital or a device.
            compute: Where the simulation runs.
            parameters: Parameters of the device, such as ``read_noise=0.05``.

        Raises:
            StudyError: With every mistake in the arguments.
        """
        devices = _with(tables(device, "model"), plain(parameters))
        sizes = plain(layers)
        if wrong := _of_sizes(sizes, plain(classes)) or _of_devices(devices, len(sizes) - 1, head):
            raise StudyError(wrong)
        document = {"device": devices, "layers": sizes[1:], "chips": plain(chips)}
        document |= {"normalization": normalization, "head": head, "compute": compute}
        document |= {} if normalization_groups is None else {"normalization_groups": normalization_groups}
        try:
            return cls(document, sizes, int(classes))
        except StudyError as error:
            raise StudyError([dataclasses.replace(m, path=_behind_inputs(m.path)) for m in error.mistakes]) from None

    def teach(self, given: dict[str, Any], data: Dataset | None = None) -> None:
        """Let a rule take over; for `analogff.train`, which says what is given."""
        case = read_case(self._document | given, self._folder)
        if data is not None and (both := {"train_images", "validation_images"} & given.keys()):
            advice = "Leave it out, and give a Dataset with the images that you want."
            raise StudyError([Mistake(name, "data by name beside it", "a Dataset", advice) for name in sorted(both)])
        loaded = load(case, data, self.layers[0], self.classes, self._folder)
        self._lesson = begin(case, loaded, self._folder, self._lesson)

    def taught(self) -> Lesson:
        """Return the present rule with its chips, for the engine.

        Raises:
            ValueError: If there is none yet.
        """
        if self._lesson is None:
            raise ValueError(
                "Expected a network that a rule has trained, since the rule decides how labels are read. Got one as "
                "fabricated. Iterate over analogff.train(network, ...) first."
            )
        return self._lesson

    @property
    def label_names(self) -> tuple[str, ...]:
        """Original labels of the data that it was trained on, from label 0 on; empty if they are not known."""
        return self.taught().data.label_names

    def predict(self, images: Any) -> torch.Tensor:
        """Return the answer of each chip to images, ``(n, n_in)`` in [0, 1] to ``(chips, n)``."""
        lesson, images = self.taught(), checked(images, self.layers[0], self._settings.compute)
        with standard(str(self), 0), evaluating(lesson.rule.network):
            return torch.cat([lesson.rule.predict(some) for some in images.split(EVALUATION_BATCH)], -1)

    def error(self, images: Any, labels: Any) -> np.ndarray:
        """Return the percentage of images that each chip gets wrong, ``(chips,)``.

        Args:
            images: ``(n, n_in)``, in [0, 1].
            labels: ``(n,)``, whole numbers.
        """
        lesson, images = self.taught(), checked(images, self.layers[0], self._settings.compute)
        labels = torch.as_tensor(labels).to(images.device)
        if labels.shape != images.shape[:1]:
            raise ValueError(
                f"Expected a label for each of {len(images)} images. Got labels of shape {tuple(labels.shape)}. Give "
                "an array (n,)."
            )
        with standard(str(self), 0):
            return error_percent(lesson.rule, Split(images, labels))

    def activities(self, images: Any) -> list[torch.Tensor]:
        """Return the outputs of each hidden layer under images, ``(chips, n, width)`` each.

        Images go onto the input lines as they are: no label is written.

        Raises:
            ValueError: If a device does not show them, or the rule has wired other input lines.
        """
        chips, images = self.taught().chips, checked(images, self.layers[0], self._settings.compute)
        if hidden := chips.refuse(Observable.ACTIVITY):
            raise ValueError(f"Expected devices that show ACTIVITY. Got {hidden[0]}. Take another device.")
        network = chips.seal(Observable.ACTIVITY, self._settings.normalizer)
        if (lines := network.layers[0].datasheet.n_in) != self.layers[0]:
            raise ValueError(
                f"Expected a first layer of {self.layers[0]} input lines. Got {lines}, since {self.taught().name} has "
                'lines of its own for labels. Take a rule or an option without, such as labels="overlay".'
            )
        with standard(str(self), 0), evaluating(network):
            return network.activities(images)

    def wait(self, seconds: float) -> None:
        """Let hardware time pass, in which chips may drift."""
        if not seconds >= 0:
            raise ValueError(f"Expected seconds of at least 0. Got {seconds}. Time does not run backward.")
        self.taught().rule.network.wait(float(seconds))

    def __repr__(self) -> str:
        layers = ", ".join(map(layer_text, self.layers))
        return f"Network({self._devices}, layers=[{layers}], {len(self.chips)} chips, {self._state})"

    def _repr_html_(self) -> str:
        table = self._document["device"]
        given = table if isinstance(table, dict) else {}
        rows = {"device": self._devices, "layers": " to ".join(map(layer_text, (*self.layers, self.classes)))}
        rows |= {name: str(value) for name, value in given.items() if name != "model"}
        return table_html("Network", rows | {"chips": ", ".join(map(str, self.chips)), "state": self._state})

    @property
    def _devices(self) -> str:
        table = self._document["device"]
        return ", ".join(dict.fromkeys(t["model"] for t in (table if isinstance(table, list) else [table])))

    @property
    def _state(self) -> str:
        if self._lesson is None:
            return "as fabricated"
        past = self._lesson.progress.past_epochs + self._lesson.progress.epoch
        return f"trained for {past} {'epoch' if past == 1 else 'epochs'}, at last by {self._lesson.name}"


def _with(device: Any, parameters: Mapping[str, Any]) -> Any:
    return [_with(table, parameters) for table in device] if isinstance(device, list) else {**device, **parameters}


def _of_sizes(layers: Any, classes: Any) -> list[Mistake]:
    wrong = []
    first, *hidden = layers if isinstance(layers, list) and layers else [None]
    if not (hidden and _width(first) and all(isinstance(n, dict) or _width(n) for n in hidden)):
        expected = f"input lines and the widths of one or more layers, whole numbers from 1 to {MAX_WIDTH:,}"
        wrong.append(Mistake("layers", expected, shown(layers), "Write layers=[784, 256, 256]."))
    if not (whole(classes) and classes > 1):
        wrong.append(Mistake("classes", "a whole number of labels, at least 2", shown(classes), "Write classes=10."))
    return wrong


def _behind_inputs(path: str) -> str:
    """Return the place of a hidden layer in a list that begins with the input lines."""
    return re.sub(r"^layers\.(\d+)", lambda found: f"layers.{int(found[1]) + 1}", path)


def _width(n: Any) -> bool:
    return whole(n) and 0 < n <= MAX_WIDTH


def _of_devices(devices: Any, layers: int, head: str) -> list[Mistake]:
    if isinstance(devices, dict) or layers <= len(devices) <= layers + (head == "device"):
        return []
    advice = "Give one device for all layers, or one for each."
    return [Mistake("device", f"a list of {layers} devices, one a hidden layer", f"{len(devices)}", advice)]
