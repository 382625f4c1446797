"""The writes that options name."""

from analogff.device import ContractError, Observable, Sealed, derive_seed
from analogff.network import Network
from analogff.network.readout import why_unreadable
from analogff.writes.agad import Agad
from analogff.writes.digital import Digital
from analogff.writes.multi_tile import MultiTile
from analogff.writes.options import FAST, WriteOptions, write_hardware
from analogff.writes.pulse_trains import PulseTrains
from analogff.writes.sign import Sign
from analogff.writes.tiki_taka import TikiTaka, TikiTaka2
from analogff.writes.verify import WriteAndVerify
from analogff.writes.write import ArrayWrite, ChangeWrite

NO_PULSES = "its datasheet prints no change of a write pulse"


def make_writes(network: Network, options: WriteOptions, seed: int) -> list[ChangeWrite | ArrayWrite]:
    """Return the write of each layer, the head last; layers of digital numbers have a digital one.

    Args:
        network: The chips.
        options: Name the write.
        seed: The learning seed.

    Raises:
        ContractError: If an array cannot be written so, or was made without what the write needs.
    """
    layers = (*network.layers, network.head)
    return [_of_layer(*pair, options, seed) for pair in zip(layers, network.controlled, strict=True)]


def _of_layer(
    layer: Sealed, controlled: tuple[Sealed, ...], options: WriteOptions, seed: int
) -> ChangeWrite | ArrayWrite:
    if options.write == "digital" or layer.datasheet.readable_weights:
        return Digital(layer)
    needed = write_hardware(options)
    if layer.datasheet.change_step is None:
        raise ContractError(
            f'Expected an array that is written by pulses, for write = "{options.write}". Got {layer.name}: '
            f'{NO_PULSES}. Take a device such as reram, or write = "digital".'
        )
    if len(controlled) != needed.arrays + needed.reads_back:
        raise ContractError(
            f'Expected {layer.name} with what write = "{options.write}" needs beside it. Got chips that were made '
            "without. Fabricate them with writes=options.write_hardware."
        )
    for array in controlled:
        read = options.write != "multi-tile" and array.level < Observable.ORACLE
        if read and (why := why_unreadable(array.datasheet)):
            raise ContractError(
                f'Expected an array whose weights can be read, for write = "{options.write}". Got {array.name}: {why}. '
                "Take another device or write."
            )
    return _made(layer, controlled, options, derive_seed(seed, "write", layer.name))


def _made(layer: Sealed, controlled: tuple[Sealed, ...], options: WriteOptions, seed: int) -> ChangeWrite | ArrayWrite:
    if options.write == "sign":
        return Sign(layer)
    if options.write == "pulse-trains":
        return PulseTrains(layer, options.train_slots, seed)
    if options.write == "multi-tile":
        return MultiTile(layer, controlled, options.tile_significance, options.train_slots, seed)
    beside, *_ = controlled
    if options.write == "verify":
        return WriteAndVerify(layer, beside, options.verify_rounds, options.verify_tolerance)
    if options.write == "agad":
        return Agad(layer, beside, options, seed, options.chop_period)
    reference = options.reference == "measured"
    if options.write == "tiki-taka":
        return TikiTaka(layer, beside, options, seed, reference)
    return TikiTaka2(layer, beside, options, seed, reference, options.chop_probability)


def refused(
    options: WriteOptions, *, pulsed: bool, unreadable: str | None, untrue: str | None, apart: str | None
) -> tuple[str, str] | None:
    """Return what a write expects of a device that does not have it, and why not; None if it does.

    Args:
        options: Name the write.
        pulsed: Whether the device is written by pulses of a printed size.
        unreadable: Why its weights cannot be read; None if they can.
        untrue: Why a simulator cannot tell its weights; None if it can.
        apart: Why its arrays cannot share their neurons; None if they can.
    """
    if options.write == "digital":
        return None
    needs = f'which write = "{options.write}" needs'
    if not pulsed:
        return f"an array that is written by pulses, {needs}", NO_PULSES
    if options.write == "multi-tile" and apart:
        return f"arrays whose currents add up, {needs}", apart
    if options.transfer_reads == "perfect" and untrue:
        return 'an array whose true weights are known, which transfer_reads = "perfect" needs', untrue
    if options.write in (*FAST, "verify") and options.transfer_reads == "noisy" and unreadable:
        return f"an array whose weights can be read one by one, {needs}", unreadable
    return None
