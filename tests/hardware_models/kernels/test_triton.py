"""The kernels for GPUs against the reference: under Triton's interpreter where there is no GPU, on it where there is."""

import math
import os
import subprocess
import sys

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from analogff.device import SharedInputs, fabricate, whole
from hardware_models import kernels
from hardware_models.effects import nonlinearity
from hardware_models.effects.quantize import quantize
from hardware_models.generic.unknown import Unknown
from hardware_models.kernels import reference
from hardware_models.kernels.circuit import Circuit
from tests.hardware_models.kernels.test_kernels import FIRST_ROWS, KNOWN, SEEDS
from tests.helpers.devices import EXPORTED, inputs

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # Triton and the kernels look at it when they are imported
triton = pytest.importorskip("triton")

import triton.language as tl  # noqa: E402

from hardware_models.kernels.cuda import neuron_curves, philox, read  # noqa: E402

HERE = pytest.param("cuda", marks=pytest.mark.gpu) if torch.cuda.is_available() else "cpu"
CURVES = [pytest.param(curve, (5, 13, 7), id=f"{name}-5-13-7") for curve, name in read.CODES.items()]
"""Each curve, and rows, inputs and outputs. What is done beyond one block knows nothing of curves: one is enough."""
CURVES += [pytest.param(nonlinearity.saturating, (33, 70, 41), id="saturating-33-70-41")]


@pytest.fixture(params=[HERE])
def there(request):
    """Where the kernels run."""
    return torch.device(request.param)


@triton.jit
def words_at(out, address):
    block, stream = tl.load(address + 2).to(tl.uint32), tl.load(address + 3).to(tl.uint32)
    w0, w1, w2, w3 = philox.words(tl.load(address), tl.load(address + 1), block, stream)
    tl.store(out, w0.to(tl.int64))
    tl.store(out + 1, w1.to(tl.int64))
    tl.store(out + 2, w2.to(tl.int64))
    tl.store(out + 3, w3.to(tl.int64))


@triton.jit
def bent(y, a, s, CODE: tl.constexpr, N: tl.constexpr):
    i = tl.arange(0, N)
    tl.store(y + i, neuron_curves.bend(tl.load(a + i), s, CODE))


@triton.jit
def converted(y, v, low, high, bits, N: tl.constexpr):
    i = tl.arange(0, N)
    tl.store(y + i, read.quantize(tl.load(v + i), tl.load(low), tl.load(high), tl.load(bits)))


def _signed(low, high):
    word = low | high << 32
    return word - 2**64 if word >= 2**63 else word


@pytest.mark.parametrize("counter, key, words", KNOWN)
def test_philox_gives_the_known_answers(counter, key, words, there):
    address = torch.tensor([_signed(*key), _signed(*counter[:2]), *counter[2:]], device=there)
    out = torch.zeros(4, dtype=torch.int64, device=there)
    words_at[(1,)](out, address)
    assert tuple(out.tolist()) == words


@pytest.mark.parametrize("columns", [1, 7, 64, 70])
def test_noise_equals_the_reference(columns, there):
    for rows, stream in ((9, 17), (40, 1)):
        where = (SEEDS.to(there), FIRST_ROWS.to(there), rows, columns, stream)
        fast, clear = philox.normal(*where).cpu(), reference.normal(SEEDS, FIRST_ROWS, rows, columns, stream)
        assert (fast - clear).abs().max() < 2e-6  # single precision at up to 5 standard deviations
        fast, clear = philox.uniform(*where).cpu(), reference.uniform(SEEDS, FIRST_ROWS, rows, columns, stream)
        assert torch.equal(fast, clear)


def test_a_number_depends_on_its_position_only(there):
    seeds, first = SEEDS.to(there), FIRST_ROWS.to(there)
    whole = philox.normal(seeds, first, 40, 70, 17)
    assert torch.equal(philox.normal(seeds[1:2], first[1:2], 40, 70, 17), whole[1:2])
    assert torch.equal(philox.normal(seeds, first + 30, 10, 70, 17), whole[:, 30:])
    assert torch.equal(philox.normal(seeds, first, 40, 11, 17), whole[..., :11])
    assert torch.equal(philox.normal(seeds, 5, 40, 11, 17)[1], whole[1, :, :11])


def test_noise_is_added_in_place_also_to_a_part(there):
    y, sigma = torch.rand(4, 18, 26, device=there), torch.rand(4, 9, 1, device=there)
    sigma[1] = 0
    seeds, first = SEEDS.to(there), FIRST_ROWS.to(there)
    drawn = philox.normal(seeds, first, 9, 13, 3)
    for s in (sigma, sigma[:, :1], sigma * torch.rand(4, 9, 13, device=there), torch.zeros(4, 1, 1, device=there)):
        part = y.clone()
        assert philox.add_normal_(part[:, ::2, 13:], s, seeds, first, 3) is not None
        expected = y.clone()
        expected[:, ::2, 13:] += s * drawn
        assert torch.equal(part, expected)


