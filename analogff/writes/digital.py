"""A digital change, written as it is."""

from typing_extensions import override

from analogff.writes.write import ChangeWrite


class Digital(ChangeWrite):
    """The change as it is: the device rounds it to pulses, if it has any."""

    @property
    @override
    def kept_bytes(self):
        return 0

    @override
    def write(self, change, rate):
        self.layer.pulse(change)
        return change
