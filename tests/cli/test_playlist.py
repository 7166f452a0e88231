"""``genrenet playlist``: files, messages, and invalid requests."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import av
import pytest

from genrenet.cli import main
from genrenet.library.table import About, write_rows
from genrenet.playlists import read_playlist
from genrenet.playlists.paths import line_of
from genrenet.utils.errors import GenrenetError
from tests.helpers.music_shelves import add_song, make_shelf, write_table


@pytest.fixture
def table(tmp_path) -> Path:
    """Ten songs each of jazz and blues, 100 to 400 s long."""
    return make_shelf(tmp_path / "shelf", number=10)


def run(*arguments) -> int:
    return main(["playlist", *map(str, arguments)])


def names(file) -> list[str]:
    return [Path(song.path).name for song in read_playlist(file)]


def test_from_a_folder_that_is_scored_now(music, checkpoint, tmp_path, capsys):
    shutil.copytree(music, tmp_path / "music")
    (tmp_path / "music" / "broken.mp3").write_bytes(b"no music")
    out = tmp_path / "bass.m3u8"
    asked = ["--genre", "bass", "--min-confidence", "0", "--songs", "3", "--checkpoint", checkpoint]
    assert run(tmp_path / "music", *asked, "--out", out) == 1
    said = capsys.readouterr()
    told, following = said.out.splitlines()
    assert told == f"3 songs, 0:15 in {out}"
    assert following.startswith("next: genrenet recommend ")
    assert "broken.mp3" in said.err
    assert "1 file without a genre left out" in said.err
    lines = out.read_text().splitlines()
    assert lines[:2] == ["#EXTM3U", "#PLAYLIST:bass"]
    assert all(line.startswith(("#EXTINF:5,bass-", "music/bass/bass-")) for line in lines[2:])
    (tmp_path / "music" / "broken.mp3").unlink()
    # A second link is no failure.
    (tmp_path / "music" / "link.wav").symlink_to(tmp_path / "music" / "bass" / "bass-0.wav")
    assert run(tmp_path / "music", *asked, "--out", out) == 0
    assert capsys.readouterr().err == ""


def test_a_smooth_order_through_embeddings(music, checkpoint, tmp_path, capsys):
    held, out = tmp_path / "songs.npz", tmp_path / "x.m3u8"
    embed = ["embed", music, "--backbone", checkpoint, "--per", "song", "--out", held]
    assert main([*map(str, embed)]) == 0
    asked = ["--checkpoint", checkpoint, "--min-confidence", "0", "--order", "smooth"]
    assert run(music, *asked, "--embeddings", held, "--start", "treble-7", "--out", out) == 0
    found = [name.partition("-")[0] for name in names(out)]
    assert found[0] == "treble"
    # Songs of a kind stand together: two changes among 24 songs.
    assert sum(one != after for one, after in pairwise(found)) == 2
    assert capsys.readouterr().err == ""


def test_real_songs_open(shared_data, tmp_path, capsys):
    folder = tmp_path / "music"
    folder.mkdir()
    for song in sorted((shared_data / "emotify" / "rock").glob("*.mp3"))[:3]:
        shutil.copy(song, folder / f"#{song.stem} ä.mp3")
    out = tmp_path / "all.xspf"
    assert run(folder, "--min-confidence", "0", "--frames", "1", "--out", out) == 0
    found = read_playlist(out)
    assert len(found) == 3
    for song in found:
        assert song.artist
        assert song.title
        with av.open(song.path) as held:
            assert held.streams.audio[0].duration


def test_length_and_formats(table, tmp_path, capsys):
    for suffix in ("m3u8", "m3u", "xspf", "json"):
        out = tmp_path / f"mix.{suffix}"
        asked = ("--genre", "jazz:2", "blues", "--length", "30min", "--out", out)
        assert run(table, *asked) == 0
        clock = capsys.readouterr().out.split(", ")[1]
        assert clock[:5] in ("29:58", "29:59", "30:00", "30:01", "30:02")
    assert names(tmp_path / "mix.m3u8") == names(tmp_path / "mix.xspf")
    held = json.loads((tmp_path / "mix.json").read_text())
    assert held["title"] == "jazz, blues"
    assert held["seconds"] == pytest.approx(1800, abs=3)


def test_printed(table, tmp_path, capsys, monkeypatch):
    asked = ("--genre", "jazz", "--songs", "2", "--title", "Käse")
    assert run(table, *asked) == 0
    said = capsys.readouterr()
    folder = tmp_path / "shelf"
    assert said.out.splitlines()[1:] == [
        "#PLAYLIST:Käse",
        said.out.splitlines()[2],
        line_of(str(folder / "jazz-00.flac"), None),
        said.out.splitlines()[4],
        line_of(str(folder / "jazz-01.flac"), None),
    ]
    assert said.err.startswith("2 songs, ")
    monkeypatch.chdir(tmp_path)
    assert run(table, *asked, "--paths", "relative") == 0
    assert capsys.readouterr().out.splitlines()[3] == "shelf/jazz-00.flac"


def test_orders(table, tmp_path, capsys):
    out, asked = tmp_path / "x.m3u8", ("--genre", "jazz", "--min-confidence", "0.9")
    assert run(table, *asked, "--out", out) == 0
    surest = names(out)
    assert surest == [f"jazz-{at:02d}.flac" for at in range(10)]
    orders = []
    for seed in (1, 1, 2):
        assert run(table, *asked, "--order", "shuffle", "--seed", seed, "--out", out) == 0
        orders.append(names(out))
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == surest
    assert run(table, *asked, "--order", "smooth", "--start", "jazz-09", "--out", out) == 0
    # One genre's songs differ in nothing but confidence: from one end to the other.
    assert names(out) == surest[::-1]


def test_exclusions_that_fit_nothing_are_told(table, tmp_path, capsys):
    (tmp_path / "old.m3u8").write_text("D:\\Music\\gone.mp3\n", encoding="utf-8")
    out = tmp_path / "new.m3u8"
    words = ["--exclude-list", str(tmp_path / "old.m3u8"), "--exclude", "no such*"]
    assert main(["playlist", str(table), "--genre", "jazz", *words, "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert f"no song of the list '{tmp_path / 'old.m3u8'}' was found in the library" in told
    assert "--exclude 'no such*' fits no file of the library" in told


def test_exclusions(table, tmp_path, capsys):
    first, second = tmp_path / "1.m3u8", tmp_path / "2.xspf"
    assert run(table, "--genre", "jazz", "--songs", "4", "--out", first) == 0
    asked = (
        "--genre",
        "jazz",
        "--exclude-list",
        first,
        "--exclude",
        "*-05.flac",
        "artist:artist 1",
    )
    assert run(table, *asked, "--out", second) == 0
    assert names(second) == [f"jazz-0{at}.flac" for at in (4, 7, 8, 9)]
    assert "6 songs passed over: excluded" in capsys.readouterr().err


def test_files_that_are_gone_are_named_and_the_rest_is_written(table, tmp_path, capsys):
    for at in range(5):
        (tmp_path / "shelf" / f"jazz-0{at}.flac").unlink()
    out = tmp_path / "x.m3u8"
    assert run(table, "--genre", "jazz", "--out", out) == 1
    said = capsys.readouterr().err.splitlines()
    gone = tmp_path / "shelf" / "jazz-00.flac"
    assert said[0] == f"genrenet playlist: '{gone}' has been deleted or moved since the scan"
    assert said[3:] == [
        "genrenet playlist: and 2 more",
        "genrenet playlist: 5 of 20 files have been moved or deleted since the scan; "
        "run 'genrenet scan' again",
    ]
    assert names(out) == [f"jazz-0{at}.flac" for at in range(5, 10)]


def test_too_little_is_said(table, tmp_path, capsys):
    out = tmp_path / "x.m3u8"
    assert run(table, "--genre", "jazz", "--length", "10h", "--out", out) == 1
    assert "the library has too few songs: " in capsys.readouterr().err
    assert len(names(out)) == 10


def test_libraries_without_songs(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    write_rows(tmp_path / "empty.parquet", [], About(["jazz"], "m"))
    add_song(tmp_path / "a.flac")
    gone = write_table(tmp_path / "gone.sqlite", {tmp_path / "b.flac": ("jazz", 0.9, 1.0)})
    out = tmp_path / "x.m3u8"
    for place, words in {
        tmp_path / "empty": "no audio files in",
        tmp_path / "empty.parquet": "no songs to choose from",
        gone: "1 songs left out",
        tmp_path / "none": "there is no library",
        tmp_path / "none.parquet": "there is no library",
        tmp_path / "a.flac" / "b": "there is no library",
    }.items():
        assert run(place, "--genre", "jazz", "--out", out) == 2
        said = capsys.readouterr().err
        assert words in said
        assert len(said.splitlines()) == 1
        assert not out.exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--genre", "jaz"], "has no genre 'jaz': wanted one of blues, jazz, rock; did you mean"),
        (["--out", "none/x.m3u8"], "no folder"),
        (["--out", "x.mp3"], "found the suffix '.mp3'"),
        (["--length", "soon"], "--length: found 'soon'"),
        (["--min-confidence", "2"], "--min-confidence: found 2"),
        (["--genre", "jazz", "--min-confidence", "1"], "lower --min-confidence"),
        (["--exclude-list", "none.m3u8"], "cannot read the playlist"),
        (["--embeddings", "none.npz", "--order", "smooth"], "no file of embeddings"),
        (["--start", "jazz-01"], "--start cannot be used"),
        (["--start", "jazz", "--order", "smooth"], "may be any of 10 songs"),
        (["--checkpoint", "emotify-cnn"], "--checkpoint cannot be used"),
        (["--exclude", "artist:"], "wanted a glob, or 'artist:NAME'"),
        (["--songs", "0"], "wanted 1 or more; see"),
        (["--songs", "3", "--length", "5"], "not allowed with"),
        (["--order", "random"], "invalid choice"),
    ],
)
def test_requests_that_cannot_be_carried_out(table, tmp_path, capsys, monkeypatch, asked, said):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "x.m3u8"
    out.write_text("old")
    before = sorted(tmp_path.iterdir())
    try:
        code = run(table, *([] if "--out" in asked else ["--out", out]), *asked)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.splitlines()) == 1
    assert out.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_that_is_none(tmp_path):
    (tmp_path / "x.parquet").write_text("no table")
    from genrenet.cli.playlist import run as playlist_run

    with pytest.raises(GenrenetError, match="is not the table of a scanned library"):
        playlist_run("playlist", [str(tmp_path / "x.parquet")])
