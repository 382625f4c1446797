"""The classifier for scikit-learn users."""

import copy
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from analogff import FFClassifier, __version__
from analogff.data import Range
from tests.helpers.fakes import Leaky

ROOT = Path(__file__).parents[2]
IRIS = load_iris(return_X_y=True)


def quick(*device, **changes):
    return FFClassifier(*device, **({"layers": (12,), "epochs": 2, "random_state": 0} | changes))


@pytest.mark.slow
@parametrize_with_checks([FFClassifier(layers=(16,), epochs=8, batch=16)])
def test_scikit_learn_takes_it_for_one_of_its_own(estimator, check):
    check(estimator)


def test_each_column_drives_a_line_above_its_middle_and_one_below():
    table = np.array([[0.0, 7.0, -2.0], [10.0, 7.0, 2.0], [5.0, 7.0, 0.0]])
    lines = Range.of(table).lines(np.array([[7.5, 7.0, -1.0], [99.0, 8.0, -99.0]]))
    assert lines.tolist() == [[0.5, 0, 0, 0, 0, 0.5], [1, 0, 0, 0, 0, 1]]


def test_ranges_near_the_greatest_float_do_not_overflow():
    most = np.finfo(np.float64).max
    assert Range.of(np.array([[-most], [most]])).lines(np.array([[most / 2]])).tolist() == [[0.5, 0]]


def goodness_by_hand(classifier, X, label, scales):
    """Sum the scaled goodness of ideal layers in double precision, from the weights, as only a test may see them."""
    x = classifier._range.lines(X).astype(np.float64)
    x = np.hstack([np.tile(3 * np.eye(len(classifier.classes_))[label], (len(x), 1)), x])
    total = 0
    for device, scale in zip(list(classifier._machine.chips.devices)[:-1], scales, strict=True):
        x = x / np.sqrt((x**2).mean(1, keepdims=True))
        x = np.maximum(x @ device.weights[0].double().numpy().T, 0)
        total = total + scale * (x**2).mean(1)
    return total


@pytest.mark.parametrize("scale", [3.0, 12.0, "measured"])
def test_probabilities_are_a_softmax_of_the_scaled_goodness(scale):
    X, y = IRIS
    classifier = quick(layers=(12, 9), rule_options={"scale": scale}).fit(X, y)
    scales = [scale] * 2 if scale != "measured" else [float(c.steepness) for c in classifier._machine.rule.objectives]
    odds = np.exp(np.stack([goodness_by_hand(classifier, X, label, scales) for label in range(3)], axis=1))
    np.testing.assert_allclose(classifier.predict_proba(X), odds / odds.sum(1, keepdims=True), rtol=2e-4)


@pytest.mark.parametrize("prediction", ["goodness", "head", "both"])
def test_it_answers_what_the_rule_answers(prediction):
    X, y = IRIS
    classifier = quick(rule_options={"prediction": prediction}).fit(X, y)
    answers = classifier._machine.rule.predict(classifier._lines(X))[0].numpy()
    assert (classifier.predict(X) == classifier.classes_[answers]).all()


def test_a_noisy_chip_is_read_once_for_an_answer_and_each_time_anew():
    X, y = IRIS
    classifier = quick("unknown", device_parameters={"read_noise": 0.3}).fit(X, y)
    twin = copy.deepcopy(classifier)
    first, second = classifier.predict_proba(X), classifier.predict_proba(X)
    assert (twin.predict(X) == classifier.classes_[first.argmax(1)]).all()
    assert not np.array_equal(first, second)
    assert classifier._machine.chips.ledger.total("reads", "evaluation") == 2 * len(X) * 3
    assert classifier.reads_ == classifier._machine.chips.ledger.total("reads")


@pytest.mark.parametrize("device", ["ideal", "unknown", "reram", "pcm"])
def test_a_pickle_goes_on_where_the_chip_stood(device):
    X, y = IRIS
    classifier = quick(device).fit(X, y)
    classifier.predict(X)
    stored = pickle.dumps(classifier)
    assert np.array_equal(pickle.loads(stored).predict_proba(X), classifier.predict_proba(X))


def test_a_pickle_of_another_version_is_refused_in_words(monkeypatch):
    stored = pickle.dumps(quick().fit(*IRIS))
    monkeypatch.setattr("analogff.classifier.machine.__version__", "9.9.9")
    with pytest.raises(ValueError, match=f"pickled by analogff 9.9.9. Got one of {__version__}"):
        pickle.loads(stored)


def test_the_two_seeds_decide_everything():
    X, y = IRIS

    def answers(**changes):
        return quick(**changes).fit(X, y).predict_proba(X)

    assert np.array_equal(answers(), answers())
    assert not np.array_equal(answers(), answers(random_state=1))
    assert not np.array_equal(answers(), answers(chip=1))