@pytest.mark.parametrize("curve", read.CODES, ids=read.CODES.get)
def test_curves_equal_theirs_and_keep_a_nan(curve, there):
    a = torch.linspace(-40, 40, 2048)
    a[:3] = torch.tensor([math.nan, math.inf, -math.inf])
    y = torch.empty(2048, device=there)
    for s in (0.7, 1.3):
        bent[(1,)](y, a.to(there), s, read.CODES[curve], 2048)
        assert torch.allclose(y.cpu(), curve(a, s), rtol=2e-6, atol=1e-6, equal_nan=True)


def test_every_family_has_a_kernel():
    assert {f.curve for f in nonlinearity.FAMILIES.values()} == set(read.CODES)
    assert read.takes(bank(1, 2, 3)) and not read.takes(bank(1, 2, 3)._replace(curve=torch.tanh))


@pytest.mark.parametrize(
    "bits, low, high", [(0, -math.inf, 2.0), (1, 0.0, 1.0), (4, -1.0, 3.0), (8, 0.0, 8.0), (16, 0.0, 0.7)]
)
def test_a_converter_equals_its_own_bit_by_bit(bits, low, high, there):
    v = torch.randn(1024, generator=torch.Generator().manual_seed(0)) * 4
    v[:512] = (v[:512] * 2 ** (bits + 1)).round() / 2 ** (bits + 1)  # halves of steps among them
    v[:3] = torch.tensor([math.nan, math.inf, -math.inf])
    numbers = [torch.tensor([float(n)]) for n in (low, high, bits)]
    y = torch.empty(1024, device=there)
    converted[(1,)](y, v.to(there), *(n.to(there) for n in numbers), 1024, enable_fp_fusion=False)
    assert torch.equal(y.cpu().nan_to_num(9e9), quantize(v, *numbers).nan_to_num(9e9))


