"""Paired tests over chips: what they resolve, how often they err, and what they say."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analogff.study.results.comparison import compare, holm, sentences
from analogff.study.results.report import print_pairs


def finished(errors, axes=None):
    """Return last epochs with given errors ``{variant: errors of chips}``, at one point."""
    rows = [
        {"variant": variant, "chip": chip, "seed": 0, "test_error": error} | (axes or {})
        for variant, of_chips in errors.items()
        for chip, error in enumerate(of_chips)
    ]
    return pd.DataFrame(rows)


def test_a_pair_is_told_apart_chip_by_chip_where_intervals_over_chips_overlap():
    chips = np.array([5.0, 9.0, 14.0, 20.0])
    table = compare(finished({"A": chips + [0.9, 1.1, 1.0, 1.0], "B": chips}), [])
    (row,) = table.to_dict("records")
    # d = 0.9, 1.1, 1.0, 1.0: mean 1, s = sqrt(0.02 / 3), and t(0.975, 3) = 3.18245 from a table
    half = 3.18245 * np.sqrt(0.02 / 3) / 2
    assert (row["better"], row["worse"], row["chips"], row["apart"]) == ("B", "A", 4, True)
    assert row["difference"] == pytest.approx(1.0)
    assert (row["low"], row["high"]) == (pytest.approx(1 - half, rel=1e-5), pytest.approx(1 + half, rel=1e-5))


@pytest.mark.slow
def test_equal_rules_are_told_apart_as_rarely_as_is_said():
    """Of 300 tables of ten pairs without a difference, at most 5 % hold a finding, but for chance."""
    generator, tables = np.random.default_rng(1), 300
    wrong = 0
    for _ in range(tables):
        errors = {name: generator.normal(10, 1, 6) for name in "ABCDE"}
        wrong += compare(finished(errors), [])["apart"].any()
    assert wrong / tables < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tables)


def test_seeds_that_disagree_in_sign_tell_nothing_apart_however_equal_the_chips_are():
    rows = [
        {"variant": variant, "chip": chip, "seed": seed, "test_error": 10 + 0.01 * chip * (variant == "A") + by}
        for chip in range(6)
        for seed in (0, 1)
        for variant, by in (("A", 0.0), ("B", 3.0 if seed else -1.0))
    ]
    (row,) = compare(pd.DataFrame(rows), []).to_dict("records")
    assert row["p"] < 1e-6
    assert not row["apart"]


def test_holm_multiplies_the_least_by_the_number_of_tests_and_never_falls():
    p = np.array([0.04, np.nan, 0.001, 0.02])
    adjusted = holm(p)
    assert adjusted[[2, 3, 0]] == pytest.approx([0.003, 0.04, 0.04])
    assert np.isnan(adjusted[1])
    assert holm(np.full(4, 0.9)) == pytest.approx(np.ones(4))


def test_a_chip_alone_tells_nothing_apart_and_only_shared_chips_count():
    table = compare(finished({"A": [1.0], "B": [50.0, 60.0]}), [])
    assert table.loc[0, ["chips", "apart"]].tolist() == [1, False]
    assert np.isnan(table.loc[0, "p"])


def test_points_are_compared_apart_and_a_rule_without_the_axis_takes_part_at_each():
    one = finished({"A": [1.0, 2.1], "B": [3.0, 4.0]}, {"rule.probe": 0.1})
    two = finished({"A": [5.0, 6.1], "B": [3.0, 4.0]}, {"rule.probe": 0.2})
    frame = pd.concat([one, two[two["variant"] == "A"], one[one["variant"] == "B"].assign(**{"rule.probe": np.nan})])
    frame = frame[~((frame["variant"] == "B") & frame["rule.probe"].notna())]
    table = compare(frame, ["rule.probe"])
    assert table[["rule.probe", "better"]].to_numpy().tolist() == [[0.1, "A"], [0.2, "B"]]


def test_a_sentence_names_the_best_that_can_be_built_and_what_is_not_told_apart_from_it():
    generator = np.random.default_rng(2)
    chips = generator.normal(10, 2, 6)
    errors = {"A": chips, "B": chips + generator.normal(0.05, 0.3, 6), "C": chips + 5 + generator.normal(0, 0.1, 6)}
    last = finished(errors | {"D (oracle, bound)": chips - 3}, {"device.bits": 4.0})
    (sentence,) = sentences(compare(last, ["device.bits"]), last, ["device.bits"])
    assert sentence.startswith("At bits = 4: A has the least error")
    assert "not told apart from B (+" in sentence
    assert "C (" not in sentence
    assert "bound" not in sentence


def test_the_table_shows_each_pair_once():
    out = io.StringIO()
    table = compare(finished({"A": [1.0, 2.0], "B": [2.0, 3.5], "[C]": [9.0, 9.5]}), [])
    print_pairs(table, [], Console(file=out, width=120))
    assert out.getvalue().count("[C]") == 2
    assert len(table) == 3
