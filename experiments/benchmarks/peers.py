"""How do other simulators do the same read: 7 bits in, 9 bits out, and noise on every output?"""

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType

import torch
from parts import inputs, read
from timing import Benchmark, Contender

from hardware_models.generic.unknown import Unknown

WIDTH, BATCH = 2000, 512
IN_BITS, OUT_BITS, OUT_NOISE, IN_MAX, OUT_MAX = 7, 9, 0.06, 8.0, 12.0


def benchmarks() -> Iterator[Benchmark]:
    """Yield them against weights that are continuous, and against weights of 8 bits."""
    x = inputs(BATCH, WIDTH)
    for title, bits, target in (("", 0, ">= 2.5"), (", ours with 8-bit weights", 8, ">= 4")):
        contenders = {
            "ours": Contender(run=read(_ours(bits), x)),
            "torch.nn.Linear": Contender(run=_run(torch.nn.Linear(WIDTH, WIDTH, bias=False), x)),
            "aihwkit, torch tile, fixed ranges": Contender(run=_run(_aihwkit(managed=False), x), target=target),
            "aihwkit, torch tile, ranges by input": Contender(run=_run(_aihwkit(managed=True), x), target=target),
            "aihwkit-lightning, torch, fixed ranges": Contender(run=_run(_lightning(), x), target=target),
        }
        name = f"peers, {WIDTH} x {WIDTH}, batch {BATCH}{title}"
        yield Benchmark(name=name, contenders=contenders, base="ours", rounds=20)


def _ours(weight_bits: int) -> Unknown:
    """Return a rectifier, since there is no layer here without a neuron."""
    return Unknown(
        WIDTH,
        WIDTH,
        seed=0,
        family="relu",
        mismatch=0.0,
        curve_spread=0.0,
        read_noise=OUT_NOISE,
        dac_bits=IN_BITS,
        adc_bits=OUT_BITS,
        input_max=IN_MAX,
        weight_bits=weight_bits,
    )


def _aihwkit(*, managed: bool) -> torch.nn.Module | None:
    """Return a layer of aihwkit; its defaults scale each input by its maximum, and again where an output clips."""
    nn, configs = _module("aihwkit.nn"), _module("aihwkit.simulator.configs")
    if nn is None or configs is None:
        return None
    enums = importlib.import_module("aihwkit.simulator.parameters.enums")
    config = configs.TorchInferenceRPUConfig()
    config.mapping.max_input_size = config.mapping.max_output_size = 0  # one tile, as ours is one array
    forward = config.forward
    forward.inp_res, forward.out_res = _steps(IN_BITS), _steps(OUT_BITS)
    forward.out_noise, forward.out_bound = OUT_NOISE, OUT_MAX
    if not managed:
        forward.noise_management = enums.NoiseManagementType.NONE
        forward.bound_management = enums.BoundManagementType.NONE
        forward.inp_bound = IN_MAX
    return nn.AnalogLinear(WIDTH, WIDTH, bias=False, rpu_config=config).eval()


def _lightning() -> torch.nn.Module | None:
    """Return a layer of aihwkit-lightning, which has noise on its outputs only while it learns."""
    nn, configs = _module("aihwkit_lightning.nn"), _module("aihwkit_lightning.simulator.configs")
    if nn is None or configs is None:
        return None
    config = configs.TorchInferenceRPUConfig()
    forward, ranges = config.forward, config.pre_post.input_range
    forward.inp_res, forward.out_res = _steps(IN_BITS), _steps(OUT_BITS)
    forward.out_noise, forward.out_bound = OUT_NOISE, OUT_MAX
    ranges.enable, ranges.fast_mode, ranges.learn_input_range = True, True, False
    ranges.init_value, ranges.init_from_data = IN_MAX, 0
    return nn.AnalogLinear(WIDTH, WIDTH, bias=False, rpu_config=config).train()


def _steps(bits: int) -> int:
    """Return the steps from end to end of a converter with as many below zero as above."""
    return 2**bits - 2


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _run(layer: torch.nn.Module | None, x: torch.Tensor) -> Callable[[], object] | None:
    return None if layer is None else torch.no_grad()(lambda: layer(x))
