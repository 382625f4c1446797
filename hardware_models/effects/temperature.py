"""Temperature: thermal voltage, activated conductances, thermal noise and shot noise."""

import torch

BOLTZMANN = 1.380649e-23
"""J/K, exact (SI, 2019)."""
CHARGE = 1.602176634e-19
"""C, exact (SI, 2019)."""
ROOM_KELVIN = 300.0
"""Reference temperature of numbers without a temperature."""


def thermal_voltage(kelvin: torch.Tensor) -> torch.Tensor:
    r"""Thermal voltage, the scale of exponentials in semiconductors: 25.85 mV at 300 K.

    .. math:: U_T = k_B T / q
    """
    return kelvin * (BOLTZMANN / CHARGE)


def arrhenius(
    kelvin: torch.Tensor, activation_electronvolts: torch.Tensor, reference_kelvin: float = ROOM_KELVIN
) -> torch.Tensor:
    r"""Factor on a thermally activated conductance or rate.

    .. math:: \frac{G(T)}{G(T_0)} = \exp\left[\frac{E_a}{k_B} \left(\frac{1}{T_0} - \frac{1}{T}\right)\right]

    Args:
        kelvin: Temperature.
        activation_electronvolts: ``E_a``; negative if the conductance falls with temperature, as in a metal.
        reference_kelvin: Temperature of the factor 1.
    """
    per_kelvin = activation_electronvolts * (CHARGE / BOLTZMANN)
    return torch.exp(per_kelvin * (1 / reference_kelvin - 1 / kelvin))


def in_series(g: torch.Tensor, activated: torch.Tensor) -> torch.Tensor:
    r"""Factor on the conductance of a cell with an activated part in series with a constant one.

    .. math:: \frac{1}{g(T)} = 1 + \left(\frac1g - 1\right) \frac1A \quad\Rightarrow\quad
        \frac{g(T)}{g} = \frac{A}{1 + g (A - 1)}

    In a phase-change cell the activated part is amorphous, in series with the rest of the cell, of conductance 1. The
    apparent activation energy of the cell at ``T_0`` is ``1 - g`` times that of its amorphous part.

    Args:
        g: Conductance at the temperature of the factor 1, over the greatest one.
        activated: ``A``, from `arrhenius`.
    """
    return activated / (1 + g * (activated - 1))


def thermal_noise(siemens: torch.Tensor, kelvin: torch.Tensor, hertz: torch.Tensor) -> torch.Tensor:
    r"""Standard deviation of the thermal noise current of a conductance, in amperes.

    .. math:: \sigma = \sqrt{4 k_B T G\, \Delta f}

    Args:
        siemens: ``G``.
        kelvin: ``T``.
        hertz: Bandwidth; for an integration over a time ``t`` it is ``1 / 2t``.

    Reference:
        Johnson, Physical Review 32, 97 (1928); Nyquist, Physical Review 32, 110 (1928).
    """
    return ((4 * BOLTZMANN) ** 0.5) * (kelvin * siemens * hertz).sqrt()


def shot_noise(amperes: torch.Tensor, hertz: torch.Tensor) -> torch.Tensor:
    r"""Standard deviation of the shot noise of a current, in amperes.

    .. math:: \sigma = \sqrt{2 q |I|\, \Delta f}

    For a device that conducts by diffusion, such as a transistor in weak inversion or a diode. A resistor much longer
    than the electrons' mean free path shows `thermal_noise` only.

    Args:
        amperes: Mean current ``I``.
        hertz: Bandwidth.

    Reference:
        Schottky, Annalen der Physik 362, 541 (1918).
    """
    return ((2 * CHARGE) ** 0.5) * (amperes.abs() * hertz).sqrt()