def bank(chips, n_in, n_out, curve=nonlinearity.saturating, adc_bits=(0, 0, 0), vary=False):
    """Draw chips of which no two have the same converters and noises; some have none."""
    drawn = torch.Generator().manual_seed(n_in)

    def each(*numbers):
        return torch.tensor([numbers[c % 3] for c in range(chips)], dtype=torch.float32).view(-1, 1, 1)

    def cells(mean, spread, *shape):
        return mean + spread * torch.randn(chips, *shape, generator=drawn)

    return Circuit(
        input_min=each(0, 0, -1),
        input_max=each(3, 2, 4),
        dac_bits=each(8, 0, 4),
        weights=cells(0, n_in**-0.5, n_out, n_in),
        weight_noise=each(0, 0.1, 0.2) * n_in**-0.5,
        gain=cells(1, 0.2, 1, n_out),
        offset=cells(0, 0.1, 1, n_out),
        curve=curve,
        steepness=each(1, 0.8, 1.2),
        read_noise=each(0.1, 0, 0.05),
        output_min=each(0, 0, 0.1),
        output_max=each(1, 4, 8),
        adc_bits=each(*adc_bits),
        seeds=SEEDS.repeat(-(-chips // 4))[:chips],
        reads=FIRST_ROWS.repeat(-(-chips // 4))[:chips],
        variance=cells(0, 0.3 * n_in**-0.5, n_out, n_in).square() if vary else None,
    )


def moved(circuit, device):
    return Circuit(*(v.to(device) if isinstance(v, torch.Tensor) else v for v in circuit))


def signals(chips, rows, n_in):
    return 2 * torch.randn(chips, rows, n_in, generator=torch.Generator().manual_seed(1))


def biases(chips, rows, n_out):
    """One that there is not, one number, one for each neuron, and one for each sample."""
    by_row = torch.randn(chips, rows, n_out, generator=torch.Generator().manual_seed(2)) / 4
    return [None, torch.tensor(0.1), by_row[:, :1], by_row]


def both(circuit, x, bias, device):
    """Read with the kernel, and with the reference."""
    there = [b if b is None else b.to(device) for b in bias]
    return [y.cpu() for y in read.read(moved(circuit, device), x.to(device), there)], reference.read(circuit, x, bias)


@pytest.mark.parametrize("vary", [False, True], ids=["one noise", "variances"])
@pytest.mark.parametrize("curve, size", CURVES)
def test_a_read_equals_the_reference(curve, size, vary, there):
    rows, n_in, n_out = size
    x, bias = signals(3, rows, n_in), biases(3, rows, n_out)
    for fast, clear in zip(*both(bank(3, n_in, n_out, curve, vary=vary), x, bias, there), strict=True):
        assert torch.allclose(fast, clear, rtol=0, atol=2e-5)
    stepped = bank(3, n_in, n_out, curve, (6, 8, 4), vary)
    step = (stepped.output_max - stepped.output_min) / (2**stepped.adc_bits - 1)
    for fast, clear in zip(*both(stepped, x, bias, there), strict=True):
        off = (fast - clear).abs()
        assert (off < 1.001 * step).all()
        assert (off > 1e-5).sum() <= max(1, 0.002 * off.numel())  # rounding may lift a sample to the next step


def test_a_read_of_several_tiles_equals_the_reference(there):
    fast, clear = both(bank(3, 37, 67), signals(3, 70, 37), [None, torch.tensor(-0.1)], there)
    assert all(torch.allclose(a, b, rtol=0, atol=2e-5) for a, b in zip(fast, clear, strict=True))


def test_a_bias_alone_reads_as_the_first_of_several(there):
    circuit, x = moved(bank(3, 13, 7), there), signals(3, 5, 13).to(there)
    for bias in biases(3, 5, 7):
        bias = bias if bias is None else bias.to(there)
        assert torch.equal(read.read(circuit, x, [bias])[0], read.read(circuit, x, [bias, None])[0])


def test_inputs_may_be_shared_or_marked_or_turned(there):
    circuit, x = moved(bank(3, 13, 7), there), signals(1, 5, 13).to(there)
    expected = read.read(circuit, x.repeat(3, 1, 1), [None])[0]
    for same in (x, x.expand(3, -1, -1), x.mT.contiguous().mT):
        assert torch.equal(read.read(circuit, same, [None])[0], expected)
    marks = torch.eye(3).repeat(3, 1, 1).view(3, 3, 1, 3).expand(-1, -1, 5, -1).to(there)
    marked = SharedInputs(x.expand(3, -1, -1), marks)
    shared, written = (read.read(circuit, inputs, [None])[0] for inputs in (marked, marked.whole()))
    assert torch.allclose(shared, written, rtol=0, atol=2e-5)  # the sums are formed in another order


def test_a_chip_alone_equals_itself_in_a_bank_bit_by_bit(there):
    circuit, x = moved(bank(3, 13, 7, adc_bits=(6, 8, 4)), there), signals(3, 5, 13).to(there)
    together = read.read(circuit, x, [None])[0]
    for c in range(3):
        alone = Circuit(*(v[c : c + 1] if isinstance(v, torch.Tensor) else v for v in circuit))
        assert torch.equal(read.read(alone, x[c : c + 1], [None])[0], together[c : c + 1])


def test_a_nan_spoils_its_own_row_only(there):
    circuit, x = moved(bank(3, 13, 7), there), signals(3, 5, 13).to(there)
    clear = read.read(circuit, x, [None])[0]
    x[1, 2, 3] = math.nan
    spoilt = read.read(circuit, x, [None])[0]
    assert spoilt[1, 2].isnan().all()
    spoilt[1, 2] = clear[1, 2]
    assert torch.equal(spoilt, clear)


class _Operations(TorchDispatchMode):
    """Count what torch is asked to do."""

    count = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.count += 1
        return function(*arguments, **(options or {}))


class _Launches:
    """Count the launches of a kernel."""

    def __init__(self, kernel):
        self.kernel, self.count = kernel, 0

    def __getitem__(self, grid):
        self.count += 1
        return self.kernel[grid]


def test_a_read_takes_as_many_launches_however_many_chips_there_are(there, monkeypatch):
    kernel = _Launches(read._finish)
    monkeypatch.setattr(read, "_finish", kernel)
    asked = []
    for chips in (1, 8):
        circuit, x = moved(bank(chips, 5, 3), there), signals(chips, 2, 5).to(there)
        for bias in ([None], [torch.tensor(0.1, device=there), torch.tensor(-0.1, device=there)]):
            kernel.count = 0
            with _Operations() as operations:
                read.read(circuit, x, bias)
            assert kernel.count == len(bias)
            asked.append(operations.count)
    if there.type == "cuda":  # a CPU multiplies chip by chip
        assert asked[:2] == asked[2:]


def read_where_there_is_a_kernel(circuit, x, biases):
    return (read.read if read.takes(circuit) else reference.read)(circuit, whole(x), biases)


@pytest.mark.parametrize("model", EXPORTED)
def test_a_device_on_these_kernels_is_the_same_device(model, there, monkeypatch):
    continuous = {"adc_bits": 0, "dac_bits": 0} if "adc_bits" in model.__init__.__kwdefaults__ else {}
    chips = [fabricate(model, 13, 7, seeds=[3, 1, 4], parameters=continuous) for _ in range(2)]
    x, change = inputs(3, 5, 13), torch.linspace(-0.2, 0.3, 91).reshape(1, 7, 13).repeat(3, 1, 1)

    def life(device, where):
        seen = []
        for verb in (device.pulse, device.program):
            seen.append(device(x.to(where)))
            verb(change.to(where))
            seen.extend(device.measure_biased(x.to(where), [torch.tensor(b, device=where) for b in (0.1, -0.1)]))
        return [s.detach().cpu() for s in seen]

    expected = life(chips[0], "cpu")
    if there.type == "cpu":
        for name in set(kernels.__all__) - {"read"}:
            monkeypatch.setattr(kernels, name, getattr(philox, name))
        monkeypatch.setattr(kernels, "read", read_where_there_is_a_kernel)
        for module in [m for name, m in sys.modules.items() if name.startswith("hardware_models.")]:
            if hasattr(module, "chip_groups"):
                monkeypatch.setattr(module, "chip_groups", lambda x: [slice(None)])
    for a, b in zip(life(chips[1].to(there), there), expected, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-4)


COMPILE = """
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from analogff.device.numerics.counting_cuda import _count_changes
from analogff.learning.adam_cuda import _adam_step
from hardware_models.kernels.cuda import philox, read

WHOLE = dict.fromkeys(("seeds", "reads", "first_rows", "total"), "*i64")
WHOLE |= dict.fromkeys(("rows", "columns", "n_in", "n_out", "count", "stream", "silent", "before", "cells"), "i32")
FLOATS = dict.fromkeys(("size", "shrink", "first", "second", "epsilon"), "fp32")

def compiled(kernel, **constants):
    types = {n: (WHOLE | FLOATS).get(n, "i32" if "_" in n and n.split("_")[0] in STRIDED else "*fp32") for n in kernel.arg_names}
    signature = {n: "constexpr" if n in constants else t for n, t in types.items()}
    source = ASTSource(kernel, signature, constants)
    assert "mma" not in compile(source, target=GPUTarget("cuda", 80, 32)).asm["ptx"]  # no product in fewer bits

STRIDED = ("x", "y", "sigma", "bias")
TILE = dict(ROWS=64, COLUMNS=64)
for uniform in (False, True):
    compiled(philox._fill, UNIFORM=uniform, **TILE)
compiled(philox._fill, UNIFORM=False, stream=1, columns=1, rows=1, **TILE)  # as an argument of 1 is compiled
compiled(philox._add, **TILE)
compiled(read._convert, **TILE)
compiled(read._convert, silent=0, x_line=1, **TILE)
for code in read.CODES.values():
    compiled(read._finish, CODE=code, **TILE)
ALONE = dict.fromkeys(("bias_chip", "bias_row", "bias_column", "sigma_column", "before"), 0) | dict(bias=None)
compiled(read._finish, CODE="relu", **ALONE, **TILE)
compiled(_count_changes, BLOCK=4096)
for given in ({}, {"asked": None, "share": None}, {"share": None}):
    compiled(_adam_step, BLOCK=1024, **given)
"""


@pytest.mark.slow
def test_the_kernels_compile_for_a_gpu_that_is_not_there(tmp_path):
    """The interpreter takes more than the compiler does."""
    surroundings = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {
        "TRITON_CACHE_DIR": str(tmp_path)
    }
    done = subprocess.run([sys.executable, "-c", COMPILE], env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
def test_a_device_on_a_gpu_takes_these_kernels(monkeypatch):
    taken = _Launches(read._finish)
    monkeypatch.setattr(read, "_finish", taken)
    here = fabricate(Unknown, 70, 41, seeds=[3, 1, 4])
    there = fabricate(Unknown, 70, 41, seeds=[3, 1, 4]).cuda()
    x = inputs(3, 33, 70)
    off = (there(x.cuda()).cpu() - here(x)).abs()
    assert taken.count == 1
    assert (off < 1.001 / 63).all() and ((off > 1e-5).sum() <= 0.002 * off.numel())


@pytest.mark.gpu
def test_a_recorded_read_starts_where_the_chip_has_got_to():
    circuit, x = moved(bank(3, 13, 7), "cuda"), signals(3, 5, 13).cuda()
    expected = [read.read(circuit, x, [None])[0], read.read(circuit._replace(reads=circuit.reads + 5), x, [None])[0]]
    graph, circuit = torch.cuda.CUDAGraph(), circuit._replace(reads=circuit.reads.clone())
    with torch.cuda.graph(graph):
        y = read.read(circuit, x, [None])[0]
        circuit.reads.add_(5)
    for wanted in expected:
        graph.replay()
        assert torch.equal(y, wanted)
