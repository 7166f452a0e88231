"""Plans for songs: several genres, subgenres, and existing genres."""

import pytest
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC

from genrenet.inference.taxonomy import taxonomy
from genrenet.library.genre_tags import read_fields, write_fields
from genrenet.library.table import About, write_rows
from genrenet.library.tag_plans import Wish, plan
from genrenet.library.tag_rules import Rules
from genrenet.library.tagging import tag_songs, undo_tags
from tests.helpers.scanned_songs import add_song, row
from tests.helpers.tagged_files import make


def planned(tmp_path, wish, had=None, **more):
    path = tmp_path / "song.flac"
    add_song(path, had)
    return plan({"genres": None, "error": None, **row(path, **more)}, wish)


SEVERAL = {"genre": "rock", "genres": "rock; pop; blues", "subgenres": "shoegaze; indie rock"}


@pytest.mark.parametrize(
    ("wish", "new"),
    [
        (Wish(), ["rock"]),
        (Wish(genres=2), ["rock", "pop"]),
        (Wish(genres=9), ["rock", "pop", "blues"]),
        (Wish(genres=3, names={"pop": ("Pop", "rock"), "blues": ()}), ["rock", "Pop"]),
    ],
)
def test_several_genres_by_score(tmp_path, wish, new):
    assert planned(tmp_path, wish, **SEVERAL).new == new


def test_a_correction_is_the_only_genre(tmp_path):
    found = planned(tmp_path, Wish(genres=3), correction="jazz", **SEVERAL)
    assert (found.new, found.confidence) == (["jazz"], 1.0)


@pytest.mark.parametrize(
    ("held", "kind"),
    [("rock", "tagged"), ("Bebop", "agrees"), ("Jazz", "agrees"), ("jazz", "same")],
)
def test_a_correction_replaces_a_genre_that_contradicts_it(held, kind, tmp_path):
    found = planned(tmp_path, Wish(), [held], genre="rock", correction="jazz")
    assert found.kind == kind


def test_a_first_answer_that_is_not_among_the_genres_comes_first(tmp_path):
    found = planned(tmp_path, Wish(genres=2), genre="shoegaze", genres="rock; pop")
    assert found.new == ["shoegaze", "rock"]
    several = {"genre": "shoegaze", "genres": "rock; pop", "subgenres": "shoegaze"}
    found = planned(tmp_path, Wish(genres=2, subgenres="style"), **several)
    assert (found.new, found.also) == (["rock", "pop"], {"style": (None, ["shoegaze"])})


def test_subgenres_of_the_model_and_of_a_taxonomy(tmp_path):
    found = planned(tmp_path, Wish(subgenres="grouping"), **SEVERAL)
    assert found.also == {"grouping": (None, ["shoegaze", "indie rock"])}
    assert planned(tmp_path, Wish(), **SEVERAL).also == {}
    beets = taxonomy("beets")
    names = {"metal": (beets.rename("metal"),)}
    found = planned(tmp_path, Wish(names=names, parents=beets.parents), genre="metal")
    assert (found.new, found.also) == (["heavy metal"], {})
    wish = Wish(names=names, parents=beets.parents, subgenres="style")
    found = planned(tmp_path, wish, genre="metal")
    assert (found.new, found.also) == (["rock"], {"style": (None, ["heavy metal"])})


@pytest.mark.parametrize(
    ("had", "ours", "kind", "new"),
    [
        (None, "rock", "tagged", ["rock"]),
        (["Other"], "rock", "tagged", ["rock"]),
        (["Unknown", "Misc"], "rock", "tagged", ["rock"]),
        (["(255)"], "rock", "tagged", ["rock"]),
        (["147?"], "rock", "tagged", ["rock"]),
        (["Shoegaze"], "rock", "agrees", None),
        (["Indie Rock", "Britpop"], "rock", "agrees", None),
        (["Rock"], "rock", "agrees", None),
        (["(17)"], "rock", "agrees", None),
        (["Other", "Shoegaze"], "rock", "tagged", ["Shoegaze"]),
        (["Jazz/Shoegaze"], "rock", "agrees", None),
        (["Rock"], "metal", "wider", None),
        (["Jazz"], "rock", "against", ["rock"]),
        (["My own"], "rock", "against", ["rock"]),
    ],
)
def test_refine(tmp_path, had, ours, kind, new):
    found = planned(tmp_path, Wish(refine=True), had, genre=ours)
    assert (found.kind, found.new) == (kind, new)
    if had:
        kept = planned(tmp_path, Wish(), had, genre=ours)
        assert kept.kind == "kept"
        over = planned(tmp_path, Wish(refine=True, keep_existing=False), had, genre=ours)
        assert over.kind == ("agrees" if kind == "agrees" else "tagged")


