"""Prices of digital work: the `[system]` table of a study."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Technology = Literal["45nm", "7nm"]

_PER_TECHNOLOGY: dict[str, dict[str, float]] = {
    "45nm": {"mac8_joules": 0.23e-12, "mac32_joules": 4.6e-12, "sram_joules": 12.5e-12, "dram_joules": 162.5e-12},
    "7nm": {"mac8_joules": 0.077e-12, "mac32_joules": 1.69e-12, "sram_joules": 1.75e-12, "dram_joules": 43.75e-12},
}


def _of_technology(price: str) -> Any:
    return Field(default_factory=lambda given: _PER_TECHNOLOGY[given.get("technology", "45nm")][price])


class Prices(BaseModel):
    """What digital work costs, in a technology or by prices of one's own.

    Reference:
        45 nm: Horowitz, Computing's energy problem (ISSCC 2014), figure 1.1.9: an 8-bit product 0.2 pJ and sum 0.03
        pJ, a 32-bit floating-point product 3.7 pJ and sum 0.9 pJ, 64 bits of a cache of 1 MB 100 pJ, of DRAM 1.3 nJ
        (the lower of two values). 7 nm: Jouppi et al., Ten lessons from three generations shaped Google's TPUv4i
        (ISCA 2021), table 2: the same in 7 nm, 0.07 and 0.007 pJ, 1.31 and 0.38 pJ, 14 pJ, and 64 bits of HBM2 250 to
        450 pJ (the middle).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    technology: Technology = "45nm"
    """Decides the prices that are not given."""
    mac_bits: Literal[8, 32] = 32
    """Width of a multiply-accumulate: whole numbers of 8 bits, or floating-point numbers of 32."""
    mac8_joules: Positive = _of_technology("mac8_joules")
    """Energy of an 8-bit multiply-accumulate; by default that of the technology."""
    mac32_joules: Positive = _of_technology("mac32_joules")
    """Energy of a 32-bit multiply-accumulate; by default that of the technology."""
    sram_joules: Positive = _of_technology("sram_joules")
    """Energy of a byte to or from on-chip memory; by default that of the technology."""
    dram_joules: Positive = _of_technology("dram_joules")
    """Energy of a byte to or from off-chip memory; by default that of the technology."""
    sram_bytes: Annotated[int, Field(ge=0)] = 2**20
    """Capacity of on-chip memory. What a rule keeps beyond it lives off the chip, and so does that share of the
    traffic."""
    macs_per_second: Positive = 1e12
    """Throughput of the digital logic; no source, assumed: a small accelerator."""
    bytes_per_second: Positive = 25.6e9
    """Bandwidth of memory; that of one channel of DDR4-3200."""

    @model_validator(mode="after")
    def _width_is_used(self) -> "Prices":
        other = 8 if self.mac_bits == 32 else 32
        name = f"mac{other}_joules"
        if getattr(self, name) != _PER_TECHNOLOGY[self.technology][name]:
            raise ValueError(f"mac_bits = {other} beside {name}, which does nothing at mac_bits = {self.mac_bits}")
        return self

    @property
    def mac_joules(self) -> float:
        """Energy of a multiply-accumulate of the width in use."""
        return self.mac8_joules if self.mac_bits == 8 else self.mac32_joules

    def byte_joules(self, kept_bytes: float) -> float:
        """Return the mean energy of a byte moved, where so many are kept: each as likely off the chip as it is kept."""
        off_chip = max(0.0, 1 - self.sram_bytes / kept_bytes) if kept_bytes else 0.0
        return (1 - off_chip) * self.sram_joules + off_chip * self.dram_joules
