import torch

from analogff.forward_forward.sequences import SYMBOLS, draw, lines_of, push, roll_out, spell, strings_of, windows_of


def test_thirty_symbols_spell_every_text():
    assert len(set(SYMBOLS)) == 30
    assert spell('  "Oh!" said Fox-cub:\n1 Crow\'s é; why?') == "oh. said fox cub; crows ; why."


def test_strings_are_the_text_cut_without_its_rest():
    strings = strings_of("The quick brown fox, jumps; over.", length=8)
    assert "".join(SYMBOLS[c] for c in strings.flatten()) == "the quick brown fox, jumps; over"
    assert strings.shape == (4, 8)


def test_windows_are_every_slice_with_a_character_after_it():
    strings = torch.arange(24).view(2, 12)
    windows, following = windows_of(strings, size=10)
    assert windows.tolist() == [[*range(10)], [*range(1, 11)], [*range(12, 22)], [*range(13, 23)]]
    assert following.tolist() == [10, 11, 22, 23]


def test_windows_of_the_paper_are_22320():
    windows, following = windows_of(torch.zeros(248, 100, dtype=torch.int64))
    assert windows.shape == (22320, 10) and following.shape == (22320,)


def test_lines_are_one_hot_with_the_newest_character_first():
    lines = lines_of(torch.tensor([[2, 0, 1]]), symbols=3)
    assert lines.tolist() == [[0, 1, 0, 1, 0, 0, 0, 0, 1]]


def test_pushing_the_following_character_is_the_next_window():
    strings = torch.randint(0, 30, (1, 12), generator=torch.Generator().manual_seed(0))
    windows, following = windows_of(strings)
    assert torch.equal(push(lines_of(windows[:1]), following[:1], 30), lines_of(windows[1:]))
    for_chips = push(lines_of(windows), torch.stack([following, following]), 30)
    assert torch.equal(for_chips[1, 0], lines_of(windows[1]))


def test_a_rolled_out_rule_of_writing_writes_its_own_text():
    """A network that says the sum of its last two characters, mod 5, writes the Fibonacci numbers of each beginning."""
    beginnings = torch.tensor([[0, 0, 1], [0, 2, 3]])

    def following(lines):
        codes = lines.view(*lines.shape[:-1], 3, 5).argmax(-1)  # newest first
        return ((codes[..., 0] + codes[..., 1]) % 5).expand(2, -1)

    written = roll_out(following, lines_of(beginnings, 5), 3, 5)
    expected = [[0, 1, 1], [2, 3, 0], [1, 1, 2], [3, 0, 3], [1, 2, 3], [0, 3, 3]]
    assert torch.equal(written, lines_of(torch.tensor([expected, expected]), 5))


def test_characters_are_drawn_as_often_as_they_are_believed():
    belief = torch.tensor([0.6, 0.3, 0.1, 0.0])
    n = 20_000
    drawn = draw(belief.log().expand(1, n, 4), torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn.flatten(), minlength=4) / n
    assert ((shares - belief).abs() <= 4 * (belief * (1 - belief) / n).sqrt()).all()


def test_a_chips_characters_do_not_depend_on_its_neighbors():
    logits = torch.randn(3, 50, 30, generator=torch.Generator().manual_seed(1))
    together, alone = (draw(z, torch.Generator().manual_seed(2)) for z in (logits, logits[2:]))
    assert torch.equal(together[2:], alone)
