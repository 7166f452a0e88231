"""Trained on one collection, tested on another."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from genrenet.cli import main
from genrenet.evaluation.across import join, mapped_genres
from genrenet.evaluation.datasets import DatasetError, read_dataset
from tests.helpers.small_training import TINY


def features(file, genres, columns="abcd", seed=0, artist="{genre} {number}", n=12):
    """A table of features: genres at their places, an artist for every two songs."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "track_id": f"{genre}-{number}",
            "genre": genre,
            "artist": artist.format(genre=genre, number=number // 2),
            **dict(zip(columns, centre + rng.standard_normal(len(columns)), strict=True)),
        }
        for genre, centre in genres.items()
        for number in range(n)
    ]
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


@pytest.fixture
def tables(tmp_path):
    """Two tables with the same identifiers, numbers for artists, and other names of genres."""
    one = features(tmp_path / "one.csv", {"folk": -3, "hiphop": 0, "rock": 3}, artist="{number}")
    other = {"Hip-Hop": 0, "Metal": 3, "ROCK": 3, "polka": -9}
    return one, features(tmp_path / "other.csv", other, columns="dcba", seed=1, artist="{number}")


def test_genres_are_mapped_by_name_file_and_taxonomy(tmp_path):
    learnt, judged = ["hiphop", "r&b", "rock"], ["Hip Hop", "Heavy Metal", "R&B", "polka"]
    assert mapped_genres(learnt, judged) == {"Hip Hop": "hiphop", "R&B": "r&b"}
    assert mapped_genres(learnt, judged, "discogs")["Heavy Metal"] == "rock"
    assert mapped_genres([*learnt, "metal"], judged, "discogs")["Heavy Metal"] == "metal"
    (tmp_path / "map.csv").write_text("genre,name\nPOLKA,Hip-Hop\nR&B,soul\nheavy metal,x > rock\n")
    assert mapped_genres(learnt, judged, str(tmp_path / "map.csv")) == {
        "Hip Hop": "hiphop",
        "Heavy Metal": "rock",
        "polka": "hiphop",
    }


def test_tables_of_the_same_columns(tables, tmp_path, capsys):
    one, other = map(str, tables)
    out = tmp_path / "run"
    arguments = ["--models", "knn", "--test-on", other, "--genre-map", "discogs", "--seeds", "2"]
    assert main(["evaluate", one, *arguments, "--shots", "4", "--out", str(out)]) == 0
    results = json.loads((out / "results.json").read_text())
    assert results["dataset"] == "trained on one, tested on other"
    assert results["labels"] == ["folk", "hiphop", "rock"]
    assert (
        "trained on one (36 songs), tested on other (36 songs of 2 of the 3 genres)"
        in (results["notes"][0])
    )
    assert (
        "songs left out, as their genre is not in the training set: 12: polka (12)"
        in results["notes"]
    )
    few, whole = results["models"]
    assert (few["protocol"], whole["protocol"]) == ("across@4-shot", "across")
    assert [p["songs"] for p in results["curves"][0]["points"]] == [12, 36]
    assert whole["n"] == 36
    # The columns are in another order in the second table, and metal is rock.
    assert whole["accuracy"] > 0.9
    decided = pd.read_parquet(out / "predictions.parquet")
    assert set(decided["genre"]) == {"hiphop", "rock"}
    assert decided["track_id"].str.startswith("other/").all()
    assert decided["artist"].str.startswith("other/").all()
    (leakage,) = {
        protocol["leakage"].splitlines()[0][-70:] for protocol in results["protocols"][1:]
    }
    assert "no leak was found" in leakage
    assert "trained on one, tested on other" in (out / "report.html").read_text()
    assert "Trained on all songs of one collection" in capsys.readouterr().out


def test_songs_that_both_have_are_left_out_and_named(tables, tmp_path):
    one, other = (pd.read_csv(file) for file in tables)
    copies = one.iloc[12:15].assign(track_id=["x", "y", "z"])
    pd.concat([other, copies]).to_csv(tmp_path / "more.csv", index=False)
    found = join(read_dataset(tables[0]), read_dataset(tmp_path / "more.csv"))
    assert found.table["collection"].value_counts().to_dict() == {"learnt": 36, "judged": 24}
    assert "songs of more left out, because they are also in one: 3" in found.notes
    assert "left out of the test set: it is identical to one/hiphop-0" in str(found.problems[-3])
    # Artists with names are the same in both: the check for leaks finds them.
    names = [
        features(tmp_path / f"{name}.csv", {"folk": 0, "rock": 1}, seed=seed)
        for seed, name in enumerate("ab")
    ]
    main(["evaluate", str(names[0]), "--models", "knn", "--test-on", str(names[1])])
    same = join(*map(read_dataset, names))
    assert len(set(same.table["artist"])) == 12


@pytest.mark.long
def test_songs_for_networks_and_baselines(music, tmp_path):
    """The second collection has other songs of one genre, and one that the first has too."""
    other = tmp_path / "other"
    rng = np.random.default_rng(0)
    for genre, count in {"Bass": 3, "noise": 2}.items():
        (other / genre).mkdir(parents=True)
        for number in range(count):
            tone = np.sin(np.arange(24_000) * (0.03 + 0.002 * number)) if genre == "Bass" else 0
            samples = 0.3 * tone + 0.02 * rng.standard_normal(24_000)
            sf.write(other / genre / f"{number}.wav", samples, 12_000)
    shutil.copy(music / "bass" / "bass-0.wav", other / "Bass" / "copy.wav")
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    out = tmp_path / "run"
    models = f"config:{config},knn@spectral-stats"
    arguments = ["--models", models, "--test-on", str(other), "--max-steps", "2"]
    assert main(["evaluate", str(music), *arguments, "--out", str(out)]) == 0
    results = json.loads((out / "results.json").read_text())
    for row in results["models"]:
        assert row["error"] is None
        assert row["n"] == 3
        assert np.sum(row["confusion_songs"]) == 3
    name = read_dataset(music).name
    assert f"songs of other left out, because they are also in {name}: 1" in results["notes"]
    assert any("copy.wav" in item["path"] for item in results["skipped"])
    assert "no leak was found" in results["protocols"][0]["leakage"]


def test_what_cannot_be_joined(tables, music, tmp_path, capsys):
    one = read_dataset(tables[0])
    with pytest.raises(DatasetError, match="songs and a table of features"):
        join(one, read_dataset(music))
    fewer = read_dataset(features(tmp_path / "fewer.csv", {"rock": 0, "folk": 1}, columns="abc"))
    with pytest.raises(DatasetError, match="lacks features that 'one' has: found d"):
        join(one, fewer)
    strange = read_dataset(features(tmp_path / "strange.csv", {"polka": 0, "waltz": 1}))
    with pytest.raises(DatasetError, match=r"found genres polka, waltz, wanted some of folk"):
        join(one, strange)
    source, same = str(tables[0]), ["--models", "knn", "--out", str(tmp_path / "run")]
    for arguments, said in (
        (["--test-on", str(tables[1]), "--protocol", "70-30"], "found 70-30 with --test-on"),
        (["--protocol", "across"], "only the protocol 'across'"),
        (["--genre-map", "discogs"], "--genre-map"),
        (["--test-on", str(tables[1]), "--genre-map", "no.csv"], "no taxonomy 'no.csv'"),
    ):
        assert main(["evaluate", source, *same, *arguments]) == 2
        assert said in capsys.readouterr().err
