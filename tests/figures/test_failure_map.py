"""The failure map holds the doses at which accuracy falls, of several studies side by side."""

import numpy as np
import pandas as pd
import pytest

from analogff.cli import main
from analogff.figures.draw import draw_all
from analogff.figures.failing_dose import crossing, failing_dose
from analogff.figures.failure_map import dose_of, draw
from analogff.figures.results import Missing
from analogff.support.mistakes import StudyError
from tests.figures.test_kept_gradients import opened
from tests.study.conftest import RULE, write_study  # noqa: F401
from tests.study.run.test_diagnosis import SHORT, run

QUIET = '\n[device]\nmodel = "unknown"\nread_noise = 0.0\nadc_bits = 0\nmismatch = 0.0\n'


def errors(doses, *chips):
    return pd.DataFrame(chips, columns=doses)


@pytest.mark.slow
def test_a_dose_is_interpolated_on_a_line_from_zero_and_by_its_logarithm_further_on():
    """Accuracy 80 falls below 76."""
    assert crossing(np.array([0.0, 1.0, 2.0]), np.array([80.0, 72.0, 10.0])) == pytest.approx(0.5)
    assert crossing(np.array([0.0, 1.0, 100.0]), np.array([80.0, 78.0, 74.0])) == pytest.approx(10.0)
    assert np.isnan(crossing(np.array([0.0, 1.0]), np.array([80.0, 76.0])))


@pytest.mark.slow
def test_the_interval_is_of_the_chips_own_doses():
    found = failing_dose(errors([0.0, 1.0, 100.0], [20, 20, 28], [20, 22, 26], [20, 22, 26]))
    own = np.log([10.0, 10.0, 10.0])
    assert found.status == "falls" and found.dose == pytest.approx(np.exp(own.mean())) and found.chips == 3
    assert found.low == pytest.approx(10.0) and found.high == pytest.approx(10.0)
    apart = failing_dose(errors([0.0, 1.0, 100.0], [20, 20, 100], [20, 22, 26], [20, 22, 26]))
    assert apart.low < apart.dose < apart.high and apart.dose < found.dose


@pytest.mark.slow
def test_chips_that_never_fall_leave_no_interval_and_a_rule_that_learned_nothing_has_no_dose():
    some = failing_dose(errors([0.0, 1.0], [20, 60], [20, 21]))
    assert some.status == "falls" and np.isnan(some.low)
    never = failing_dose(errors([0.0, 1.0], [20, 21], [20, 21]))
    assert never.status == "never" and never.dose == 1.0
    assert failing_dose(errors([0.0, 1.0], [60, 60], [60, 60])).status == "not learned"
    lost = failing_dose(errors([0.0, 1.0], [20, np.nan], [20, np.nan]))
    assert lost.status == "falls" and lost.dose == pytest.approx(0.05)  # no finite error: no accuracy left


@pytest.mark.slow
def test_bits_are_steps_of_the_range():
    np.testing.assert_allclose(dose_of("device.adc_bits", np.array([0.0, 8.0, 1.0])), [0.0, 1 / 256, 0.5])
    np.testing.assert_allclose(dose_of("device.read_noise", np.array([0.0, 8.0])), [0.0, 8.0])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = []
    for path, values in (("read_noise", [0.0, 30.0]), ("adc_bits", [0, 20])):
        folder = tmp_path_factory.mktemp(path)
        given = {"head": SHORT.replace("epochs = 1", "epochs = 40"), "device": QUIET}
        study = write_study.__wrapped__(folder)(  # type: ignore[attr-defined]
            **given, rule=RULE + "batch = 20\nlearning_rate = 0.01\n", sweep=f'\n[sweep]\n"device.{path}" = {values}\n'
        )
        run(study, folder / "out")
        made.append(folder / "out")
    return made


@pytest.mark.slow
def test_studies_are_columns_and_rules_are_rows(folders, tmp_path):
    files = draw_all(folders[0], kind="failure_map", beside=folders[1:], out=tmp_path, formats=("png",))
    table = pd.read_csv(next(path for path in files if path.suffix == ".csv"))
    assert list(table["non_ideality"]) == ["read noise", "ADC step / range"]
    assert list(table["status"]) == ["falls", "never"]
    assert 0 < table["low"][0] < table["dose"][0] < table["high"][0] < 30 and table["dose"][1] == 2**-20
    with pytest.raises(SystemExit) as ended:
        main(["plot", str(folders[0]), "--kind", "failure_map", "--beside", str(folders[1])])
    assert ended.value.code == 0


@pytest.mark.slow
def test_what_cannot_be_drawn_is_refused_with_advice(folders):
    with pytest.raises(StudyError, match=r"--beside.*--kind failure_map"):
        draw_all(folders[0], kind="heat_map", beside=folders[1:])
    results = opened(folders[0])
    with pytest.raises(Missing, match="each sweep one number"):
        list(draw(type(results)(results.frame, {}, (), results.variants, folder=results.folder)))
