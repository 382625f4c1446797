"""Stand-ins for a slope: functions of the activity that any chip shows, whatever its neurons are."""

import torch
from typing_extensions import override

from analogff.device import Observable, chipwise
from analogff.slopes.slopes import Reading, Slope
from analogff.system import work


class One(Slope):
    r"""Take ``f' = 1`` everywhere, silent neurons included.

    Reference:
        Nakajima et al., Physical deep learning with biologically inspired training method (Nature Communications 13,
        7847, 2022), augmented direct feedback alignment with a constant ``g``.
    """

    needs = Observable.ACTIVITY

    @override
    def read(self, layer, x):
        y = layer.measure(x)
        return Reading(y, torch.ones_like(y))


class Cosine(Slope):
    r"""Take :math:`f' = \cos y` of the activity: an arbitrary function with both signs.

    Reference:
        As `One`; theirs is a function of the weighted sum, which a black box does not show.
    """

    needs = Observable.ACTIVITY

    @override
    def read(self, layer, x):
        y = layer.measure(x)
        layer.compute(*work.elementwise(y[0].numel(), operations=1, operands=1))
        return Reading(y, chipwise(torch.cos, y))
