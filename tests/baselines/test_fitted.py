"""Baselines by name: settings, features, fitting with inner choice, files without pickle."""

import json

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genrenet.baselines import (
    Baseline,
    BaselineError,
    FittedBaseline,
    baseline,
    baselines,
    fit_baseline,
    load_baseline,
)
from genrenet.baselines.song_features import song_features
from genrenet.cli import main
from genrenet.inference.classify import classify

VECTORS = ["svm", "svm-linear", "svm-dag", "knn", "tree", "forest", "mlp", "logistic"]


def blobs(n=20, genres=("folk", "jazz", "rock"), width=4, seed=0):
    rng = np.random.default_rng(seed)
    rows = [c * 3 + rng.standard_normal((n, width)) for c in range(len(genres))]
    return np.concatenate(rows), [genre for genre in genres for _ in range(n)]


def gaussians(n=12, seed=0):
    """Rows of Gaussians of two genres: means apart, covariances alike."""
    rng = np.random.default_rng(seed)
    rows = []
    for centre in (0.0, 4.0):
        for _ in range(n):
            frames = centre + rng.standard_normal((60, 3))
            rows.append(np.concatenate([frames.mean(0), np.cov(frames.T).ravel()]))
    return np.array(rows), ["folk"] * n + ["rock"] * n


def test_the_built_in_baselines_are_there():
    assert {*VECTORS, "kl-knn", "gaussian-kmeans"} <= set(baselines())
    with pytest.raises(BaselineError, match=r"no baseline 'lda'.*wanted one of kl-knn"):
        baseline("lda")


@pytest.mark.parametrize("name", [*VECTORS, "kl-knn", "gaussian-kmeans"])
def test_every_baseline_learns_and_survives_its_file(name, tmp_path):
    method = baseline(name)
    rows, genres = blobs() if method.kind == "vectors" else gaussians()
    fixed = {key: values[0] for key, values in method.grid.items()}
    fitted = fit_baseline(method, rows, genres, settings=fixed, seed=1)
    scores = fitted.scores(rows)
    assert scores.shape == (len(rows), len(set(genres)))
    assert np.allclose(scores.sum(axis=1), 1)
    right = np.mean(
        [label == truth for label, truth in zip(fitted.decisions(rows), genres, strict=True)]
    )
    assert right > 0.9
    again = load_baseline(fitted.save(tmp_path / "fitted.skops"))
    assert np.allclose(again.scores(rows), scores)
    assert again.labels == fitted.labels
    assert again.features == method.features
    assert again.settings == fitted.settings


def test_every_strategy_of_the_svm_survives_its_file(tmp_path):
    rows, genres = blobs()
    for strategy in ("one-vs-one", "one-vs-rest", "dag"):
        settings = {"C": 1, "gamma": "scale", "strategy": strategy}
        fitted = fit_baseline(baseline("svm"), rows, genres, settings=settings)
        again = load_baseline(fitted.save(tmp_path / "fitted.skops"))
        assert np.allclose(again.scores(rows), fitted.scores(rows))


def test_settings_are_chosen_inside_and_fixed_ones_stay():
    rows, genres = blobs()
    method = baseline("knn")
    fitted = fit_baseline(method, rows, genres, seed=0)
    assert set(fitted.settings) == {"n_neighbors", "weights"}
    fitted = fit_baseline(method, rows, genres, settings={"n_neighbors": 4})
    assert fitted.settings["n_neighbors"] == 4
    assert fitted.estimator.n_neighbors == 4


def test_an_artist_is_on_one_side_of_every_inner_fold():
    seen = []

    class Watching(GaussianNB):
        def fit(self, x, y):
            seen.append(set(x[:, -1]))
            return super().fit(x, y)

    rows, genres = blobs()
    artists = [f"{genre} {i // 4}" for i, genre in enumerate(genres)]
    numbers = {name: n for n, name in enumerate(dict.fromkeys(artists))}
    rows[:, -1] = [numbers[name] for name in artists]
    method = Baseline("watching", "", Watching, "spectral-stats", grid={"var_smoothing": [1e-9]})
    fit_baseline(method, rows, genres, groups=artists)
    inner, whole = seen[:-1], seen[-1]
    assert whole == set(numbers.values())
    assert all(len(part) < len(whole) for part in inner)
    left_out = [number for part in inner for number in whole - part]
    assert sorted(left_out) == sorted(whole)


