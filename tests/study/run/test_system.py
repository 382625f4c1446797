"""The [system] of a study: what is refused, and the columns that it prices."""

import numpy as np
import pytest

from analogff.study.read.spec import read_study
from analogff.study.results.prices import OF_DATAFLOWS, repriced
from analogff.study.results.store import load_results
from analogff.study.run.engine import run_study
from analogff.study.run.plan import plan_runs
from analogff.support.mistakes import StudyError
from analogff.system import Prices

OWN = ["index", "run", "system.technology", "wall_seconds"]
PARTS = ["chip_joules", "converter_joules", "write_joules", "digital_joules", "memory_joules"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("system = 5", "system: Expected a table. Got 5."),
        ('[system]\ntechnology = "5nm"', "system.technology: Expected '45nm' or '7nm'. Got \"5nm\"."),
        ("[system]\nsram_joules = 0", "system.sram_joules: Expected a number greater than 0. Got 0."),
        ("[system]\nmac8_joules = 1e-12", "system: Expected mac_bits = 8 beside mac8_joules, which does nothing"),
        ("[system]\nsram = 1", "system.sram: Expected a field of [system] ("),
    ],
)
def test_a_price_that_is_none_is_refused(table, said, write_study):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(more=table))
    assert any(str(mistake).startswith(said) for mistake in caught.value.mistakes), str(caught.value)


def test_prices_change_the_energy_of_digital_work_and_nothing_else(write_study, tmp_path):
    path = write_study(sweep='\n[sweep]\n"system.technology" = ["45nm", "7nm"]\n')
    assert not run_study(read_study(path, ["epochs=2", "chips=1"]), tmp_path / "out", workers=0).failures
    frame = load_results(tmp_path / "out")
    np.testing.assert_allclose(frame[PARTS].sum(axis=1), frame["system_joules"], rtol=1e-12)
    assert (frame["system_seconds"] > frame["device_seconds"]).all()
    old, new = (frame[frame["system.technology"] == name].reset_index() for name in ("45nm", "7nm"))
    same = ["test_error", "reads", "pulses", "device_joules", "digital_macs", "digital_bytes", *PARTS[:3]]
    assert old[same].equals(new[same])
    for part, price in (("digital_joules", "mac_joules"), ("memory_joules", "sram_joules")):
        ratio = getattr(Prices(), price) / getattr(Prices(technology="7nm"), price)
        np.testing.assert_allclose(old[part] / new[part], ratio, rtol=1e-12)
    other = repriced(old, Prices(technology="7nm"))[new.columns]
    assert other.drop(columns=OWN + OF_DATAFLOWS).equals(new.drop(columns=OWN + OF_DATAFLOWS))
    assert other[OF_DATAFLOWS].isna().all(axis=None) and (new["pipeline_joules"] < old["pipeline_joules"]).all()
    small = Prices(sram_bytes=int(old["kept_bytes"].iloc[0]) // 2)
    off_chip = 0.5 * (small.sram_joules + small.dram_joules) / small.sram_joules
    np.testing.assert_allclose(repriced(old, small)["memory_joules"], off_chip * old["memory_joules"], rtol=1e-3)


def test_a_target_changes_no_run(write_study):
    path = write_study()
    before, after = (plan_runs(read_study(path, settings)) for settings in ([], ["target_error=5"]))
    assert [run.key for run in before] == [run.key for run in after]
    with pytest.raises(StudyError, match="target_error: Expected a number greater than 0"):
        read_study(path, ["target_error=0"])
