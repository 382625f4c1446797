"""Tables in CSV files: what is written is what is learned from, and a bad cell is named by row and column."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine

from analogff.data import DataError, fingerprint, load_dataset

ROWS = "1,2,no\n3,4.5,yes\n5,-6,no\n7,8,yes\n"


def write(folder, train, test=None):
    (folder / "train.csv").write_text(train)
    (folder / "test.csv").write_text(train if test is None else test)
    return str(folder)


@pytest.mark.parametrize(
    ("text", "label_column"),
    [
        (ROWS, None),
        ("a,b,kind\n" + ROWS, None),
        ("\ufeffa,b,kind\r\n" + ROWS.replace("\n", "\r\n"), "kind"),
        ("kind;a;b\nno;1;2\nyes;3;4.5\nno;5;-6\nyes;7;8\n\n", "kind"),
        ("a\tkind\tb\n1\tno\t2\n3\tyes \t4.5\n5\tno\t-6\n7\tyes\t8", "kind"),
    ],
)
def test_labels_and_columns_are_those_of_the_file(tmp_path, text, label_column):
    data = load_dataset(write(tmp_path, text), scale="columns", label_column=label_column)
    assert data.label_names == ("no", "yes") and data.train.labels.tolist() == [0, 1, 0, 1]
    first = torch.tensor([-1.0, -1 / 3, 1 / 3, 1])
    second = torch.tensor([1 / 7, 0.5, -1, 1]).mul(1)
    middle, half = (8 - 6) / 2, (8 + 6) / 2
    second = (torch.tensor([2, 4.5, -6, 8]) - middle) / half
    columns = torch.stack([first, second], 1)
    expected = torch.cat([columns.clamp_min(0), (-columns).clamp_min(0)], 1)
    assert torch.allclose(data.train.images, expected)
    assert data.image is None and torch.equal(data.train.images, data.test.images)


def test_whole_numbers_are_labels_in_order_of_size(tmp_path):
    data = load_dataset(write(tmp_path, "0,10\n1,9\n0,10\n1,9\n"))
    assert data.label_names == ("9", "10") and data.train.labels.tolist() == [1, 0, 1, 0]
    assert data.train.images.flatten().tolist() == [0, 1, 0, 1]


def test_words_for_nothing_are_labels_too(tmp_path):
    data = load_dataset(write(tmp_path, "0,NA\n1,None\n0,NA\n1,None\n"))
    assert data.label_names == ("NA", "None")


def test_of_one_file_a_fixed_fifth_of_each_class_is_the_test_set(tmp_path):
    table, kinds = load_wine(return_X_y=True)
    lines = [",".join(map(repr, map(float, row))) + f",{kind}" for row, kind in zip(table, kinds, strict=True)]
    (tmp_path / "wine.csv").write_text("\n".join(lines))
    data = load_dataset("wine.csv", folder=tmp_path, scale="columns")
    assert torch.allclose(data.test.labels.bincount(), torch.tensor(np.bincount(kinds)) // 5, atol=1)
    assert len(data.train) + len(data.test) == len(table)
    again = load_dataset("wine.csv", folder=tmp_path, scale="columns")
    assert torch.equal(data.test.images, again.test.images)


def test_an_edited_table_is_another_one(tmp_path):
    name = write(tmp_path, ROWS)
    before, labels = fingerprint(name), load_dataset(name, scale="columns").train.labels
    write(tmp_path, ROWS.replace("3,4.5,yes", "3,4.5,no"))
    assert fingerprint(name) != before
    assert not torch.equal(load_dataset(name, scale="columns").train.labels, labels)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            ROWS.replace("4.5", "x"),
            r"a finite number in row 2, column 2 of .*train.csv. Got 'x'. Mend or remove that row",
        ),
        ("a,b,c\n" + ROWS.replace("4.5", ""), r"row 3, column 2 \('b'\) of .* Got an empty cell"),
        (ROWS.replace("4.5", "inf"), "row 2, column 2 of .* Got 'inf'"),
        (ROWS.replace("4.5", "NA"), "row 2, column 2 of .* Got 'NA'"),
        (ROWS.replace("yes", "", 1), "a label in row 2, column 3 of .* Got an empty cell"),
        (ROWS.replace("4.5,", ""), "row 2"),
        (ROWS.replace("4.5", "4,5"), "rows of one length. Got 4 cells in row 2, after rows of 3. Mend that row"),
        (ROWS.replace("3,", "\n3,"), "row 2, column 1 of .* Got an empty cell"),
        ("", "with rows. Got an empty file"),
        ("a\nb\n", "columns of numbers, one of labels, and rows"),
        ("a,b,c\n", "Got 3 columns and 0 rows"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        load_dataset(write(tmp_path, text), scale="columns")


@pytest.mark.parametrize(
    ("header", "name", "said"),
    [
        ("", "kind", "Expected one column 'kind' in .* Got no header"),
        ("a,b,c\n", "kind", r"Got columns \['a', 'b', 'c'\]. Write the name"),
        ("kind,kind,c\n", "kind", "Expected one column 'kind'"),
    ],
)
def test_a_column_of_labels_that_is_not_there_is_refused(tmp_path, header, name, said):
    with pytest.raises(DataError, match=said) as raised:
        load_dataset(write(tmp_path, header + ROWS), scale="columns", label_column=name)
    assert raised.value.field == "label_column"


@pytest.mark.parametrize("test", ["b,a,kind\n" + ROWS, "a,kind\n1,no\n", ROWS])
def test_both_files_need_the_same_columns(tmp_path, test):
    with pytest.raises(DataError, match="test.csv with the columns of train.csv"):
        load_dataset(write(tmp_path, "a,b,kind\n" + ROWS, test), scale="columns")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe1,2\n")
    with pytest.raises(DataError, match="Got bytes that are not UTF-8. Save it as UTF-8"):
        load_dataset("a.csv", folder=tmp_path)


def test_one_row_of_a_label_cannot_be_divided(tmp_path):
    (tmp_path / "a.csv").write_text(ROWS + "9,9,maybe\n")
    with pytest.raises(DataError, match="two rows of each label in .*a.csv. Got 'maybe' in one"):
        load_dataset("a.csv", folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("train.csv", {"gray": True}, "Expected images beside gray. Got train.csv, a CSV table. Leave gray out"),
        ("train.csv", {"image_size": (4, 4)}, "Expected images beside image_size"),
        (
            "digits",
            {"label_column": "a"},
            "Expected a CSV table beside label_column. Got digits, which is no CSV table",
        ),
        ("train.txt", {}, "Expected a CSV table .* or an archive"),
    ],
)
def test_a_field_without_use_is_refused(tmp_path, name, options, said):
    write(tmp_path, ROWS)
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(DataError, match=said):
        load_dataset(name, folder=tmp_path, **options)
