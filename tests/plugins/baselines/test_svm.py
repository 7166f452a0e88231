"""Support vector machines: strategies, scores, "unsure", scikit-learn's contract."""

import numpy as np
import pytest
from genrenet_plugins.baselines.svm import STRATEGIES, UNSURE, GenreSVM, walk_dag
from genrenet_plugins.shared import InputError
from sklearn.datasets import make_blobs, make_classification
from sklearn.metrics import log_loss
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.helpers.estimators import stored_and_read

SCIKIT_LEARNS = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.StratifiedKFold",
]
NAMES = np.array(["blues", "jazz", "metal", "pop", "rock"])


def _songs(n=200, labels=4, seed=0):
    X, y = make_classification(
        n, 12, n_informative=6, n_classes=labels, n_clusters_per_class=1, random_state=seed
    )
    return X, NAMES[y]


def _apart(n=100):
    centers = np.random.default_rng(0).normal(0, 20, (5, 6))
    X, y = make_blobs(n, 6, centers=centers, random_state=0)
    return X, NAMES[y]


@parametrize_with_checks(
    [
        GenreSVM(random_state=0),
        GenreSVM(strategy="one-vs-rest", random_state=0),
        GenreSVM(strategy="dag", calibration="none"),
    ]
)
def test_scikit_learns_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
@pytest.mark.parametrize("calibration", ["sigmoid", "none"])
def test_decides_as_scikit_learn_does(kernel, calibration):
    X, y = _songs()
    X, y, Z = X[:150], y[:150], X[150:]
    for strategy, machine in {
        "one-vs-one": SVC(kernel=kernel),
        "one-vs-rest": OneVsRestClassifier(SVC(kernel=kernel)),
    }.items():
        model = GenreSVM(
            kernel=kernel, strategy=strategy, calibration=calibration, random_state=0
        ).fit(X, y)
        other = make_pipeline(StandardScaler(), machine).fit(X, y)
        assert np.array_equal(model.predict(Z), other.predict(Z))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_largest_score_is_the_decision(strategy):
    X, y = _songs()
    model = GenreSVM(strategy=strategy, random_state=0).fit(X[:100], y[:100])
    scores = model.predict_proba(X)
    assert np.array_equal(model.classes_[scores.argmax(axis=1)], model.predict(X))
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert (scores >= 0).all()
    again = GenreSVM(strategy=strategy, random_state=0).fit(X[:100], y[:100])
    assert np.array_equal(again.predict_proba(X), scores)


def test_dag_equals_one_against_one_where_genres_are_far_apart():
    X, y = _apart()
    dag, pairs = (
        GenreSVM(strategy=name, random_state=0).fit(X[::2], y[::2])
        for name in ("dag", "one-vs-one")
    )
    assert np.array_equal(dag.predict(X), pairs.predict(X))
    assert dag.score(X[1::2], y[1::2]) == 1


def test_dag_walks_from_the_outermost_pair():
    # Pairs (0,1) (0,2) (0,3) (1,2) (1,3) (2,3): 3 beats 0, 1 beats 3, 2 beats 1; 0 beats 1 and 2.
    margins = np.array([[1.0, 1.0, -1.0, -1.0, 1.0, 1.0]])
    assert list(walk_dag(margins, 4)) == [2]
    X, y = _songs(labels=5)
    model = GenreSVM(strategy="dag", calibration="none").fit(X, y)
    machine = make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")).fit(X, y)
    wanted = []
    for row in machine.decision_function(X):
        pairs = {pair: row[i] for i, pair in enumerate(zip(*np.triu_indices(5, 1), strict=True))}
        left = list(range(5))
        while len(left) > 1:
            left.pop(-1 if pairs[left[0], left[-1]] > 0 else 0)
        wanted.append(NAMES[left[0]])
    assert list(model.predict(X)) == wanted


def test_unsure_below_the_threshold():
    X, y = _songs()
    model = GenreSVM(threshold=0.5, random_state=0).fit(X, y)
    scores, answers = model.predict_proba(X), model.predict(X)
    unsure = scores.max(axis=1) < 0.5
    assert 0 < unsure.sum() < len(X)
    assert (answers[unsure] == UNSURE).all()
    plain = GenreSVM(random_state=0).fit(X, y)
    assert np.array_equal(plain.predict_proba(X), scores)
    assert np.array_equal(plain.predict(X)[~unsure], answers[~unsure])
    assert UNSURE not in plain.predict(X)
    assert UNSURE not in model.classes_
    with pytest.raises(InputError, match="a label is called 'unsure'"):
        model.fit(X, np.where(y == "jazz", "unsure", y))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_calibration_makes_scores_better(strategy):
    X, y = _songs(600, seed=1)
    rng = np.random.default_rng(0)
    y = np.where(rng.random(600) < 0.3, rng.permutation(y), y)
    losses = {}
    for calibration in ("sigmoid", "none"):
        model = GenreSVM(strategy=strategy, calibration=calibration, C=10, random_state=0)
        losses[calibration] = log_loss(y[400:], model.fit(X[:400], y[:400]).predict_proba(X[400:]))
    assert losses["sigmoid"] < losses["none"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_class_weight_by_name(strategy):
    X, y = _songs()
    heavy = {"blues": 50.0}
    settings = {"strategy": strategy, "C": 0.01, "random_state": 0}
    plain = GenreSVM(**settings, class_weight="balanced").fit(X, y)
    weighted = GenreSVM(**settings, class_weight=heavy).fit(X, y)
    assert (weighted.predict(X) == "blues").sum() > (plain.predict(X) == "blues").sum()
    with pytest.raises(InputError, match="no song has: found 'polka', wanted 'blues', 'jazz'"):
        GenreSVM(strategy=strategy, class_weight={"polka": 2.0}).fit(X, y)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_genres_and_one(strategy):
    X, y = _songs(labels=2)
    model = GenreSVM(strategy=strategy, random_state=0).fit(X, y)
    other = make_pipeline(StandardScaler(), SVC()).fit(X, y)
    assert np.array_equal(model.predict(X), other.predict(X))
    assert model.predict_proba(X).shape == (200, 2)
    with pytest.raises(InputError, match="at least two classes: found one class"):
        GenreSVM(strategy=strategy).fit(X, ["jazz"] * 200)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_genres_with_few_songs(strategy):
    X, y = _songs(60)
    for few, calibrated in {1: False, 2: True}.items():
        keep = (y != "pop") | (np.cumsum(y == "pop") <= few)
        model = GenreSVM(strategy=strategy, random_state=0).fit(X[keep], y[keep])
        assert model.calibrated_ is calibrated
        scores = model.predict_proba(X)
        assert scores.shape == (60, 4)
        assert np.array_equal(model.classes_[scores.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel": "cosine"},
        {"strategy": "tree"},
        {"calibration": "isotonic"},
        {"threshold": 1.5},
    ],
)
def test_settings_out_of_range(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        GenreSVM(**settings).fit(*_songs(20, 2))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_comes_back_from_a_file(strategy):
    X, y = _songs()
    own = ["svm.GenreSVM"] + ["svm.OneVsRestMachines"] * (strategy == "one-vs-rest")
    model = GenreSVM(strategy=strategy, threshold=0.5, random_state=0).fit(X, y)
    read = stored_and_read(model, own, SCIKIT_LEARNS)
    assert np.array_equal(read.predict_proba(X), model.predict_proba(X))
    assert list(read.predict(X)) == list(model.predict(X))
