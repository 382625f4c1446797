"""The [system] of a study: what is refused, and the columns that it prices."""

import numpy as np
import pytest

from analogff.study.read.spec import read_study
from analogff.study.results.store import load_results
from analogff.study.run.engine import run_study
from analogff.support.mistakes import StudyError
from analogff.system import Prices

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
