import torch

from analogff.device import SharedInputs
from analogff.forward_forward.dropout import Dropout, silence


def generator():
    return torch.Generator().manual_seed(0)


def test_lines_are_silent_as_often_as_asked_and_the_others_make_up_for_it():
    dropout, images = Dropout(0.25, 0.5, [500, 400], 10), torch.zeros(200, 500)
    masks = dropout.draw(images, generator())
    for mask, (rate, n) in zip(masks, [(0.25, 500), (0.5, 400)], strict=True):
        heard = silence(torch.ones(1, 200, n), mask)[..., 10:]
        share = (heard == 0).float().mean().item()
        assert abs(share - rate) < 5 * (rate * (1 - rate) / heard.numel()) ** 0.5
        assert set(heard.unique().tolist()) == {0.0, torch.tensor(1 / (1 - rate)).item()}


def test_the_labels_of_the_first_layer_are_heard_always():
    dropout = Dropout(0.9, 0.0, [30], 10)
    (mask,) = dropout.draw(torch.zeros(50, 30), generator())
    assert (silence(torch.ones(2, 50, 30), mask)[..., :10] == 1).all()


def test_variants_and_chips_share_their_masks_marked_or_written_out():
    dropout = Dropout(0.5, 0.0, [30], 4)
    shared, marks = torch.rand(1, 6, 30), torch.rand(3, 2, 6, 4)
    shared[..., :4] = 0
    x = SharedInputs(shared.expand(3, -1, -1), marks)
    (mask,) = dropout.draw(shared[0], generator())
    marked = silence(x, mask)
    assert torch.equal(marked.whole(), silence(x.whole(), mask))
    assert marked.shared.stride(0) == 0  # still one batch in memory
    zeros = (marked.whole()[..., 4:] == 0).view(3, 2, 6, 26)
    assert (zeros == zeros[:1, :1]).all() and zeros.any()


def test_without_a_rate_nothing_is_drawn_or_touched():
    dropout, drawn, x = Dropout(0.0, 0.0, [30, 20], 4), generator(), torch.rand(2, 6, 30)
    before = drawn.get_state()
    masks = dropout.draw(x[0], drawn)
    assert masks == [None, None] and silence(x, masks[0]) is x
    assert torch.equal(drawn.get_state(), before)
