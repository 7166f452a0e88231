"""The data of a reproduction: several collections as one, and feature vectors."""

import pandas as pd
import pytest
import soundfile

from genrenet.data.catalog import EmptyCatalogError, read_catalog
from genrenet.evaluation.feature_tables import DatasetError
from genrenet.evaluation.reproduction.songs import find_material
from tests.helpers.tones import RATE, tone


def collection(folder, names, seconds):
    for name in names:
        genre = name.partition(".")[0]
        (folder / genre).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / genre / f"{name}.wav", tone(300.0, seconds), RATE)
    return folder


def vectors(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [(f"{genre}.{n:05}.wav", n, n + 1, genre) for genre in ("jazz", "pop") for n in range(4)]
    pd.DataFrame(rows, columns=["filename", "one", "two", "label"]).to_csv(file, index=False)
    return file


JAZZ, POP = [f"jazz.0000{n}" for n in range(3)], [f"pop.0000{n}" for n in range(3)]


def test_a_track_of_two_collections_counts_once_by_its_longest_excerpt(tmp_path):
    short = collection(tmp_path / "short", [*JAZZ, *POP], 1.0)
    other = collection(tmp_path / "other", [JAZZ[0], POP[2], "pop.00007", "jazz.00008"], 2.0)
    found = find_material([short, other], tmp_path / "run")
    lengths = dict(zip(found.songs["track_id"], found.songs["duration"].round(), strict=True))
    longer = {JAZZ[0], POP[2], "pop.00007", "jazz.00008"}
    assert lengths == {name: 2.0 if name in longer else 1.0 for name in {*JAZZ, *POP, *longer}}
    assert any(note.startswith("2 excerpts") for note in found.notes)
    assert sorted(read_catalog(found.audio).table["track_id"]) == sorted(lengths)
    assert found.features is None


def test_other_names_in_two_collections_are_other_songs(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        collection(folder, ["jazz.one", "jazz.two", "pop.one", "pop.two"], 1.0)
    assert len(find_material(folders, tmp_path / "run").songs) == 8


@pytest.mark.parametrize("place", ["gtzan", "gtzan/genres_original"])
def test_vectors_beside_the_songs_or_above_them_are_found(place, tmp_path):
    collection(tmp_path / "gtzan" / "genres_original", [*JAZZ, *POP], 1.0)
    table = vectors(tmp_path / "gtzan" / "features_30_sec.csv")
    found = find_material([tmp_path / place], tmp_path / "run")
    assert found.features == table
    assert len(found.songs) == 6
    assert found.audio == tmp_path / place


def test_vectors_alone(tmp_path):
    table = vectors(tmp_path / "vectors" / "features_30_sec.csv")
    for data in (table, table.parent):
        found = find_material([data], tmp_path / "run")
        assert (found.audio, found.features) == (None, table)


def test_what_is_wrong_with_data(tmp_path):
    one, two = vectors(tmp_path / "one.csv"), vectors(tmp_path / "two.csv")
    with pytest.raises(DatasetError, match="several tables"):
        find_material([one, two], tmp_path / "run")
    with pytest.raises(DatasetError, match="not a table of features"):
        find_material([one], tmp_path / "run", features=tmp_path / "gone.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyCatalogError):
        find_material([tmp_path / "empty", one], tmp_path / "run")
