"""What learning costs outside of the chips: digital work, memory, and the whole system's energy and time."""

from analogff.system.cost import Joules, SystemCost, digital_cost, system_cost
from analogff.system.prices import Prices
from analogff.system.work import WORD_BYTES, Work

__all__ = ["WORD_BYTES", "Joules", "Prices", "SystemCost", "Work", "digital_cost", "system_cost"]
