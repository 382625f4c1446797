"""What no study can be is refused before the costly step that it would take: sizes, depths, dates, endless files."""

import tracemalloc

import pytest

from analogff.cli import main
from analogff.study.read.document import MAX_BYTES, MAX_DEPTH
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError
from tests.study.conftest import DEVICE, HEAD, RULE

DIGITS = "9" * 5000
REFUSED = {
    # name: (parts of the file, what is said)
    "a thousand million chips": (
        {"head": HEAD.replace("chips = 2", "chips = 1_000_000_000")},
        "chips: Expected a whole number of at most 100,000. Got 1000000000. Write a smaller one.",
    ),
    "5,000 digits": (
        {"head": HEAD.replace("epochs = 1", f"epochs = {DIGITS}")},
        "study.toml: Expected numbers that can be read. Got one of thousands of digits (at line 5). Mend that line.",
    ),
    "4,000 digits": ({"head": HEAD.replace("epochs = 1", f"epochs = 1{'0' * 4000}")}, "epochs: Expected a whole number of at most 9,007,199,254,740,992. Got 1000"),
    "arrays thousands deep": ({"more": f"x = {'[' * 5000}{']' * 5000}\n"}, f"at most {MAX_DEPTH} tables and lists within each other. Got far more (at line 9)."),
    "arrays a hundred deep": ({"more": f"x = {'[' * 100}{']' * 100}\n"}, f"x.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0: Expected at most {MAX_DEPTH} tables and lists"),
    "dotted keys thousands deep": ({"more": f"{'a.' * 5000}b = 1\n"}, f"at most {MAX_DEPTH} tables and lists within each other. Got far more (at line 9)."),
    "dotted keys in a table": ({"rule": RULE + f"x = {{{'a.' * 5000}b = 1}}\n"}, "Got far more (at line 15)."),
    "tables a hundred deep": ({"sweep": f"[{'sweep.' * 100}b]\nx = [1]\n"}, f"Expected at most {MAX_DEPTH} tables and lists"),
    "a digit that is none": ({"sweep": '[sweep]\n"layers.²" = [3]\n'}, 'sweep.layers.²: Expected an index from 0 to 0 after layers. Got "\\u00b2".'),
    "a rule that is true": ({"sweep": '[sweep]\n"rule.name" = [true]\n'}, "sweep.rule.name: Expected a name (asge,"),
    "a rule that is a list": ({"rule": '[[rule]]\nname = ["backprop"]\n'}, 'rule.0.name: Expected a name (asge,'),
    "a data set of 300 characters": ({"head": HEAD.replace("digits", "d" * 300)}, "dataset: Expected the name of a data set, a folder or a file. Got"),
    "a device of 300 characters": ({"device": f'[device]\nmodel = "{"d" * 300}.py:Chip"\n'}, "device.model: Expected a file of Python. Got"),
    "a file of 300 characters": ({"device": f'[device]\nmodel = "measured"\nfile = "{"d" * 300}.csv"\n'}, "device.file: Expected a file. Got"),
    "a batch that no table holds": ({"rule": RULE + "batch = 9223372036854775807\n"}, "rule.0.batch: Expected a whole number of at most 9,007,199,254,740,992."),
    "a layer of 10^12": ({"head": HEAD.replace("[8]", "[1_000_000_000_000]")}, "layers.0: Expected a whole number of at most 1,000,000."),
    "a date": ({"head": HEAD.replace('"tiny"', "1979-05-27")}, "name: Expected a text, a number, a list or a table. Got the date or time 1979-05-27. Put it in quotes"),
    "a null character": ({"head": HEAD.replace('"digits"', r'"a\u0000b"')}, "dataset: Expected a text without null characters."),
    "a text of a page": ({"rule": RULE + f'label = "{"a" * 2000}"\n'}, 'rule.0.label: Expected at most 1,000 characters. Got 2,000 that start with "aaaa'),
    "a name of no letters": ({"more": '"" = 1\n'}, '"": Expected a field of a study'),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda name: name.replace(" ", "-"))
def test_is_refused_before_it_costs_anything(case, write_study, tmp_path, capsys):
    parts, said = REFUSED[case]
    study = write_study(**parts)
    with pytest.raises(SystemExit) as stop:
        main(["run", str(study), "--out", str(tmp_path / "out"), "--workers", "0"])
    heard = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in heard and "1 mistake, so nothing was run." in heard, heard
    assert not (tmp_path / "out").exists()


def test_chips_are_counted_before_they_are_listed(write_study):
    tracemalloc.start()
    with pytest.raises(StudyError, match="chips: .* at most 100,000"):
        read_study(write_study(), ["chips=1_000_000_000"])
    assert tracemalloc.get_traced_memory()[1] < 50e6  # a list of them takes 8 GB
    tracemalloc.stop()


def test_a_file_without_an_end_is_refused(tmp_path):
    endless = tmp_path / "study.toml"
    endless.symlink_to("/dev/zero")
    with pytest.raises(StudyError, match=f"at most {MAX_BYTES // 2**20} MB of TOML. Got more"):
        read_study(endless)


@pytest.mark.slow
def test_a_hundred_thousand_values_are_compared_in_one_pass(write_study, tmp_path):
    """Each against each would take hours."""
    values = ", ".join(map(str, range(100_000)))
    study = write_study(device=DEVICE, sweep=f'[sweep]\n"device.adc_bits" = [{values}]\n')
    with pytest.raises(StudyError, match=r"sweep: Expected at most 100,000 runs. Got 200,000"):
        read_study(study)
