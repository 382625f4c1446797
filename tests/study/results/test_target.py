"""Costs of a run when it first reaches a test error."""

import numpy as np
import pandas as pd
import pytest

from analogff.study.results.target import at_target


def run(name, errors):
    """Return a run that spends 100 reads and 1 + 4 J an epoch."""
    epochs = np.arange(1, len(errors) + 1)
    return pd.DataFrame({"run": name, "epoch": epochs, "test_error": errors}).assign(
        reads=100 * epochs, memory_joules=1.0 * epochs, digital_joules=4.0 * epochs, system_joules=5.0 * epochs
    )


def reached(errors, target=5.0):
    (row,) = at_target(run("a", errors), target).to_dict("records")
    return row


def test_an_error_that_is_a_power_of_the_epoch_is_interpolated_exactly():
    epochs = np.arange(1, 6)
    row = reached(list(20.0 * epochs**-1.2))
    assert row["reached"] and row["epoch"] == pytest.approx(4 ** (1 / 1.2)) and row["test_error"] == 5.0
    assert row["reads"] == pytest.approx(100 * row["epoch"]), "costs grow in step with the epoch"
    assert row["memory_joules"] + row["digital_joules"] == pytest.approx(row["system_joules"])


def test_the_first_passage_counts_though_the_error_returns():
    assert 1 < reached([20.0, 4.0, 9.0, 2.0])["epoch"] < 2
    assert reached([20.0, 5.0, 9.0])["epoch"] == 2
    assert 1 < reached([20.0, 0.0])["epoch"] < 2


def test_a_first_evaluation_costs_what_it_cost():
    assert reached([3.0, 2.0])["reads"] == 100
    assert reached([np.nan, 2.0])["reads"] == 200


@pytest.mark.parametrize("errors", [[20.0, 8.0, 5.1], [20.0, np.nan, np.nan]])
def test_a_run_that_never_gets_there_keeps_all_that_it_spent(errors):
    row = reached(errors)
    assert not row["reached"] and row["reads"] == 300


def test_runs_stay_in_their_order_whatever_the_order_of_their_rows():
    frame = pd.concat([run("b", [9.0, 1.0]), run("a", [9.0, 8.0])], ignore_index=True)
    for rows in (frame, frame.iloc[::-1]):
        found = at_target(rows, 5.0).set_index("run")["reached"].to_dict()
        assert found == {"b": True, "a": False}
    assert list(at_target(frame, 5.0)["run"]) == ["b", "a"]
