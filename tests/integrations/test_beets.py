"""The plugin in beets' own program: an import, the command, and lastgenre's tree."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import mutagen
import pytest
import soundfile

from genrenet.library.genre_tags import read_genre, write_genre
from tests.helpers.tones import RATE, tone

pytest.importorskip("beets")
PACKAGE = Path(__file__).parents[2] / "integrations" / "beets"
SETTINGS = """
directory: {folder}/library
library: {folder}/library.db
plugins: genrenet
import: {{write: yes, copy: no, autotag: no, log: {folder}/log}}
genrenet:
    model: emotify-cnn
    offline: yes
    count: 2
    min_confidence: 0.2
"""


@pytest.fixture
def beets(tmp_path):
    """beets with a folder of its own, and nothing of the user's."""
    (tmp_path / "config.yaml").write_text(SETTINGS.format(folder=tmp_path))
    environment = {**os.environ, "BEETSDIR": str(tmp_path), "PYTHONPATH": str(PACKAGE)}

    def run(*arguments, code=0):
        command = [sys.executable, "-m", "beets", *map(str, arguments)]
        found = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert found.returncode == code, found.stdout + found.stderr
        return found.stdout + found.stderr

    return run


@pytest.fixture
def songs(tmp_path):
    """Two albums of three songs: without a genre, with one, and with a place-holder."""
    had = [None, "Jazz", "Other"] * 2
    paths = []
    for number, genre in enumerate(had):
        folder = tmp_path / "music" / f"Album {number // 3}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number}.{'flac' if number % 2 else 'mp3'}"
        soundfile.write(path, tone(200 + 150 * number, 8.0, seed=number), RATE)
        file = mutagen.File(path, easy=True)
        if file.tags is None:
            file.add_tags()
        file.tags.update({"title": f"Song {number}", "artist": "A", "album": f"{number // 3}"})
        file.save()
        write_genre(str(path), [genre] if genre else None)
        paths.append(path)
    return paths


def in_library(folder, table="items"):
    with closing(sqlite3.connect(folder / "library.db")) as database:
        found = database.execute(f"SELECT genres FROM {table} ORDER BY id").fetchall()
    return [genres.split("\\\u2400") if genres else [] for (genres,) in found]


@pytest.mark.long
def test_an_import_and_the_command(beets, songs, tmp_path):
    beets("import", "-q", "-A", "-C", tmp_path / "music")
    known = {"Classical", "Electronic", "Pop", "Rock"}
    now = [read_genre(str(path)) for path in songs]
    assert [genres == ["Jazz"] for genres in now] == [False, True, False] * 2
    named = [genres for genres in now if genres != ["Jazz"]]
    assert all(1 <= len(genres) <= 2 and {*genres} <= known for genres in named)
    assert sorted(in_library(tmp_path)) == sorted(now)
    assert all(in_library(tmp_path, "albums"))
    assert mutagen.File(songs[0], easy=True)["title"] == ["Song 0"]

    shown = beets("genrenet", "--force", "--count", "1", "--pretend")
    assert shown.count("A - ") >= 2
    assert [read_genre(str(path)) for path in songs] == now
    beets("genrenet", "--force", "--count", "1")
    after = [read_genre(str(path)) for path in songs]
    assert all(len(genres) == 1 and {*genres} <= known for genres in after)
    assert sorted(in_library(tmp_path)) == sorted(after)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """The plugin's module, and a function that makes settings."""
    monkeypatch.setenv("BEETSDIR", str(tmp_path))
    monkeypatch.syspath_prepend(str(PACKAGE))
    import confuse
    from beetsplug import genrenet as module

    def settings(**given):
        view = confuse.Configuration("test", read=False)
        view.set({**module.DEFAULTS, **given})
        return view

    return module, settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "none-such"}, "none-such"),
        ({"model": "emotify-cnn", "taxonomy": "none-such"}, "no taxonomy 'none-such'"),
        ({"model": "emotify-cnn", "canonical": "/none/such.yaml"}, "cannot read '/none/such"),
    ],
)
def test_settings_that_cannot_be_used(plugin, given, said):
    module, settings = plugin
    with pytest.raises(module.UserError, match=f"genrenet: .*{said}"):
        module.Scorer(settings(offline=True, **given))


def test_names_as_lastgenre_has_them(plugin, tmp_path):
    module, settings = plugin

    def tree(**given):
        return module.Tree(settings(**given))

    genres = ["heavy metal", "rock", "pop"]
    assert tree().names(genres) == ["Heavy Metal", "Rock", "Pop"]
    assert tree(title_case=False).names(["hip hop"]) == ["hip hop"]
    assert tree(canonical=True).names(genres) == ["Rock", "Pop"]
    assert tree(canonical=True, whitelist=True).names(genres) == ["Heavy Metal", "Rock", "Pop"]
    assert tree(canonical=True, whitelist=True).names(["bebop"]) == ["Bebop", "Jazz"]
    assert tree(whitelist=True).names(["rock", "my own"]) == ["Rock"]
    (tmp_path / "tree.yaml").write_text("- Loud:\n  - Rock\n- quiet\n")
    (tmp_path / "list.txt").write_text("# mine\nLoud\nrock\n")
    own = {"canonical": str(tmp_path / "tree.yaml"), "whitelist": str(tmp_path / "list.txt")}
    assert tree(**own).names(["rock", "quiet"]) == ["Rock", "Loud"]
    own["whitelist"] = False
    assert tree(**own).names(["rock", "quiet", "else"]) == ["Loud", "Quiet", "Else"]
