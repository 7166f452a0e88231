"""Baselines trained on songs with several genres each."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from genrenet.baselines import Baseline, BaselineError, baseline, load_baseline
from genrenet.baselines.fitting import fit_multi_label
from genrenet.baselines.multi_label import SeveralGenres
from genrenet.cli import main
from genrenet.inference.classify import classify
from tests.helpers.several_genres import PITCHES, tone_table

LABELS = ["blues", "folk", "jazz"]


@pytest.fixture(scope="module")
def songs():
    rng = np.random.default_rng(0)
    target = rng.random((90, 3)) < 0.4
    return target + 0.6 * rng.standard_normal((90, 3)), target


def fitted(method, songs, settings=None):
    rows, target = songs
    validation = np.arange(60) >= 45
    return fit_multi_label(
        method,
        rows[:60],
        target[:60],
        labels=LABELS,
        strata=["x"] * 60,
        validation=validation,
        settings=settings,
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("knn", {"n_neighbors": 9, "weights": "votes"}),
        ("svm", {"C": 1.0, "gamma": "scale"}),
        ("forest", {"max_features": "sqrt", "n_estimators": 30}),
        ("tree", {"max_depth": 3, "min_samples_leaf": 5}),
        ("mlp", {"hidden": [8], "alpha": 1.0, "max_iter": 50}),
    ],
)
def test_every_kind_of_baseline_ranks_songs_by_genre(songs, name, settings):
    found = fitted(baseline(name), songs, settings)
    scores = found.scores(songs[0][60:])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert roc_auc_score(songs[1][60:], scores) > 0.7
    assert list(found.thresholds) == LABELS
    assert all(0 <= limit <= 1 for limit in found.thresholds.values())


def test_neighbours_give_the_mean_of_their_genres(songs):
    rows, target = songs
    found = fitted(baseline("knn"), songs, {"n_neighbors": 5, "weights": "votes"})
    scale = StandardScaler().fit(rows[:60])
    apart = np.linalg.norm(
        scale.transform(rows[60:])[:, None] - scale.transform(rows[:60])[None], axis=2
    )
    wanted = target[:60][np.argsort(apart, axis=1)[:, :5]].mean(axis=1)
    assert found.scores(rows[60:]) == pytest.approx(wanted, abs=1e-6)


def test_settings_are_chosen_by_average_precision(songs):
    method = Baseline(
        "ridge-ish", "test", LogisticRegression, "spectral-stats", grid={"C": [1e-9, 1.0]}
    )
    assert fitted(method, songs).settings["C"] == 1.0


def test_a_genre_that_no_song_to_learn_from_has(songs):
    rows, target = songs
    lacking = target.copy()
    lacking[:60, 2] = False
    for name in ("knn", "tree"):
        settings = {"n_neighbors": 5, "weights": "votes"} if name == "knn" else {"max_depth": 3}
        scores = fitted(baseline(name), (rows, lacking), settings).scores(rows[60:])
        assert (scores[:, 2] < 1e-6).all()
    each = SeveralGenres(LogisticRegression(), LABELS)
    with pytest.warns(UserWarning, match="present in all"):
        each.fit(rows[:60], lacking[:60])
    assert (each.predict_proba(rows[60:])[:, 2] == 0).all()


def test_a_method_without_scores_says_so(songs):
    method = Baseline("ridge", "test", RidgeClassifier, "spectral-stats")
    with pytest.raises(BaselineError, match="'ridge' cannot be used for songs with several genres"):
        fitted(method, songs)
    refusing = Baseline("one", "test", LogisticRegression, "spectral-stats", multi_label="no")
    with pytest.raises(BaselineError, match="only decisions for one"):
        fitted(refusing, songs)


def test_a_file_holds_it_with_its_thresholds(songs, tmp_path):
    found = fitted(baseline("knn"), songs, {"n_neighbors": 5, "weights": "votes"})
    again = load_baseline(found.save(tmp_path / "several.skops"))
    assert again.thresholds == found.thresholds
    assert (again.scores(songs[0][60:]) == found.scores(songs[0][60:])).all()


def test_the_command_fits_it_and_songs_get_all_genres_above_their_thresholds(tmp_path):
    table, out = tone_table(tmp_path, songs=21), tmp_path / "tree.skops"
    asked = ["baseline", "tree", str(table), "--features", "spectral-stats"]
    assert main([*asked, "--set", "max_depth=5", "--out", str(out), "-q"]) == 0
    limits = load_baseline(out).thresholds
    assert set(limits) == set(PITCHES)
    for song in classify([tmp_path / f"{number}.wav" for number in range(7)], out):
        named = {name for name, score in song["scores"].items() if score >= limits[name]}
        assert (set(song["genres"]) == named) if named else song["unsure"]
