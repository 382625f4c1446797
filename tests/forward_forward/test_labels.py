import torch

from analogff.forward_forward.labels import overlay, overlay_neutral


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
