import torch

from analogff.forward_forward.negatives import all_wrong_labels, hard_labels, random_labels


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_random_labels_are_never_true_and_uniform_over_the_rest():
    labels = torch.arange(10).repeat(9000)
    wrong = random_labels(labels, 10, generator())
    assert not (wrong == labels).any()
    counts = torch.bincount((wrong - labels) % 10, minlength=10)[1:].double()
    expected = len(labels) / 9
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert chi_square < 26.1  # 99.9 % of a chi-square with 8 degrees of freedom


def test_hard_labels_are_never_true_even_where_the_head_is_sure():
    labels = torch.arange(10).repeat(2000)
    for sure in (0.0, 5.0, 200.0):
        logits = sure * torch.nn.functional.one_hot(labels, 10).float().expand(3, -1, -1)
        assert not (hard_labels(logits, labels, generator()) == labels).any()


def test_hard_labels_are_never_true_after_divergence():
    labels = torch.arange(10).repeat(200)
    logits = torch.full((2, len(labels), 10), torch.nan)
    assert not (hard_labels(logits, labels, generator()) == labels).any()


def test_hard_labels_follow_the_beliefs_of_the_head():
    n = 40_000
    labels = torch.zeros(n, dtype=torch.int64)
    logits = torch.log(torch.tensor([0.4, 0.3, 0.2, 0.1])).expand(1, n, 4)
    share = torch.bincount(hard_labels(logits, labels, generator())[0], minlength=4) / n
    expected = torch.tensor([0, 0.5, 1 / 3, 1 / 6])
    assert ((share - expected).abs() <= 4 * (expected * (1 - expected) / n).sqrt()).all()


def test_a_chip_draws_the_same_alone_and_in_a_bank():
    labels, logits = torch.randint(0, 10, (33,), generator=generator()), torch.randn(5, 33, 10)
    bank = hard_labels(logits, labels, generator(3))
    for chip in range(5):
        assert torch.equal(hard_labels(logits[chip : chip + 1], labels, generator(3))[0], bank[chip])


def test_all_wrong_labels_are_all_but_the_true_one():
    labels = torch.randint(0, 10, (50,), generator=generator())
    every = torch.cat([labels[None], all_wrong_labels(labels, 10)]).sort(0).values
    assert torch.equal(every, torch.arange(10)[:, None].expand(10, 50))


def test_hard_labels_are_never_true_where_beliefs_are_undefined_infinite_or_mixed():
    labels, wild = torch.arange(10).repeat(300), torch.tensor([torch.inf, -torch.inf, torch.nan, 3e38, -3e38, 0.0])
    for seed in range(5):
        logits = wild[torch.randint(0, 6, (2, len(labels), 10), generator=generator(seed))]
        wrong = hard_labels(logits, labels, generator(seed))
        assert not (wrong == labels).any() and wrong.min() >= 0 and wrong.max() < 10
