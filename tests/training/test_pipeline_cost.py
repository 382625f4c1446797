"""What results say of a chip in full."""

import numpy as np
import pytest

from analogff.data import load_dataset
from analogff.rules.forward_forward import ForwardForward
from analogff.rules.mono_forward import MonoForward
from analogff.system import Prices
from analogff.timeline import Architecture, Hardware, estimate
from analogff.training.budget import Budget
from analogff.training.checkpoint import load_checkpoint, save_checkpoint
from analogff.training.loop import train
from analogff.training.progress import Progress
from tests.helpers.fakes import make_chips

NAMES = ("pipeline_seconds", "pipeline_joules", "samples_per_second", "array_utilization")


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", train_images=120, validation_images=30)


def build(rule=MonoForward, **options):
    chips = make_chips(sizes=(64, 20, 16), seeds=(0, 1))
    chosen = rule.Options(**({"batch": 50} | options))
    return rule(chips.seal(rule.needs(chosen)), chosen, seed=0), chips


def test_it_is_the_estimate_for_all_images_so_far(digits):
    """With the pulses that were counted, and with those that are assumed."""
    given = Architecture(adcs_per_tile=2, pulses_per_cell=3.0)
    learner, chips = build()
    epochs = list(train(learner, chips, digits, epochs=2, pipeline=given, prices=Prices(technology="7nm")))
    sheets = [layer.datasheet for layer in (*learner.network.layers, learner.network.head)]
    shapes = [(64, 20), (20, 16), (16, 10)]
    kept = learner.kept_bytes(learner.options, shapes, 50)
    found = estimate(
        learner.dataflows(learner.options, shapes, 50), Hardware.of(sheets, given, Prices(technology="7nm"), kept)
    )
    for epoch, images in zip(epochs, (120, 240), strict=True):
        np.testing.assert_allclose(epoch.pipeline_seconds, images * found.seconds, rtol=1e-12)
        np.testing.assert_allclose(epoch.pipeline_joules, images * found.joules, rtol=1e-12)
        np.testing.assert_allclose(epoch.samples_per_second * epoch.pipeline_seconds, images, rtol=1e-12)
        np.testing.assert_allclose(epoch.array_utilization, found.array_utilization, rtol=1e-12)
    learner, chips = build()
    counted = list(train(learner, chips, digits, epochs=2, pipeline=Architecture(adcs_per_tile=2)))[-1]
    counts = [chips.ledger.of(name) for name in chips.names[:2]]  # the head learns nothing
    pulses = [*(count.pulses.double() / count.writes for count in counts), [0.0, 0.0]]
    for chip in range(2):
        own = Hardware.of(sheets, Architecture(adcs_per_tile=2), None, kept, chip, [float(p[chip]) for p in pulses])
        found = estimate(learner.dataflows(learner.options, shapes, 50), own)
        assert counted.pipeline_joules[chip] == pytest.approx(240 * found.joules, rel=1e-12, abs=0)


def test_a_pipeline_changes_no_training(digits):
    fast, slow = (
        list(train(*build(), digits, epochs=1, pipeline=Architecture(digital_macs_per_second=rate)))[-1]
        for rate in (1e12, 1e6)
    )
    for name in ("train_loss", "test_error", "device_seconds", "system_joules", "pulses"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
    assert (slow.pipeline_seconds > 10 * fast.pipeline_seconds).all()


def test_images_are_counted_through_a_checkpoint_and_to_the_end_of_a_budget(digits, tmp_path):
    *_, whole = train(*build(), digits, epochs=2)
    learner, chips = build()
    progress = Progress()
    next(iter(train(learner, chips, digits, epochs=2, progress=progress)))
    save_checkpoint(tmp_path / "run.pt", learner, chips, progress)
    learner, chips = build()
    *_, resumed = train(learner, chips, digits, epochs=2, progress=load_checkpoint(tmp_path / "run.pt", learner, chips))
    for name in NAMES:
        np.testing.assert_array_equal(getattr(whole, name), getattr(resumed, name), err_msg=name)
    *_, short = train(*build(), digits, epochs=2, budget=Budget(epochs=0.4))
    np.testing.assert_allclose(short.pipeline_seconds * short.samples_per_second, 100, rtol=1e-12)  # two batches


@pytest.mark.parametrize("changed", ["write", "dataflows"])
def test_what_states_no_dataflow_has_no_numbers(changed, digits, monkeypatch):
    """As writes have that are no digital optimizer's, of which dataflows know nothing."""
    learner, chips = build(ForwardForward, slope="assumed")
    if changed == "write":
        learner.options = learner.options.model_copy(update={"write": "sign"})
    else:
        monkeypatch.setattr(learner, "dataflows", lambda *_: ())
    epoch = next(train(learner, chips, digits, epochs=1))
    assert all(np.isnan(getattr(epoch, name)).all() for name in NAMES)
