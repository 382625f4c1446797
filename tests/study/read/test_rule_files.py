"""Rules of one's own that fail while a study is read: a sentence, whatever they raise, and never a silent end."""

import pytest

from analogff.study.read.doubts import doubts
from analogff.study.read.spec import read_study
from analogff.support.mistakes import StudyError

RULES = """
import os, sys
from analogff.device import Observable
from analogff.timing import LocalUpdates
from analogff.rules import Rule, RuleOptions
from pydantic import field_validator

class Plain(Rule):
    name = "plain"
    needs = classmethod(lambda cls, options: Observable.ACTIVITY)
    schedule = classmethod(lambda cls, options: LocalUpdates())

    def step(self, images, labels):
        return images.new_zeros(self.network.chips)

class Strict(RuleOptions):
    k: int = 1

    @field_validator("k", mode="before")
    @classmethod
    def _leave(cls, value):
        sys.exit(0)

class ExitsInNeeds(Plain):
    needs = classmethod(lambda cls, options: os._exit(0))

class ExitsInOptions(Plain):
    Options = Strict

class ExitsInCheckData(Plain):
    check_data = classmethod(lambda cls, *_: sys.exit(0))

class ExitsInWiring(Plain):
    layer_shapes = classmethod(lambda cls, *_: os._exit(0))

class FailsInWiring(Plain):
    layer_shapes = classmethod(lambda cls, *_: {}["layers"])

class WiresNumbers(Plain):
    layer_shapes = classmethod(lambda cls, *_: [3, 4])

class Refuses(Plain):
    layer_shapes = classmethod(lambda cls, *_: (_ for _ in ()).throw(ValueError("too narrow")))

class NoOptions(Plain):
    Options = dict

class ExitsInStep(Plain):
    def step(self, images, labels):
        sys.exit(0)
"""
WIRED = "rule: Expected rules.py:{} to say how layers are wired. Got "
DECLARED = "rule.0: Expected rules.py:{} to say what it needs and its schedule. Got "


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("ExitsInNeeds", DECLARED + "SystemExit: os._exit(0)"),
        ("ExitsInOptions", DECLARED + "SystemExit: 0 (rules.py, line "),
        ("ExitsInCheckData", WIRED + "SystemExit: 0 (rules.py, line "),
        ("ExitsInWiring", WIRED + "SystemExit: os._exit(0)"),
        ("FailsInWiring", WIRED + "KeyError: 'layers' (rules.py, line "),
        ("WiresNumbers", WIRED + "TypeError: "),
        ("Refuses", WIRED + "ValueError: too narrow (rules.py, line "),
        ("NoOptions", "rule.0.name: Expected Options of rules.py:{} to be a class derived from "),
    ],
)
def test_what_it_raises_is_told_with_its_place(rule, said, write_study):
    options = "k = 2\n" if rule == "ExitsInOptions" else ""
    path = write_study(rule=f'[[rule]]\nname = "rules.py:{rule}"\n{options}', files={"rules.py": RULES})
    with pytest.raises(StudyError) as refused:
        read_study(path)
    assert str(refused.value).startswith(said.format(rule))


def test_one_that_ends_the_process_in_a_step_is_left_to_its_tasks(write_study):
    study = read_study(write_study(rule='[[rule]]\nname = "rules.py:ExitsInStep"\n', files={"rules.py": RULES}))
    assert list(doubts(study.cases, study.folder)) == []
