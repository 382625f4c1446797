"""Tables for papers hold the numbers of the summary, and are valid in their language."""

import io
import re

import numpy as np
import pandas as pd
import pytest

from analogff.cli import main
from analogff.study.results.paper_table import paper_table

SUMMARY = pd.DataFrame(
    {
        "rule": ["FF", "FF", "backprop", "backprop"],
        "device.read_noise": [0.0, 0.1] * 2,
        "mean": [7.125, 8.0, 5.0, 6.0],
        "low": [6.5, 7.5, 4.5, np.nan],
        "high": [7.75, 8.5, 5.5, np.nan],
        "chips": [4, 4, 4, 1],
        "reads": [1000.0] * 4,
        "pulses": [2e6] * 4,
        "device_seconds": [0.5] * 4,
        "device_joules": [1e-6] * 4,
    }
)


def test_rules_are_rows_and_swept_values_columns():
    table = pd.read_csv(io.StringIO(paper_table(SUMMARY, "csv")))
    assert list(table.columns) == ["rule", "read noise = 0", "read noise = 0.1"]
    assert list(table["read noise = 0"]) == ["7.12 [6.50, 7.75]", "5.00 [4.50, 5.50]"]
    assert table["read noise = 0.1"].iloc[1] == "6.00"  # one chip has no interval


def test_latex_is_a_booktabs_table_that_says_what_its_numbers_are():
    lines = paper_table(SUMMARY.drop(columns="device.read_noise").head(1), "latex").splitlines()
    assert lines[0].startswith("% Test error in percent: mean of n = 4 chips [95 % interval") and "booktabs" in lines[0]
    assert lines[1] == r"\begin{tabular}{lr}" and lines[2] == r"\toprule" and lines[-1] == r"\end{tabular}"
    assert lines[3] == r"rule & test error / \% \\" and lines[5] == r"FF & 7.12 [6.50, 7.75] \\"


def test_latex_escapes_what_has_a_meaning_there():
    row = SUMMARY.drop(columns="device.read_noise").head(1).assign(rule="a_b & {c}~100 %^\\d")
    text = paper_table(row, "latex").splitlines()[5]
    assert text.startswith(r"a\_b \& \{c\}\textasciitilde{}100 \%\textasciicircum{}\textbackslash{}d &")


def test_markdown_has_as_many_cells_in_every_row():
    *lines, empty, caption = paper_table(SUMMARY, "markdown", costs=True).splitlines()
    assert {line.count("|") for line in lines} == {8} and len(lines) == 6
    assert "2e+06" in lines[2] and "test error / %" in lines[0]
    assert not empty and caption.startswith("Test error in percent: mean of n = 1 to 4 chips")


def test_all_swept_values_are_written_alike():
    cells = SUMMARY.assign(**{"device.spread": [0.0, 0.0, 1.0, 1.0]})
    cells = cells[["rule", "device.spread", *SUMMARY.columns[1:]]]
    text = paper_table(cells.assign(rule="FF"), "markdown")
    assert "| FF | 0 |" in text and "read noise = 0 |" in text


@pytest.mark.parametrize("form", ["latex", "markdown", "csv"])
@pytest.mark.parametrize("costs", [False, True])
def test_a_row_without_a_swept_path_stands_under_any_value(form, costs):
    """As controls of a study that sweeps a device, along one path and along two."""
    control = SUMMARY.tail(1).assign(**{"rule": "backprop (control: linear digital)", "device.read_noise": np.nan})
    one = pd.concat([SUMMARY, control], ignore_index=True)
    two = one.assign(**{"device.spread": one["device.read_noise"] * 2})[["rule", "device.spread", *one.columns[1:]]]
    for cells in (one, two):
        text = paper_table(cells, form, costs=costs)
        assert "nan" not in text
        rows = [list(map(str.strip, re.split(r"[,&|]", line))) for line in text.replace("\\\\", "").splitlines()]
        heading = next(row for row in rows if "rule" in row)
        last = next(row for row in rows if "backprop (control: linear digital)" in row)
        if costs:
            assert last[heading.index("read noise")] == "any" and "6.00" in last
        else:
            assert last[heading.index("any read noise")] == "6.00"
            assert all(name in heading for name in ("read noise = 0", "read noise = 0.1"))
        if cells is two:
            assert last[heading.index("spread")] == "any"


def test_the_command_says_what_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["table", str(tmp_path)])
    assert stop.value.code == 2 and "Expected" in capsys.readouterr().err
