"""State that classes declare."""

from typing import ClassVar

import pytest
import torch

from analogff.support.state import restore, state_of


class Part:
    state_names = ("tensor", "later")

    def __init__(self, value=0.0):
        self.tensor, self.later = torch.full((2,), value), None


class Whole:
    state_names: ClassVar = ("parts", "generator", "words")

    def __init__(self, value=0.0):
        self.parts, self.generator = [Part(value), Part(value + 1)], torch.Generator().manual_seed(int(value))
        self.words, self.undeclared = {}, value


class Special(Whole):
    """Adds a number, and does something after a restore."""

    state_names = ("number",)

    def __init__(self, value=0.0):
        super().__init__(value)
        self.number, self.restored = value, False

    def load_state_dict(self, state):
        restore(self, state)
        self.restored = True


def through_a_file(state, path):
    torch.save(state, path)
    return torch.load(path, weights_only=True)


def test_what_a_class_and_its_bases_declare_is_restored_in_place_and_nothing_else(tmp_path):
    one, other = Special(5.0), Special()
    one.parts[1].later, one.words["seen"] = torch.ones(3), torch.arange(2)
    places, parts, words = [part.tensor for part in other.parts], other.parts, other.words
    restore(other, through_a_file(state_of(one), tmp_path / "state.pt"))
    assert [part.tensor.tolist() for part in other.parts] == [[5, 5], [6, 6]]
    assert all(part.tensor is place for part, place in zip(other.parts, places, strict=True))
    assert other.parts is parts and other.words is words
    assert torch.equal(other.parts[1].later, torch.ones(3)) and other.parts[0].later is None
    assert torch.equal(other.words["seen"], torch.arange(2)) and (other.number, other.undeclared) == (5.0, 0.0)
    assert torch.equal(torch.rand(3, generator=one.generator), torch.rand(3, generator=other.generator))


def test_what_is_restored_shares_no_memory_with_the_saved():
    one, other = Part(), Part()
    one.later = torch.ones(3)
    restore(other, state_of(one))
    one.later += 1
    one.tensor += 1
    assert other.later.tolist() == [1, 1, 1] and other.tensor.tolist() == [0, 0]


def test_what_was_there_and_is_not_in_the_state_goes():
    one, other = Whole(), Whole()
    other.words["old"], other.parts[0].later = 1, torch.ones(2)
    restore(other, state_of(one))
    assert other.words == {} and other.parts[0].later is None


def test_a_part_restores_itself_where_it_says_how():
    class Holder:
        state_names = ("part",)

        def __init__(self, value):
            self.part = Special(value)

    other = Holder(0.0)
    restore(other, state_of(Holder(5.0)))
    assert other.part.restored and other.part.number == 5.0


def test_an_object_without_a_declaration_is_refused():
    class Forgotten:
        pass

    with pytest.raises(TypeError, match="Expected Forgotten to declare its state. Got no state_names. Write"):
        state_of(Forgotten())
