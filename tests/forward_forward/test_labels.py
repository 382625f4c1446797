import pytest
import torch

from analogff.forward_forward.labels import Labels, drawn_labels, overlay, overlay_neutral


def test_a_label_is_one_hot_in_the_first_pixels_and_the_rest_is_the_image():
    images, labels = torch.rand(6, 20), torch.tensor([0, 3, 9, 1, 1, 7])
    marked = overlay(images, labels, 10)
    assert torch.equal(marked[:, :10], torch.nn.functional.one_hot(labels, 10).float())
    assert torch.equal(marked[:, 10:], images[:, 10:])


def test_every_chip_may_have_labels_of_its_own():
    images, labels = torch.rand(6, 20), torch.randint(0, 10, (3, 6))
    marked = overlay(images, labels, 10)
    for chip in range(3):
        assert torch.equal(marked[chip], overlay(images, labels[chip], 10))


def test_the_neutral_label_is_a_tenth_everywhere():
    images = torch.rand(6, 20)
    before = images.clone()
    marked = overlay_neutral(images, 10)
    assert (marked[:, :10] == 0.1).all() and torch.equal(images, before)


def test_labels_on_lines_of_their_own_cost_no_pixel():
    images, labels = torch.rand(6, 20), torch.randint(0, 10, (6,))
    for place in ("lines", "rows"):
        how = Labels(place, 10, strength=2.5)
        room = how.make_room(images)
        for written in (how.write_one(room, labels), how.write(room, labels[None]).whole()[0]):
            assert torch.equal(written[:, 10:], images)
            assert torch.equal(written[:, :10], 2.5 * torch.nn.functional.one_hot(labels, 10))
        assert torch.equal(how.write_neutral(room)[:, :10], torch.full((6, 10), 0.25))


@pytest.mark.parametrize(
    ("place", "shapes"),
    [
        ("overlay", [(20, 16), (16, 12), (12, 10)]),
        ("lines", [(30, 16), (16, 12), (12, 10)]),
        ("rows", [(30, 16), (26, 12), (12, 10)]),
    ],
)
def test_layers_are_as_large_as_the_labels_need(place, shapes):
    assert Labels(place, 10).layer_shapes(20, (16, 12)) == shapes


def test_only_rows_are_heard_in_later_layers_variant_by_variant():
    images, labels = torch.rand(6, 20), torch.randint(0, 10, (3, 2, 6))
    rows = Labels("rows", 10, strength=0.5)
    heard = rows.rows(rows.write(rows.make_room(images), labels))
    assert torch.equal(heard, 0.5 * torch.nn.functional.one_hot(labels.flatten(1), 10))
    assert torch.equal(rows.rows(rows.write_neutral(rows.make_room(images))), torch.full((1, 6, 10), 0.05))
    for place in ("overlay", "lines"):
        how = Labels(place, 10)
        assert how.rows(how.write(how.make_room(images), labels)) is None


def test_labels_are_drawn_as_often_as_they_are_believed():
    beliefs, n = torch.tensor([0.0, 0.7, 0.1, 0.2, 0.0]), 10_000
    drawn = drawn_labels(beliefs.expand(n, -1), torch.Generator().manual_seed(3))
    share = torch.bincount(drawn, minlength=5) / n
    assert ((share - beliefs).abs() <= 4 * (beliefs * (1 - beliefs) / n).sqrt() + 1e-4).all()
    assert (drawn != 0).all() and (drawn != 4).all()


def test_labels_that_are_numbers_draw_nothing():
    generator, labels = torch.Generator().manual_seed(3), torch.arange(4)
    before = generator.get_state()
    assert drawn_labels(labels, generator) is labels and torch.equal(generator.get_state(), before)
