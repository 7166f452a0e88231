"""``genrenet recommend``, end to end, on real listening histories and on songs."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from genrenet.cli import main
from tests.helpers.tones import RATE, tone


@pytest.fixture(scope="session")
def lastfm(shared_data):
    return shared_data / "lastfm" / "user_artistsload.dat"


@pytest.fixture
def plays(tmp_path):
    """A small history, with one bad row."""
    rows = ["user,item,plays"]
    for user in range(10):
        rows += [f"u{user},{'ab'[user % 2]}{item},{item + 1}" for item in range(6) if item != user]
    path = tmp_path / "plays.csv"
    path.write_text("\n".join([*rows, "u1,b9,-4"]) + "\n")
    return path


@pytest.fixture(scope="module")
def songs(music, checkpoint, tmp_path_factory):
    path = tmp_path_factory.mktemp("embedded") / "songs.npz"
    arguments = ["embed", music, "--backbone", checkpoint, "--per", "song", "--out", path]
    assert main([*map(str, arguments)]) == 0
    return path


def recommend(*arguments):
    return main(["recommend", *map(str, arguments)])


# --- from a history -------------------------------------------------------------------------------


def test_one_user_of_real_listening(lastfm, capsys):
    names = lastfm.with_name("artists.dat")
    arguments = [lastfm, "--names", names, "--user", "2", "--model", "item-knn", "--format", "csv"]
    assert recommend(*arguments) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, 21)]
    truth = pd.read_csv(lastfm, sep="\t", header=None, names=["user", "item", "plays"], dtype=str)
    owned = set(truth[truth["user"] == "2"]["item"])
    assert not owned & {row["item"] for row in rows}
    assert "Pet Shop Boys" in [row["name"] for row in rows]
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_all_users_never_get_what_they_have(lastfm, tmp_path, capsys, suffix):
    out = tmp_path / f"recs{suffix}"
    assert recommend(lastfm, "--model", "svd", "--all-users", "--top", 5, "--out", out) == 0
    found = pd.read_csv(out, dtype=str) if suffix == ".csv" else pd.read_parquet(out).astype(str)
    assert list(found.columns) == ["user", "item", "rank", "score"]
    assert f"{len(found):,} recommendations in" in capsys.readouterr().out
    truth = pd.read_csv(lastfm, sep="\t", header=None, names=["user", "item", "plays"], dtype=str)
    assert found["user"].nunique() > 0.99 * truth["user"].nunique()
    assert not len(found.merge(truth, on=["user", "item"]))
    assert not found.duplicated(["user", "item"]).any()
    assert found.groupby("user")["rank"].max().astype(int).max() == 5


def test_bad_rows_are_told_and_the_rest_is_used(plays, capsys):
    assert recommend(plays, "--user", "u2", "--format", "json") == 1
    shown = capsys.readouterr()
    assert "1 rows of 55 skipped: line 56: plays '-4'" in shown.err
    assert "hybrid is based on listeners" in shown.err
    rows = json.loads(shown.out)
    assert rows[0] == {**rows[0], "user": "u2", "item": "a2", "rank": 1}


def test_new_users_get_what_is_popular_and_are_told_so(plays, capsys):
    assert recommend(plays, "--user", "nobody", "--top", 3) == 1
    shown = capsys.readouterr()
    assert "no user 'nobody' in the history" in shown.err
    assert "hybrid is based on popularity" in shown.err
    assert len(shown.out.splitlines()) == 5
    assert shown.out.splitlines()[-1].startswith("next: genrenet recommend evaluate ")
    assert recommend(plays, "--user", "nobody", "--model", "als") == 2
    assert recommend(plays, "--user", "U22", "--model", "als") == 2
    assert "did you mean 'u2'" in capsys.readouterr().err


def test_items_to_start_from(plays, capsys):
    arguments = ["--like", "b0", "--like", "b1", "--model", "user-knn", "--format", "json"]
    assert recommend(plays, *arguments) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {row["item"] for row in rows} == {"b2", "b3", "b4", "b5"}
    assert {row["user"] for row in rows} == {""}


def test_settings_of_a_model(plays, capsys):
    arguments = [
        "--user",
        "u1",
        "--model",
        "item-knn",
        "--set",
        "n_neighbors=1",
        "--format",
        "json",
    ]
    assert recommend(plays, *arguments, "--set", "shrinkage=0.5") == 1
    few = json.loads(capsys.readouterr().out)
    assert recommend(plays, *arguments[:4], "--format", "json") == 1
    assert few != json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", "u1", "--model", "alss"], "no recommender 'alss'.*did you mean 'als'"),
        (["--user", "u1", "--set", "weigth=1"], "no setting 'weigth'.*did you mean 'weight'"),
        (["--user", "u1", "--set", "weight"], "wanted NAME=VALUE"),
        (["--user", "u1", "--set", "weight=7"], "wanted a number from 0 to 1"),
        (
            ["--user", "u1", "--model", "content"],
            "needs features of the songs' audio",
        ),
        (["--like", "a11"], "no item 'a11'.*did you mean"),
        (["--all-users", "--out", "gone/recs.csv"], "no folder 'gone' to write into"),
        (["--all-users", "--out", "recs.txt"], r"found the suffix '\.txt'"),
        (["--user", "u1", "--names", "gone.csv"], "there is no file 'gone.csv'"),
        (["--user", "u1", "--content", "gone.npz"], "there is no file of embeddings"),
        (["--user", "u1", "--unit", "track"], None),
    ],
)
def test_requests_that_cannot_be_carried_out(
    plays, options, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    import re

    code = recommend("plays.csv", *options)
    shown = capsys.readouterr()
    if message is None:  # a table of items has no other unit
        assert code == 1
        return
    assert code == 2
    assert re.search(message, shown.err.splitlines()[-1]), shown.err
    assert shown.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["plays.csv"]


@pytest.mark.parametrize("options", [[], ["--all-users"], ["--user", "a", "--like", "b"]])
def test_requests_without_a_clear_user(plays, options, capsys):
    with pytest.raises(SystemExit, match="2"):
        recommend(plays, *options)
    assert "--" in capsys.readouterr().err


# --- from a library -------------------------------------------------------------------------------


def test_songs_like_this_one_need_no_history(songs, capsys):
    assert recommend(songs, "--like", "bass-3.wav", "--top", 7, "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 7
    assert all("/bass/" in row["item"] for row in rows)
    assert not any(row["item"].endswith("bass-3.wav") for row in rows)
    assert recommend(songs, "--like", "bass-33.wav") == 2
    assert "did you mean" in capsys.readouterr().err
    assert recommend(songs, "--like", "bass-3.wav", "--model", "als") == 2
    assert "needs listening histories" in capsys.readouterr().err
    assert recommend(songs, "--user", "anna") == 2
    assert "a library, which has no plays" in capsys.readouterr().err


def test_a_library_beside_a_history_brings_new_songs(songs, tmp_path, capsys):
    rows = [f"u{n % 4},{kind}-{n}.wav" for n in range(5) for kind in ("bass", "treble")]
    path = tmp_path / "plays.csv"
    path.write_text("user,path\n" + "\n".join(rows) + "\n")
    assert recommend(path, "--content", songs, "--user", "u1", "--top", 30, "--format", "json") == 0
    shown = capsys.readouterr()
    assert "10 of 10 items are among the 24 songs" in shown.err
    assert "14 songs are new" in shown.err
    assert "hybrid is based on listeners and content" in shown.err
    items = [row["item"] for row in json.loads(shown.out)]
    assert len(items) == 22
    assert any("bass-7.wav" in item for item in items)


# --- evaluation -----------------------------------------------------------------------------------


def test_evaluation_prints_and_writes_the_same(lastfm, tmp_path, capsys):
    out = tmp_path / "run"
    assert recommend("evaluate", lastfm, "--models", "item-knn", "--out", out) == 0
    shown = capsys.readouterr().out
    assert (out / "results.md").read_text() in shown
    assert "report: " in shown
    rows = {row["name"]: row for row in json.loads((out / "results.json").read_text())["models"]}
    assert set(rows) == {"popularity", "item-knn"}
    assert rows["item-knn"]["ratio"]["ci95"][0] > 2
    assert (out / "report.html").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--holdout", "1.5"], "--holdout: found 1.5, wanted a share"),
        (["--models", "svdd"], "did you mean 'svd'"),
        (["--models", "content"], "needs features of the songs' audio"),
        (["--out", "plays.csv/run"], "cannot write into the folder"),
        (["--labels", "labels.csv"], "cannot read 'labels.csv'"),
    ],
)
def test_evaluations_that_cannot_be_made(plays, options, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recommend("evaluate", plays, *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_evaluation_of_a_small_history_with_a_bad_row_and_content(songs, tmp_path, capsys):
    rows = [f"u{n},{kind}/{kind}-{(n + step) % 8}.wav" for n in range(9)
            for kind in (("bass", "middle", "treble")[n % 3],) for step in range(5)]  # fmt: skip
    path = tmp_path / "plays.csv"
    path.write_text("user,path\n" + "\n".join([*rows, "u1,"]) + "\n")
    out = tmp_path / "run"
    assert recommend("evaluate", path, "--content", songs, "--out", out, "--seeds", 2) == 1
    shown = capsys.readouterr()
    assert "1 rows of 46 skipped" in shown.err
    rows = {row["name"]: row for row in json.loads((out / "results.json").read_text())["models"]}
    assert set(rows) == {"popularity", "user-knn", "item-knn", "svd", "als", "content", "hybrid"}
    assert not any(row["error"] for row in rows.values())
    assert rows["content"]["figures"]["recall@10"]["mean"] == 1


def test_neighbours_of_a_library_are_judged_by_labels(songs, tmp_path, capsys):
    labels = [f"{genre}/{genre}-{n}.wav,{genre},{genre} {n // 2}"
              for genre in ("bass", "middle", "treble") for n in range(8)]  # fmt: skip
    path = tmp_path / "labels.csv"
    path.write_text("path,genre,artist\n" + "\n".join(labels) + "\n")
    out = tmp_path / "run"
    assert recommend("evaluate", songs, "--labels", path, "--out", out) == 0
    assert "24 songs of 12 artists" in capsys.readouterr().out
    figures = json.loads((out / "results.json").read_text())["figures"]
    # Seven of the ten nearest can be of the genre.
    assert figures["genre"]["value"] == pytest.approx(0.7)
    assert recommend("evaluate", songs) == 2
    assert "pass --labels" in capsys.readouterr().err


# --- from a song that is not in the library -------------------------------------------------------


@pytest.fixture
def new_song(tmp_path):
    """A song like those of the folder 'treble', called like one of 'bass'."""
    path = tmp_path / "elsewhere" / "bass-0.wav"
    path.parent.mkdir()
    soundfile.write(path, tone(4000.0 * 1.05, 6.0, seed=99), RATE)
    return path


def liked(capsys, *arguments):
    assert recommend(*arguments, "--format", "json", "--top", 5) == 0
    return [row["item"] for row in json.loads(capsys.readouterr().out)]


def test_a_file_outside_the_embeddings_is_embedded(songs, new_song, capsys, monkeypatch):
    found = liked(capsys, songs, "--like", new_song)
    assert all("/treble/" in item for item in found)
    # A name says which file: one that is here goes before one that is called alike elsewhere.
    monkeypatch.chdir(new_song.parent)
    assert liked(capsys, songs, "--like", "bass-0.wav") == found
    monkeypatch.chdir("/")
    assert all("/bass/" in item for item in liked(capsys, songs, "--like", "bass-0.wav"))


def test_a_file_outside_a_scan_is_scored(
    music, checkpoint, new_song, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(checkpoint.parent)
    table = tmp_path / "genres.parquet"
    assert main(["scan", str(music), "--checkpoint", checkpoint.name, "--out", str(table)]) == 0
    capsys.readouterr()
    assert all("/treble/" in item for item in liked(capsys, table, "--like", new_song))


def test_a_history_with_content_takes_files_too(songs, plays, new_song, capsys):
    asked = [plays, "--content", songs, "--model", "content", "--like", new_song]
    assert recommend(*asked, "--format", "json", "--top", 5) == 1
    rows = json.loads(capsys.readouterr().out)
    assert all("/treble/" in row["item"] for row in rows)
    assert recommend(plays, "--like", new_song) == 2
    assert "pass --content FILE" in capsys.readouterr().err


def test_files_that_cannot_be_started_from(songs, new_song, tmp_path, capsys):
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    (tmp_path / "no.mp3").write_bytes(b"no music")
    for name in ("silent.wav", "no.mp3"):
        assert recommend(songs, "--like", tmp_path / name) == 2
        shown = capsys.readouterr().err
        assert "cannot start from" in shown
        assert name in shown
    assert recommend(songs, "--like", tmp_path / "nowhere.mp3") == 2
    assert "no item" in capsys.readouterr().err
    # The table names the weights it was made with, not just their file.
    with np.load(songs) as held:
        changed = {**held, "checkpoint": "0" * 64}
    np.savez(tmp_path / "changed.npz", **changed)
    assert recommend(tmp_path / "changed.npz", "--like", new_song) == 2
    assert "is not the model of the table's features" in capsys.readouterr().err
