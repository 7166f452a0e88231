"""The page on players: its commands run, its rules are valid, its links exist."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from genrenet.cli import main
from genrenet.library.genre_tags import read_genre
from genrenet.library.tag_plans import Wish
from genrenet.library.tag_rules import Rules

PAGE = Path(__file__).parents[2] / "docs" / "players.md"
TEXT = PAGE.read_text(encoding="utf-8")
MORE = {
    # The default model would say that the tones of the tests are no music.
    "scan": ["--checkpoint", "emotify-cnn"],
    "tag": ["--min-confidence", "0"],
    "playlist": ["--min-confidence", "0", "--by-score"],
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


@pytest.fixture
def place(music, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(music / "treble", tmp_path / "Music" / "Ann" / "First")
    (tmp_path / "rules.yaml").write_text(blocks("yaml")[0])
    return tmp_path


def test_the_commands_in_their_order(place, capsys):
    songs = sorted(map(str, place.rglob("*.wav")))
    for line in "".join(blocks("bash")).splitlines():
        program, command, *words = shlex.split(line, comments=True)
        assert program == "genrenet"
        words = [word.replace("~/Music", str(place / "Music")) for word in words]
        more = [] if "--undo" in words else MORE[command]
        # A small library may have too little for a playlist, which is not an error.
        assert main([command, *words, *more]) in (0, 1), f"{line}\n{capsys.readouterr().err}"
        if "--undo" in words:
            assert [read_genre(song) for song in songs] == [None] * len(songs)
    assert all(read_genre(song) for song in songs)
    assert (place / "Music" / "rock.m3u8").read_text().startswith("#EXTM3U\n#PLAYLIST:")
    lines = (place / "rock.m3u").read_text().splitlines()
    assert all(line.startswith(("#", str(place / "Music"))) for line in lines)


def test_the_rules():
    rules = Rules(yaml.safe_load(blocks("yaml")[0]))
    assert rules.wish("/m/Podcasts/a.mp3", Wish()).skip
    assert rules.wish("/m/Classical/Bach/a.mp3", Wish()).min_confidence == 0.8
    found = rules.wish("/m/Downloads/a.mp3", Wish())
    assert (found.genres, found.subgenres, found.keep_existing) == (2, "style", False)


def test_links_lead_somewhere():
    heads = {
        re.sub(r"[^\w -]", "", head).strip().lower() for head in re.findall(r"^#+ (.+)", TEXT, re.M)
    }
    anchors = {head.replace(" ", "-") for head in heads}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        if path:
            assert (PAGE.parent / path).exists(), target
        else:
            assert anchor in anchors, target
