import torch

from analogff.normalise import length_normalise, normalise_backward, root_mean_square


def test_normalised_vectors_have_mean_square_one_and_their_direction():
    y = torch.randn(3, 5, 40) * 7
    z = length_normalise(y)
    torch.testing.assert_close(z.square().mean(-1), torch.ones(3, 5))
    torch.testing.assert_close(torch.cosine_similarity(y, z, -1), torch.ones(3, 5))


def test_silence_stays_silent():
    assert torch.equal(length_normalise(torch.zeros(2, 4)), torch.zeros(2, 4))


def test_backward_equals_autograd():
    y = torch.randn(3, 5, 40, dtype=torch.float64, requires_grad=True)
    error = torch.randn(3, 5, 40, dtype=torch.float64)
    (expected,) = torch.autograd.grad(length_normalise(y), y, error)
    ours = normalise_backward(error, length_normalise(y), root_mean_square(y)).detach()
    torch.testing.assert_close(ours, expected)


def test_a_hebbian_update_leaves_the_normalised_output_of_a_rectifier_unchanged():
    """Hinton (2022), section 2: so all layers can learn at once."""
    w, x = torch.randn(30, 20, dtype=torch.float64), torch.randn(20, dtype=torch.float64)
    y = torch.relu(w @ x)
    after = torch.relu((w + 0.1 * torch.outer(y, x)) @ x)
    torch.testing.assert_close(length_normalise(after), length_normalise(y))
