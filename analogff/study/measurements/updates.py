"""What steps of a rule ask of its chips, beside the true gradient of what the rule descends."""

import dataclasses
from collections.abc import Sequence

import torch

from analogff.device import Observable, gradient
from analogff.learning.layer_local import LayerLocal
from analogff.learning.pulse_optimizer import PulseOptimizer
from analogff.learning.rule import Rule
from analogff.network import Chips, evaluating
from analogff.rules.backprop import Backprop, BackpropOptions
from analogff.study.measurements.scored_truth import ScoredTruth

Update = dict[int, torch.Tensor]
"""What one step asks of some layers, ``(chips, n_out, n_in)``, before an optimizer."""
_LEARNS = "objectives"
"""State of a rule that a step changes although nothing of it is written."""


def true_rule(rule: Rule, chips: Chips) -> Rule | None:
    """Return a rule on the same chips that descends the same loss by the true slopes; None if there is none.

    It is that of the output's cross-entropy, or that of the layers' own losses for rules that have them.

    Args:
        rule: Says what it descends, see `Rule.descends`.
        chips: Its chips.
    """
    given = rule.network
    if not rule.descends or any(chips.refuse(Observable.ORACLE)):
        return None
    network = chips.seal(Observable.ORACLE, given.normalizer, given.image)
    if rule.descends == "output":
        options = BackpropOptions(through="oracle", max_step="free", batch=rule.options.batch)
        return Backprop(network, options, seed=rule.seed)
    if rule.descends == "scores":
        return None if getattr(rule.options, "input_dropout", 0) else ScoredTruth(network, rule)
    if not isinstance(rule, LayerLocal) or not rule.objectives:
        return None
    return type(rule)(network, rule.options.model_copy(update={"slope": "oracle", "max_step": "free"}), seed=rule.seed)


def follow(truth: Rule, rule: Rule) -> None:
    """Bring the rule of `true_rule` to where its rule is: the same negatives, and what layers judge by."""
    if truth.descends == "layers":
        fresh = truth.state_dict()
        truth.load_state_dict(rule.state_dict() | {name: fresh[name] for name in truth.measured_names})


def updates(rule: Rule, images: torch.Tensor, labels: torch.Tensor, times: int) -> list[Update]:
    """Return what steps on one batch would ask for; nothing of it is written, though perturbations are.

    Steps of rules that descend the layers' own losses have the same draws, so that negatives are the same; those of
    other rules go on drawing.

    Args:
        rule: Takes the steps; its optimizers ask for nothing from then on.
        images: The batch.
        labels: Its labels.
        times: How many steps.
    """
    held: Update = {}
    for layer, optimizer in enumerate(rule.optimizers):
        _hold(optimizer, layer, held)
    drawn, found = rule.generator.get_state(), []
    judges = {name: _copied(part) for name, part in rule.state_dict().items() if name == _LEARNS}
    for _ in range(times):
        held.clear()
        if rule.descends == "layers":
            rule.generator.set_state(drawn)
        if judges:
            rule.load_state_dict(rule.state_dict() | judges)
        with evaluating(rule.network):
            rule.step(images, labels)
        found.append(dict(held))
    if judges:
        rule.load_state_dict(rule.state_dict() | judges)
    return found


@dataclasses.dataclass(frozen=True)
class Comparison:
    r"""How the updates of some layers compare with the true gradient, of each chip, ``(chips,)``.

    .. math:: \cos = \frac{\bar g \cdot \langle \hat g \rangle}{|\bar g|\, \hat n}, \qquad
              \rho = \frac{\hat n}{|\bar g|}, \qquad \hat n = \sqrt{\langle |\hat g|^2 \rangle}, \qquad
              \mathrm{SNR} = \frac{\sqrt{\max(0, |\langle \hat g \rangle|^2 - s^2 / n)}}{s}, \qquad
              s^2 = \frac{1}{n - 1} \sum_k |\hat g_k - \langle \hat g \rangle|^2

    over ``n`` updates of one batch. The signal is corrected for what is left of the noise in their mean. It is infinite
    where all are the same.
    """

    cosine: torch.Tensor
    """With the true gradient; NaN where that is unknown."""
    norm_ratio: torch.Tensor
    """Root mean square of the updates' norms, over the norm of the true gradient; NaN where that is unknown."""
    snr: torch.Tensor
    """Norm of the mean update over the spread of single ones."""


def compare(asked: Sequence[Update], true: Sequence[Update], layers: Sequence[int]) -> Comparison:
    """Compare updates of some layers, which all of them have, with the mean of true ones; there may be none."""
    own = [[update[layer].double() for update in asked] for layer in layers]
    squares = torch.stack([_square(change) for changes in own for change in changes]).sum(0) / len(asked)
    first = [changes[0] for changes in own]
    off = [torch.stack([c - f for c in changes]) for changes, f in zip(own, first, strict=True)]  # exactly 0 if alike
    means = [f + rest.mean(0) for f, rest in zip(first, off, strict=True)]
    spread = sum(_square(rest - rest.mean(0)).sum(0) for rest in off) / (len(asked) - 1)
    signal = (torch.stack([_square(mean) for mean in means]).sum(0) - spread / len(asked)).clamp(min=0)
    snr = (signal / spread).sqrt()
    if not true:
        unknown = torch.full_like(snr, torch.nan)
        return Comparison(unknown, unknown, snr)
    gradients = [torch.stack([update[layer].double() for update in true]).mean(0) for layer in layers]
    square = torch.stack([_square(g) for g in gradients]).sum(0)
    dots = torch.stack([(m * g).sum((-2, -1)) for m, g in zip(means, gradients, strict=True)]).sum(0)
    cosine = dots / (square * squares).sqrt()
    return Comparison(cosine.clamp(-1, 1), (squares / square).sqrt(), snr)  # rounding exceeds 1


def in_common(asked: Sequence[Update]) -> list[int]:
    """Return the layers that all updates ask for something."""
    return sorted(set.intersection(*({*update} for update in asked))) if asked else []


def _square(change: torch.Tensor) -> torch.Tensor:
    return change.square().sum((-2, -1))


def _copied(state):
    if isinstance(state, torch.Tensor):
        return state.clone()
    if isinstance(state, dict):
        return {name: _copied(part) for name, part in state.items()}
    return [_copied(part) for part in state] if isinstance(state, list) else state


def _hold(optimizer: PulseOptimizer, layer: int, held: Update) -> None:
    """Let an optimizer hold the gradients of a step instead of asking for it."""
    windows = optimizer.layer.datasheet.windows

    def step(found: torch.Tensor) -> torch.Tensor:
        held[layer] = held[layer] + found if layer in held else found.clone()
        return torch.zeros_like(found)

    def descend(errors, x) -> torch.Tensor:
        return step(gradient(errors, x, windows))

    for verb in ("descend", "told", "wanted"):
        setattr(optimizer, verb, descend)
    optimizer.step = step  # type: ignore[method-assign]
