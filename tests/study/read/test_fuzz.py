"""Whatever a study file holds, it is run, or refused in a sentence that names the culprit."""

import pytest
from hypothesis import HealthCheck, given, settings

from analogff.study.run import engine as study_run
from tests.helpers.fuzz import BASES, file_of, garbled, mutated, rehearse, verdict

FAST = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
SLOW = settings(FAST, max_examples=5_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_run, "run_study", rehearse)
        there = tmp_path_factory.mktemp("fuzz")
        for base in BASES:  # what is compiled once is not the time of a study
            verdict(file_of(base), set(), there)
        yield there


@pytest.mark.slow
@FAST
@given(mutated())
def test_a_study_with_other_values_is_run_or_refused_in_a_sentence(folder, study):
    assert not (wrong := verdict(*study, folder)), wrong


@pytest.mark.slow
@FAST
@given(garbled())
def test_a_study_with_other_characters_is_run_or_refused_in_a_sentence(folder, study):
    assert not (wrong := verdict(*study, folder)), wrong


@pytest.mark.slow
@SLOW
@given(mutated())
def test_many_studies_with_other_values(folder, study):
    assert not (wrong := verdict(*study, folder)), wrong


@pytest.mark.slow
@SLOW
@given(garbled())
def test_many_studies_with_other_characters(folder, study):
    assert not (wrong := verdict(*study, folder)), wrong