def test_given_validation_songs_choose_the_settings():
    rows, genres = blobs(seed=3)
    chosen_on = np.arange(len(rows)) % 3 == 0
    method = Baseline(
        "regression",
        "",
        LogisticRegression,
        "spectral-stats",
        grid={"C": [1e-9, 1.0], "max_iter": [500]},
    )
    fitted = fit_baseline(method, rows, genres, validation=chosen_on)
    assert fitted.settings["C"] == 1.0


def test_settings_of_a_factory_are_chosen_too():
    def scaled(strength=1e-9):
        return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))

    rows, genres = blobs(seed=3)
    method = Baseline("scaled", "", scaled, "spectral-stats", grid={"strength": [1e-9, 1.0]})
    assert fit_baseline(method, rows, genres).settings == {"strength": 1.0}


def test_one_genre_of_one_artist_does_not_keep_the_others_from_choosing():
    rows, genres = blobs(seed=3)
    artists = [genre if genre == "folk" else f"{genre} {i // 4}" for i, genre in enumerate(genres)]
    method = Baseline(
        "regression",
        "",
        LogisticRegression,
        "spectral-stats",
        grid={"C": [1e-9, 1.0], "max_iter": [500]},
    )
    assert fit_baseline(method, rows, genres, groups=artists).settings["C"] == 1.0


