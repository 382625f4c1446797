"""The few exceptions of the contract, each a subclass of the builtin it specializes."""


class BlackBoxError(RuntimeError):
    """A learner reached for something that a chip does not show: its gradient, weights or parameters."""


class ContractError(ValueError):
    """A device or a caller broke the contract: a shape, a dtype, a range or a missing verb."""


class ObservabilityError(ValueError):
    """A rule needs to see more than the device shows; raised before anything runs."""
