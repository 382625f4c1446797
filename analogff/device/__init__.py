"""The door between physics and learning: the contract of a device, and the seal that a learner holds."""

from analogff.device.bank import Bank
from analogff.device.beside import Beside, require_acting
from analogff.device.checks.suite import Report, check_device
from analogff.device.connections.connected import Connected, connected
from analogff.device.connections.connection import Connection
from analogff.device.connections.convolution import Convolution, convolution
from analogff.device.connections.dense import Dense
from analogff.device.connections.local_fields import LocalFields, local_fields
from analogff.device.datasheet import Datasheet, PerChip
from analogff.device.digital import BehindWeights, Digital
from analogff.device.errors import BlackBoxError, ContractError, ObservabilityError
from analogff.device.fabricate import fabricate
from analogff.device.ledger import Ledger
from analogff.device.lines import InputLines
from analogff.device.numerics.chipwise import chipwise, samplewise
from analogff.device.numerics.precision import single_precision
from analogff.device.numerics.product import Precision, add_marks, multiply, outer, product, products_in
from analogff.device.numerics.windowed import columns_of, errors_back, gradient, reads_of, rows_of, weighted_sums
from analogff.device.observable import Observable
from analogff.device.protocol import Device, Truth, has_weights
from analogff.device.sealed import Sealed
from analogff.device.seeds import derive_seed
from analogff.device.shared_inputs import SharedInputs, whole
from analogff.device.visibility import require
from analogff.device.windows import Windows
from analogff.device.wrappers.wrapping import answer, wrapping

__all__ = [
    "Bank",
    "BehindWeights",
    "Beside",
    "BlackBoxError",
    "Connected",
    "Connection",
    "ContractError",
    "Convolution",
    "Datasheet",
    "Dense",
    "Device",
    "Digital",
    "InputLines",
    "Ledger",
    "SharedInputs",
    "ObservabilityError",
    "Observable",
    "LocalFields",
    "PerChip",
    "Precision",
    "Report",
    "Sealed",
    "Truth",
    "Windows",
    "add_marks",
    "answer",
    "check_device",
    "chipwise",
    "columns_of",
    "connected",
    "convolution",
    "derive_seed",
    "errors_back",
    "fabricate",
    "gradient",
    "has_weights",
    "multiply",
    "outer",
    "local_fields",
    "product",
    "products_in",
    "require",
    "require_acting",
    "reads_of",
    "rows_of",
    "samplewise",
    "single_precision",
    "weighted_sums",
    "whole",
    "wrapping",
]
