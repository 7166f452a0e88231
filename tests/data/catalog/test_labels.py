"""Sources of a collection's genres: folders, tags, tables, and folders that are artists."""

import shutil

import mutagen
import pandas as pd
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TCON

from genrenet.cli import main
from genrenet.data.catalog import (
    ArtistFoldersError,
    CatalogError,
    EmptyCatalogError,
    read_catalog,
)
from genrenet.data.catalog.tags import read_tags
from genrenet.data.collection import DataError
from genrenet.data.datamodule import GenreDataModule
from genrenet.evaluation.datasets import DatasetError, read_dataset
from genrenet.library.genre_tags import write_genre
from tests.helpers import tagged_files
from tests.helpers.small_training import SMALL_OPTIONS
from tests.helpers.tones import tone


def song(path, genre=None, artist=None, hz=300.0, seconds=5.0, seed=0):
    """A FLAC file with tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(hz, seconds, seed=seed), 12_000)
    file = mutagen.File(path)
    for key, value in (("genre", genre), ("artist", artist), ("album", "An Album")):
        if value:
            file[key] = value
    file.save()
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Artist/Album/NN - Title: four artists of two genres in several spellings."""
    root = tmp_path_factory.mktemp("library")
    spellings = iter(["Hip-Hop", "hip hop", "Hip-Hop", "Hip-Hop; Soul", "Jazz", "jazz", "Jazz", ""])
    for number, artist in enumerate(["Ada", "Bea", "Cleo", "Dora"]):
        for title in range(2):
            path = root / artist / "First Album" / f"{title + 1:02d} - Title.flac"
            song(path, next(spellings), artist, 200.0 * (1 + number // 2), seed=number)
    return root


@pytest.mark.parametrize("name", tagged_files.FILES)
def test_genre_and_artist_of_every_kind_of_file(name, tmp_path):
    path = tagged_files.make(tmp_path, name)
    tagged_files.add_others(path)
    write_genre(str(path), ["Trip-Hop", "Jazz"])
    fields, fault = read_tags(str(path))
    assert not fault
    assert fields["genre"] == "Trip-Hop"
    assert fields["title"] == "Titel äöü"
    if name != "windows.wma":  # whose field there is another
        assert fields["artist"] == "One, Two"


def test_numbers_of_id3v1_and_of_old_id3v2(tmp_path):
    for genre, wanted in (("(17)", "Rock"), ("8", "Jazz"), ("(32)(9)", "Classical"), ("12", None)):
        path = tagged_files.make(tmp_path, "lame.mp3")
        tags = ID3()
        tags.add(TCON(encoding=0, text=[genre]))
        tags.save(path, v1=2)
        assert read_tags(str(path))[0].get("genre") == wanted
        tags.delete(path, delete_v1=False)
        assert path.read_bytes()[-128:].startswith(b"TAG")
        assert read_tags(str(path))[0].get("genre") == wanted


def test_apev2_on_an_mp3(tmp_path):
    path = tagged_files.make(tmp_path, "lame.mp3")
    tags = APEv2()
    tags["Genre"], tags["Artist"] = "Reggae", "Bob"
    tags.save(path)
    fields, _ = read_tags(str(path))
    assert (fields["genre"], fields["artist"]) == ("Reggae", "Bob")


def test_genres_of_tags(library):
    catalog = read_catalog(library, labels="tags")
    assert catalog.genres == ["Hip-Hop", "Jazz"]
    assert list(catalog.table["genre"].value_counts()) == [4, 3]
    assert sorted(set(catalog.table["artist"])) == ["Ada", "Bea", "Cleo", "Dora"]
    assert catalog.artists_known
    (problem,) = catalog.problems
    assert problem.kind == "no-genre"
    assert "1 of 8 songs have no genre in their tags" in problem.message
    assert problem.path.endswith("Dora/First Album/02 - Title.flac")


def test_songs_directly_in_a_folder_have_tags_too(tmp_path):
    for number, genre in enumerate(["Rock", "Rock", "Pop", "Pop"]):
        song(tmp_path / f"{number}.flac", genre)
    assert read_catalog(tmp_path, labels="tags").genres == ["Pop", "Rock"]
    with pytest.raises(EmptyCatalogError, match="directly in the folder"):
        read_catalog(tmp_path)


def test_no_tags_at_all(music):
    with pytest.raises(EmptyCatalogError, match="24 of 24 songs have no genre in their tags"):
        read_catalog(music, labels="tags")


def test_tags_of_the_songs_of_a_table(library, tmp_path):
    paths = sorted(library.rglob("*.flac"))
    pd.DataFrame({"path": paths, "artist": "someone"}).to_csv(tmp_path / "songs.csv", index=False)
    catalog = read_catalog(tmp_path / "songs.csv", labels="tags")
    assert catalog.genres == ["Hip-Hop", "Jazz"]
    assert set(catalog.table["artist"]) == {"someone"}


def test_folders_of_artists_are_refused(library):
    with pytest.raises(ArtistFoldersError) as caught:
        read_catalog(library)
    message = str(caught.value)
    assert "4 of 4 folders ('Ada', 'Bea', 'Cleo')" in message
    assert "Hip-Hop 3" in message
    assert "--data.labels tags" in message
    insisted = read_catalog(library, labels="folders")
    assert insisted.genres == ["Ada", "Bea", "Cleo", "Dora"]
    assert read_catalog(library, "folder").genres == insisted.genres


def test_folders_of_genres_with_artists_in_them_are_not(tmp_path):
    for genre in ("Rock", "Jazz"):
        for artist in ("Ada", "Bea", "Rock"):  # a band called Rock
            song(tmp_path / genre / f"{artist} {genre}" / "01 - Title.flac", genre, artist)
    assert read_catalog(tmp_path).genres == ["Jazz", "Rock"]
    assert not read_catalog(tmp_path).problems


def test_untagged_folders_that_look_like_artists_are_reported(tmp_path):
    for artist in ("Ada", "Bea", "Cleo"):
        for title in range(2):
            song(tmp_path / artist / "Album" / f"0{title} Title.flac")
    for file in tmp_path.rglob("*.flac"):
        mutagen.File(file).delete()
    kinds = [problem.kind for problem in read_catalog(tmp_path).problems]
    assert kinds == ["artist-folders"]
    (tmp_path / "Cleo").rename(tmp_path / "Blues")
    assert not read_catalog(tmp_path).problems


def test_every_command_takes_genres_from_tags(library, tmp_path, capsys):
    assert main(["data", "check", str(library)]) == 2
    assert "--labels tags" in capsys.readouterr().err
    assert main(["data", "check", str(library), "--labels", "tags"]) == 1
    assert "Hip-Hop" in capsys.readouterr().out
    out = tmp_path / "tree.skops"
    command = ["baseline", "tree", str(library), "--labels", "tags", "--features", "spectral-stats"]
    assert main([*command, "--out", str(out)]) == 1
    assert "trained on 7 songs" in capsys.readouterr().out
    command = ["evaluate", str(library), "--models", "tree@spectral-stats", "--protocol", "70-30"]
    assert main([*command, "--labels", "tags", "--out", str(tmp_path / "run")]) == 0
    assert GenreDataModule(str(library), labels="tags").labels == ["Hip-Hop", "Jazz"]


def test_nobody_trains_on_synthetic_sound_by_mistake():
    with pytest.raises(DataError, match=r"--data\.source DIR.*--data\.source synthetic"):
        _ = GenreDataModule().labels


@pytest.mark.parametrize("command", [["fit"], ["fit", "--config", "cnn"]])
def test_fit_without_a_source_is_refused(command, capsys):
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "no collection to work on" in error
    assert "--data.source synthetic" in error


def test_fit_with_labels_from_tags(library, tmp_path, capsys):
    options = [f"--data.source={library}", "--data.labels=tags", "--trainer.max_steps=1"]
    options += [f"--out={tmp_path}", "--data.store=null", "--data.num_workers=0", "--data.trim=0"]
    assert main(["fit", *SMALL_OPTIONS, *options]) == 0
    assert list(tmp_path.rglob("last.ckpt"))


# --- names of genres --------------------------------------------------------------------------


def test_data_check_names_genres_that_differ_in_spelling_alone(tmp_path, capsys):
    names = ["Rock", "rock", "Café", "Cafe\u0301", "Hip-Hop"]
    rows = [
        (song(tmp_path / f"{number}-{n}.flac", hz=100.0 * (number + 1), seed=n), name)
        for number, name in enumerate(names)
        for n in range(2)
    ]
    pd.DataFrame(rows, columns=["path", "genre"]).to_csv(tmp_path / "songs.csv", index=False)
    assert main(["data", "check", str(tmp_path / "songs.csv")]) == 1
    error = capsys.readouterr().err
    assert "similar-genres: " in error
    assert "'Rock' (2 songs) and 'rock' (2 songs) differ in spelling alone" in error
    assert "'Cafe\\u0301' (2 songs) and 'Café' (2 songs)" in error
    assert "Hip-Hop" not in error


def test_folders_that_differ_in_blanks_alone(music, tmp_path):
    for name in ("bass", "bass ", "treble"):
        shutil.copytree(music / name.strip(), tmp_path / name)
        for file in (tmp_path / name).iterdir():
            file.rename(file.with_name(name.replace(" ", "_") + file.name))
    catalog = read_catalog(tmp_path)
    assert catalog.genres == ["bass", "treble"]
    assert [p.kind for p in catalog.problems] == ["similar-genres"]
    assert "'bass '" in catalog.problems[0].message


# --- cells with several values ----------------------------------------------------------------


def test_lists_of_genres_and_artists_in_parquet_and_csv(tmp_path):
    paths = [str(song(tmp_path / f"{n}.flac", seed=n)) for n in range(4)]
    genres = [["classical"], ["classical", "indie"], ["rock"], ["rock"]]
    artists = [["Ada"], ["Ada", "Bea"], ["Cleo"], []]
    frame = pd.DataFrame({"path": paths, "genre": genres, "artist": artists})
    frame.to_parquet(tmp_path / "songs.parquet")
    frame.to_csv(tmp_path / "songs.csv", index=False)
    for table in ("songs.parquet", "songs.csv"):
        catalog = read_catalog(tmp_path / table)
        assert catalog.genres == ["classical", "rock"]
        assert list(catalog.table["artist"]) == ["Ada", "Ada, Bea", "Cleo", ""]
        (problem,) = catalog.problems
        assert problem.kind == "several-genres"
        assert problem.path == paths[1]
        assert (
            "1 songs have several genres, the first was taken: row 3: ['classical', 'indie']"
            in (problem.message)
        )


def test_lists_in_a_table_of_features(tmp_path):
    frame = pd.DataFrame({"filename": list("abcdef"), "tempo": [1.0, 5, 2, 4, 6, 3]})
    frame["genre"] = [["rock"], ["pop"]] * 3
    frame["artist"] = [["Ada", "Bea"]] * 6
    frame["embedding"] = [[1.0, 2.0]] * 6
    frame.to_parquet(tmp_path / "x.parquet")
    data = read_dataset(tmp_path / "x.parquet")
    assert data.labels == ["pop", "rock"]
    assert set(data.table["artist"]) == {"Ada, Bea"}
    assert data.columns == ("tempo",)
    frame["genre"] = [["rock"], ["pop"], ["rock", "indie"]] * 2
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=r"several genres.*row 4: \['rock', 'indie'\]"):
        read_dataset(tmp_path / "x.parquet")


def test_labels_that_do_not_exist(music):
    with pytest.raises(CatalogError, match="unknown labels"):
        read_catalog(music, labels="names")
