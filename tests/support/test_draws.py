import torch

from analogff.support.draws import Tape, integers, uniform

CPU = torch.device("cpu")


def step(generator):
    """Draw as a rule does in a step."""
    return uniform((5,), generator, CPU), integers(1, 10, (3,), generator, CPU)


def test_draws_are_those_of_the_generator():
    generator, same = (torch.Generator().manual_seed(1) for _ in range(2))
    numbers, labels = step(generator)
    assert torch.equal(numbers, torch.rand(5, generator=same))
    assert torch.equal(labels, torch.randint(1, 10, (3,), generator=same))


def test_what_is_recorded_goes_on_where_the_rehearsal_ended_and_shows_new_numbers_in_the_same_places():
    expected = torch.Generator().manual_seed(1)
    wanted = [step(expected) for _ in range(3)]
    generator, tape = torch.Generator().manual_seed(1), Tape()
    with tape.rehearsing():
        rehearsed = step(generator)
    with tape.recording():
        places = step(generator)  # draws nothing: nothing is done while a graph is recorded
    seen = [rehearsed]
    for _ in range(2):
        tape.refill()
        seen.append(tuple(place.clone() for place in places))
    for drawn, told in zip(seen, wanted, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(drawn, told, strict=True))
