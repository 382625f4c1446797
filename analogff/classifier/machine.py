"""One chip and its rule, which can be pickled."""

from typing import Any

import torch

from analogff import __version__
from analogff.classifier.plan import Plan, device_class
from analogff.data import Dataset, Split
from analogff.device import single_precision
from analogff.network import LayerSpec, fabricate_wired
from analogff.rules.forward_forward import ForwardForward
from analogff.training.epoch import Epoch
from analogff.training.loop import train


class Machine:
    """A chip trained by Forward-Forward.

    A pickle holds the plan, the seeds and the tensors of the chip, and a new machine is made of them.

    Args:
        plan: The validated arguments.
        n_in: Input lines.
        classes: Number of labels.
        seed: The learning seed.

    Raises:
        ValueError: If the device does not show what the rule needs, or accepts images only.
    """

    @single_precision()
    def __init__(self, plan: Plan, n_in: int, classes: int, seed: int):
        self.made_of = plan, n_in, classes, seed
        spec = LayerSpec(device_class(plan.device, plan.folder), plan.parameters)
        shapes = ForwardForward.layer_shapes(plan.options, n_in, plan.layers, classes)
        spec.model.check_image(shapes[0][0], None, **plan.parameters)
        writes = plan.options.write_hardware
        self.chips = fabricate_wired([spec] * len(plan.layers), shapes, seeds=[plan.chip], writes=writes)
        needed = ForwardForward.needs(plan.options)
        if reasons := self.chips.refuse(needed):
            raise ValueError(
                f"Expected a device that shows {needed.name}, which slope={plan.options.slope!r} needs. Got "
                f"{plan.device}: {reasons[0]}. Leave slope at 'auto', or take another device."
            )
        self.rule = ForwardForward(self.chips.seal(needed), plan.options, seed=seed)

    @single_precision()
    def teach(self, x: torch.Tensor, labels: torch.Tensor) -> list[Epoch]:
        """Train on samples, ``(n, n_in)`` in [0, 1]; return the results of each epoch."""
        plan, n_in, classes, _ = self.made_of
        nothing = Split(x[:0], labels[:0])
        data = Dataset(
            name="table", train=Split(x, labels), validation=nothing, test=nothing, n_in=n_in, classes=classes
        )
        return list(train(self.rule, self.chips, data, epochs=plan.epochs))

    @single_precision()
    def beliefs(self, x: torch.Tensor) -> torch.Tensor:
        """Return the probability of each label, ``(n, n_in)`` to ``(n, classes)``, from one set of reads."""
        with self.chips.ledger.evaluating():
            return self.rule.beliefs(x)[0].softmax(-1)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "made_of": self.made_of,
            "chips": self.chips.state_dict(),
            "ledger": self.chips.ledger.state_dict(),
            "shown": [contrast.first for contrast in self.rule.objectives],  # a measured scale, which weights the votes
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if (version := state.get("version", "before 0.8")) != __version__:
            raise ValueError(
                f"Expected a classifier pickled by analogff {__version__}. Got one of {version}, of whose chip it may "
                "make another. Fit it again, or install that version."
            )
        self.__init__(*state["made_of"])
        self.chips.load_state_dict(state["chips"])
        self.chips.ledger.load_state_dict(state["ledger"])
        for contrast, shown in zip(self.rule.objectives, state["shown"], strict=True):
            contrast.first.update(shown)
