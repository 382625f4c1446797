"""The conformance suite, check by check; `analogff.device.check_device` runs it."""

from analogff.device.checks import contract, identity, memory, ownership, parameters, writes
from analogff.device.checks.subject import Check, Finding, Subject

CHECKS: tuple[Check, ...] = (
    Check("construction", "a device that can be fabricated from n_in, n_out and seed", contract.construction),
    Check("shapes", "measure to answer", contract.shapes),
    Check("range", "reads, pulses and waits to succeed", contract.output_range),
    Check("inputs", "measure and pulse to leave their arguments alone", contract.arguments),
    Check("answers", "answers and arguments that are the caller's", ownership.answers),
    Check("shortcuts", "measure_marked and measure_biased to answer", contract.shortcuts),
    Check("gradient", "a read without a derivative", contract.gradient),
    Check("seed", "the same chip from the same seed", identity.seed),
    Check("generators", "noise that needs no global generator", identity.global_generators),
    Check("rows", "samples that do not know of each other", identity.rows),
    Check("batches", "a batch that can be split", identity.batches),
    Check("bank", "a chip that is the same alone and in a bank", identity.bank),
    Check("wait", "wait to take seconds as one number and, in a banked class, as one a chip", memory.wait),
    Check("checkpoint", "a state_dict that restores a chip", memory.checkpoint),
    Check("datasheet", "a datasheet that outlasts use", contract.datasheet),
    Check("pulse", "pulse(change) to move the weights", writes.direction),
    Check("nothing", "pulse(change) to take zeros", writes.nothing),
    Check("parameters", "parameters that can be varied", parameters.every_one_matters),
)
"""In this order; the first decides whether there is anything to try."""

__all__ = ["CHECKS", "Check", "Finding", "Subject"]