def test_refine_knows_labels_and_what_is_written_for_them(tmp_path):
    wish = Wish(refine=True, names={"hiphop": ("Urban",)})
    assert planned(tmp_path, wish, ["Gangsta Rap"], genre="hiphop").kind == "agrees"
    wish = Wish(refine=True, genres=2)
    assert planned(tmp_path, wish, ["Synthpop"], **SEVERAL).kind == "agrees"
    assert planned(tmp_path, Wish(refine=True), ["Synthpop"], **SEVERAL).kind == "against"


def test_refine_looks_into_other_tags_too(tmp_path):
    path = make(tmp_path, "lame.mp3")
    tags = APEv2()
    tags["Genre"] = "Shoegaze"
    tags.save(path)
    assert plan({"genres": None, "error": None, **row(path)}, Wish(refine=True)).kind == "agrees"
    tags["Genre"] = "Jazz"
    tags.save(path)
    found = plan({"genres": None, "error": None, **row(path)}, Wish(refine=True))
    assert (found.kind, found.old, found.new) == ("against", ["Jazz"], ["rock"])
    tags["Genre"] = "Other"
    tags.save(path)
    found = plan({"genres": None, "error": None, **row(path)}, Wish(refine=True, genres=2))
    assert (found.kind, found.old, found.new) == ("tagged", None, ["rock"])


def test_subgenres_beside_a_genre_that_stays(tmp_path):
    wish = Wish(refine=True, subgenres="style")
    found = planned(tmp_path, wish, ["Shoegaze"], **SEVERAL)
    assert (found.kind, found.old, found.new) == ("tagged", ["Shoegaze"], ["Shoegaze"])
    assert found.changes() == {"style": (None, ["shoegaze", "indie rock"])}
    found = planned(tmp_path, wish, ["Jazz"], **SEVERAL)
    assert (found.kind, found.changes()) == ("against", {})
    path = tmp_path / "song.flac"
    write_fields(str(path), {"genre": None, "style": ["mine"]})
    assert plan({"error": None, **row(path, **SEVERAL)}, wish).also == {}
    over = Wish(keep_existing=False, subgenres="style")
    assert plan({"error": None, **row(path, **SEVERAL)}, over).also["style"][0] == ["mine"]


def test_all_fields_are_taken_back(tmp_path):
    """A file of each kind, with fields of its own and without."""
    paths = [make(tmp_path, name) for name in ("lame.mp3", "free.flac", "late.m4a", "pack.wv")]
    paths.append(tmp_path / "own.flac")
    add_song(paths[-1], ["Soul"])
    write_fields(str(paths[-1]), {"grouping": ["mine", "yours"]})
    was = [read_fields(str(path)).values for path in paths]
    table, undo = tmp_path / "library.parquet", tmp_path / "undo"
    write_rows(table, [row(path, **SEVERAL) for path in sorted(paths)], About(["rock"], "model"))
    wish = Wish(genres=2, subgenres="grouping", keep_existing=False)
    assert {found.kind for found in tag_songs(table, wish, undo=undo)} == {"tagged"}
    now = [read_fields(str(path)).values for path in paths]
    assert [one["genre"] for one in now] == [["rock/pop"], *[["rock", "pop"]] * 4]
    assert now[1]["grouping"] == now[4]["grouping"] == ["shoegaze", "indie rock"]
    assert {found.kind for found in tag_songs(table, wish, undo=undo)} == {"same"}
    assert {found.kind for found in undo_tags(undo, write=True)} == {"tagged"}
    assert [read_fields(str(path)).values for path in paths] == was
    assert {found.kind for found in undo_tags(undo, write=True)} == {"same"}


def test_what_others_wrote_meanwhile_stays_the_rest_is_taken_back(tmp_path):
    path, table, undo = tmp_path / "a.flac", tmp_path / "library.parquet", tmp_path / "undo"
    add_song(path)
    write_rows(table, [row(path, **SEVERAL)], About(["rock"], "model"))
    list(tag_songs(table, Wish(subgenres="style"), undo=undo))
    write_fields(str(path), {"genre": ["My own"]})
    (found,) = undo_tags(undo, write=True)
    assert found.kind == "tagged"
    assert "the genre of" in found.error
    tags = FLAC(path).tags
    assert tags["GENRE"] == ["My own"]
    assert "STYLE" not in tags


def test_rules_of_folders(tmp_path):
    for name in ("Podcasts", "Live", "Rest"):
        (tmp_path / name).mkdir()
        add_song(tmp_path / name / "a.flac", ["Jazz"] if name == "Live" else None)
    rows = [row(tmp_path / name / "a.flac", **SEVERAL) for name in ("Live", "Podcasts", "Rest")]
    table = tmp_path / "library.parquet"
    write_rows(table, rows, About(["rock"], "model"))
    rules = Rules(
        [
            {"match": "Podcasts", "skip": True},
            {"match": "Live", "genres": 2, "existing": "overwrite"},
        ]
    )
    found = [(one.kind, one.new) for one in tag_songs(table, Wish(), rules=rules)]
    assert found == [("tagged", ["rock", "pop"]), ("skipped", None), ("tagged", ["rock"])]