@pytest.mark.parametrize(
    ("device", "slope", "told", "a_sample"),
    [
        (
            "ideal",
            "auto",
            {"probe": 0.6, "max_step": "free"},
            2 * 2 * 3 + 2 + 1,
        ),  # 2 layers, 2 labels, 2 biases and none; neutral pass, head
        ("ideal", "assumed", None, 2 * 2 + 2 + 1),
        (Leaky, "auto", None, 2 * 2 + 2 + 1),  # no bias port
    ],
)
def test_slopes_are_probed_where_there_is_a_port(device, slope, told, a_sample):
    X, y = IRIS
    classifier = quick(device, layers=(12, 9), slope=slope, rule_options=told).fit(X, y)
    assert classifier.reads_ == 2 * len(X) * a_sample


@pytest.mark.slow
def test_accuracy_on_digits():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
    classifier = FFClassifier(layers=(100, 100), epochs=4, random_state=0).fit(X, y)
    assert classifier.score(X_test, y_test) > 0.94


@pytest.mark.slow
def test_a_problem_that_no_plane_solves():
    """One column, the class in the middle: only the length of the inputs and the curve of the neurons can tell."""
    X = np.linspace(-3, 5, 200)[:, None]
    y = np.where(np.abs(X[:, 0] - 1) < 2, "middle", "outside")
    assert FFClassifier(layers=(50, 50), random_state=0).fit(X, y).score(X, y) > 0.9


MISTAKES = [
    ({"device": "unknwon"}, r"Expected a registered device.*Got 'unknwon'. Did you mean unknown\?"),
    ({"device": "missing.py:Chip"}, r"Expected a file of Python. Got .*missing.py"),
    ({"device_parameters": {"nose": 1}}, r"device_parameters.nose: Expected a parameter of Ideal \(neuron\). Got"),
    ({"device_parameters": [1]}, r"device_parameters: Expected a dictionary.* Got \[1\]"),
    ({"rule_options": {"los": "swish"}}, r"Expected an option of forward-forward .*Got \"los\". Did you mean loss\?"),
    (
        {"rule_options": {"learning_rate": 1}},
        r"rule_options.learning_rate: Expected .*Got 1. Write FFClassifier\(learning_rate=...\)",
    ),
    ({"rule_options": {"labels": "overlay"}}, r"labels: Expected \"lines\" or \"rows\". Got \"overlay\".* Remove it"),
    ({"rule_options": {"theta": 2.0}}, r"theta: Expected .*loss = .*without which theta does nothing. Got 2.0"),
    ({"layers": ()}, r"layers: Expected a list with at least 1 item"),
    ({"layers": (10**12,)}, r"layers.0: Expected a number less than or equal to 1000000. Got 1000000000000"),
    ({"batch": 10**30}, r"batch: Expected a number less than or equal to 9007199254740992. Got 1"),
    ({"device_parameters": {3: 4}}, r"device_parameters: Expected names that are texts. Got 3. Put it in quotes"),
    (
        {"device": "local-fields(ideal)", "device_parameters": {"field": 2}},
        r"Expected images \(n, height, width\), which fields are parts of. Got a table",
    ),
    ({"epochs": 2.5}, r"epochs: Expected a whole number. Got 2.5"),
    ({"device": Leaky, "slope": "probed"}, r"Expected a device that shows PROBE.* no bias port. Leave slope at 'auto'"),
]


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=[str(m[0]) for m in MISTAKES])
def test_mistakes_are_told_in_sentences(change, message):
    with pytest.raises(ValueError, match=message):
        quick(**change).fit(*IRIS)


def test_something_that_is_no_device_is_refused():
    with pytest.raises(TypeError, match="Expected device to be a name or a class derived from analogff.Device. Got 3"):
        quick(3).fit(*IRIS)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="Expected samples of at least two classes. Got one class, 'a'"):
        quick().fit([[0.0], [1.0]], ["a", "a"])


def test_labels_of_two_kinds_are_refused():
    with pytest.raises(ValueError, match=r"labels of one kind, .* Got some of each \(int, str\)"):
        quick().fit([[0.0], [1.0]], np.array(["a", 1], dtype=object))


def test_a_diverged_training_is_told():
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate"):
        quick(learning_rate=1e30, epochs=3).fit(*IRIS)


@pytest.mark.slow
def test_it_works_in_a_pipeline_and_in_a_search():
    """The values that a search tries are numpy's numbers, and must serve as well."""
    X, y = IRIS
    pipeline = make_pipeline(QuantileTransformer(n_quantiles=20), quick(layers=(50,), batch=16))
    grid = {"ffclassifier__epochs": np.arange(1, 20, 9), "ffclassifier__device_parameters": [{"neuron": "relu"}]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_params_["ffclassifier__epochs"] > 1
    assert search.score(X, y) > 0.9
    assert clone(search.best_estimator_)[-1].get_params() == search.best_estimator_[-1].get_params()


def test_nothing_heavy_is_imported_before_it_is_needed():
    heavy = "import sys, analogff, analogff.cli; print(*{'torch', 'sklearn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout.split() == []


@pytest.mark.slow
def test_the_page_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guides/scikit-learn.md").read_text(), re.S)
    scope = {}
    for block in blocks:
        exec(block, scope)
    assert blocks and torch.is_tensor(scope["classifier"]._machine.chips.devices[0].weights)