def test_labels_without_songs_get_no_score():
    rows, genres = blobs(genres=("folk", "jazz"))
    labels = ["blues", "folk", "jazz"]
    fitted = fit_baseline(baseline("tree"), rows, genres, labels=labels)
    assert (fitted.scores(rows)[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("name", "settings", "genres", "said"),
    [
        ("knn", {}, ["folk"] * 9, "at least two genres"),
        ("knn", {"n_neighbors": 99}, ["folk"] * 5 + ["rock"] * 4, "99.*9"),
        ("knn", {"colour": 3}, ["folk"] * 5 + ["rock"] * 4, "no setting 'colour'"),
    ],
)
def test_what_cannot_be_learnt(name, settings, genres, said):
    rows = np.random.default_rng(0).standard_normal((9, 4))
    with pytest.raises(BaselineError, match=said):
        fit_baseline(baseline(name), rows, genres, settings=settings)


def test_a_singular_covariance_is_named():
    rows, genres = gaussians()
    rows[4, 3:] = 0
    with pytest.raises(BaselineError, match=r"cannot learn this.*row 4"):
        fit_baseline(baseline("kl-knn"), rows, genres)


def test_files_that_are_none(tmp_path):
    with pytest.raises(BaselineError, match="no fitted baseline"):
        load_baseline(tmp_path / "none.skops")
    (tmp_path / "text.skops").write_text("hello")
    with pytest.raises(BaselineError, match="is not a fitted baseline"):
        load_baseline(tmp_path / "text.skops")
    skops.io.dump({"format": 99}, tmp_path / "later.skops")
    with pytest.raises(BaselineError, match="found 99, wanted format 1"):
        load_baseline(tmp_path / "later.skops")
    skops.io.dump({"format": 1}, tmp_path / "half.skops")
    with pytest.raises(BaselineError, match="is damaged"):
        load_baseline(tmp_path / "half.skops")


@pytest.mark.parametrize("estimator", ["svm", GaussianNB()])
def test_estimators_that_are_none(tmp_path, estimator):
    entries = {"format": 1, "name": "x", "labels": ["a"], "features": "five", "settings": {}}
    skops.io.dump({**entries, "about": {}, "estimator": estimator}, tmp_path / "x.skops")
    with pytest.raises(BaselineError, match="is damaged: found an estimator that is not fitted"):
        load_baseline(tmp_path / "x.skops")


class Stranger:
    """A type that nobody vouches for."""

    ran = False

    def __setstate__(self, state):
        Stranger.ran = True


def test_unknown_types_are_refused_before_they_are_made(tmp_path):
    entries = {"format": 1, "estimator": Stranger(), "name": "x", "labels": [], "features": "five"}
    skops.io.dump({**entries, "settings": {}, "about": {}}, tmp_path / "strange.skops")
    with pytest.raises(BaselineError, match=r"not trusted: found .*Stranger"):
        load_baseline(tmp_path / "strange.skops")
    assert not Stranger.ran


def test_only_skops_files_in_folders_that_exist(tmp_path):
    fitted = FittedBaseline("x", GaussianNB(), ["a"], "spectral-stats")
    with pytest.raises(BaselineError, match=r"wanted \.skops"):
        fitted.save(tmp_path / "fitted.pkl")
    with pytest.raises(BaselineError, match="cannot write"):
        fitted.save(tmp_path / "nowhere" / "fitted.skops")


def test_features_by_the_names_that_they_had(music, tmp_path):
    songs = [str(song) for song in sorted(music.rglob("*.wav"))[::12]]
    with pytest.warns(FutureWarning, match="'five' are now called 'spectral-stats'"):
        older = song_features(songs, "five+short-term")
    found = song_features(songs, "spectral-stats+short-term")
    assert found.usable.tolist() == [True, True]
    assert np.array_equal(older.rows, found.rows)
    estimator = GaussianNB().fit(found.rows, ["a", "b"])
    FittedBaseline("x", estimator, ["a", "b"], "five+patterns").save(tmp_path / "older.skops")
    assert load_baseline(tmp_path / "older.skops").features == "spectral-stats+block-level"


def test_features_are_joined_and_embeddings_are_features_too(music, checkpoint, tmp_path):
    songs = [str(song) for song in sorted(music.rglob("*.wav"))[:3]]
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    paths = [*songs, str(tmp_path / "broken.wav")]
    five = song_features(paths, "spectral-stats")
    assert list(five.usable) == [True, True, True, False]
    assert "broken.wav" in five.errors[paths[3]]
    both = song_features(paths, f"spectral-stats+{checkpoint}:embedding")
    assert both.rows.shape[1] > five.rows.shape[1]
    assert np.allclose(both.rows[:3, : five.rows.shape[1]], five.rows[:3])
    with pytest.raises(BaselineError, match="no features 'six'"):
        song_features(paths, "spectral-stats+six")


def test_from_the_command_line_to_classify(music, tmp_path, capsys):
    out = tmp_path / "tree.skops"
    arguments = ["tree", str(music), "--features", "spectral-stats", "--set", "max_depth=3"]
    assert main(["baseline", *arguments, "--out", str(out)]) == 0
    assert "trained on 24 songs" in capsys.readouterr().out
    song = music / "bass" / "bass-1.wav"
    assert main(["classify", str(song), "--checkpoint", str(out), "--format", "json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["genre"] == "bass"
    assert answer["checkpoint"] == str(out)
    assert sum(answer["scores"].values()) == pytest.approx(1)
    assert classify(song, out)[0]["genre"] == "bass"
    assert main(["classify", str(song), "--checkpoint", str(out), "--timeline"]) == 2
    assert "classifies whole songs" in capsys.readouterr().err
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    assert main(["classify", str(tmp_path / "broken.wav"), "--checkpoint", str(out)]) == 1
    assert "broken.wav" in capsys.readouterr().err


def test_unsure_is_an_answer(music, tmp_path):
    out = tmp_path / "svm.skops"
    settings = ["--set", "C=1", "--set", "gamma=scale", "--set", "threshold=0.999"]
    arguments = ["svm", str(music), "--features", "spectral-stats", *settings]
    assert main(["baseline", *arguments, "--out", str(out)]) == 0
    (answer,) = classify(music / "bass" / "bass-1.wav", out)
    assert answer["genre"] == "unsure"
    assert answer["confidence"] < 0.999


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["svm", "--out", "x.pkl"], "wanted a .skops file"),
        (["svm", "--out", "x.skops", "--set", "C"], "wanted NAME=VALUE"),
        (["svm", "--out", "x.skops", "--set", "D=1"], "no setting 'D'"),
        (["svm", "--out", "x.skops", "--set", "C=["], "no YAML"),
        (["svm", "--out", "x.skops", "--set", "threshold=high"], "threshold"),
        (["nothing", "--out", "x.skops"], "no baseline 'nothing'"),
        (["svm", "--out", "x.skops", "--features", "mfcc-gaussian"], "does not accept"),
    ],
)
def test_requests_that_cannot_be_carried_out(music, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["baseline", arguments[0], str(music), *arguments[1:]]) == 2
    assert said in capsys.readouterr().err
