"""``genrenet tag``: output, written tags, maps, exit codes and undoing."""

import errno
import json
import os
import subprocess
import sys

import pytest

from genrenet.cli import tag, telling
from genrenet.cli.tag_files import TagError
from genrenet.library.genre_tags import read_genre, write_genre
from genrenet.library.table import About, TableError, read_rows, write_rows
from genrenet.library.tagging import TaggingStoppedError
from genrenet.utils.errors import GenrenetError
from tests.helpers.audio_files import encode, signal
from tests.helpers.scanned_songs import add_song, row


def run(command, arguments):
    with telling.session(command):
        return tag.run(command, arguments)


@pytest.fixture
def table(tmp_path):
    """Four good songs: one of each sort."""
    paths = [tmp_path / f"{name}.flac" for name in "abcd"]
    for path in paths:
        add_song(path)
    write_genre(str(paths[1]), ["Soul", "R\x1bB"])
    rows = [
        row(paths[0]),
        row(paths[1], "pop"),
        row(paths[2], "hip-hop", 0.4),
        row(paths[3], None, None, error="cannot read it"),
    ]
    file = tmp_path / "library.parquet"
    write_rows(file, rows, About(["rock", "pop", "hip-hop"], "model"))
    return file


def genre(table, name):
    return read_genre(str(table.with_name(f"{name}.flac")))


def test_shows_then_writes_then_takes_back(table, capsys):
    assert run("tag", [str(table), "--overwrite"]) == 0
    shown = capsys.readouterr()
    head, *lines = shown.out.splitlines()
    assert head == f"in {table.parent}"
    assert [line.split() for line in lines[:3]] == [
        ["song", "now", "new", "score"],
        ["a.flac", "—", "->", "rock", "0.90"],
        ["b.flac", "Soul;", "R", "B", "->", "pop", "0.90"],
    ]
    assert lines[3:] == [
        "2 would be changed (nothing is written without --write)",
        "by genre: pop 1, rock 1",
        "1 not changed: below --min-confidence 0.5",
        "1 not changed: an error in the scan, no genre, or not music",
        f"next: genrenet tag {table} --overwrite --write    # writes the tags",
    ]
    assert shown.err == ""
    assert genre(table, "a") is None
    undo = table.with_name("library.parquet.undo.jsonl")
    assert not undo.exists()

    assert run("tag", [str(table), "--overwrite", "--write"]) == 0
    assert "\n2 changed\n" in (out := capsys.readouterr().out)
    assert f"next: genrenet tag --undo {undo} --write    # restores the old genres" in out
    assert (genre(table, "a"), genre(table, "b")) == (["rock"], ["pop"])

    assert run("tag", ["--undo", str(undo)]) == 0
    assert "2 would be changed" in capsys.readouterr().out
    assert genre(table, "a") == ["rock"]
    assert run("tag", ["--undo", str(undo), "--write"]) == 0
    assert (genre(table, "a"), genre(table, "b")) == (None, ["Soul", "R\x1bB"])


SCRIPT = """
import pty, subprocess, sys
ours, theirs = pty.openpty()
program = "import sys; from genrenet.cli.tag import run; run('tag', [*sys.argv[1:], '--overwrite'])"
with open(sys.argv[2], "wb") as out:
    command = [sys.executable, "-c", program, sys.argv[1]]
    subprocess.run(command, stdout=out, stderr=theirs, check=True)
"""


def test_the_list_reaches_a_file_beside_a_bar(table, tmp_path):
    """With standard error on a terminal, where the bar is, and standard output elsewhere."""
    out = tmp_path / "list.txt"
    subprocess.run([sys.executable, "-c", SCRIPT, str(table), str(out)], check=True)
    lines = out.read_text().splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["a.flac", "b.flac"]
    assert lines[4].startswith("2 would be changed")


@pytest.mark.parametrize("keep", [[], ["--keep-existing"]])
def test_options(table, tmp_path, capsys, keep):
    undo = tmp_path / "way-back"
    arguments = ["--min-confidence", "0.3", *keep, "--undo-file", str(undo)]
    assert run("tag", [str(table), *arguments, "--write"]) == 0
    assert (genre(table, "a"), genre(table, "c")) == (["rock"], ["hip-hop"])
    assert genre(table, "b") == ["Soul", "R\x1bB"]
    assert "1 keep their genre" in capsys.readouterr().out
    assert undo.read_text().count("\n") == 2


def test_refine_rules_and_several_genres(table, tmp_path, capsys):
    folder = table.parent
    (folder / "Live" / "x").mkdir(parents=True)
    (folder / "Podcasts").mkdir()
    had = {
        "Live/x/1.flac": "Other",
        "Live/x/2.flac": "Jazz",
        "Podcasts/3.flac": None,
        "4.flac": "Shoegaze",
    }
    rows = []
    for name, genre_ in sorted(had.items()):
        add_song(folder / name, [genre_] if genre_ else None)
        more = {"genres": "rock; pop", "subgenres": "indie rock"}
        rows.append(row(folder / name, **more))
    write_rows(table, rows, About(["rock", "pop", "indie rock"], "model"))
    (tmp_path / "rules.yaml").write_text("rules:\n- {match: Podcasts, skip: true}\n")
    arguments = [str(table), "--genres", "2", "--subgenres", "style", "--refine"]
    arguments += ["--rules", str(tmp_path / "rules.yaml")]
    assert run("tag", arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines[1:-1])
    assert [line.split() for line in lines[2:9]] == [
        ["4.flac", "Shoegaze", "==", "Shoegaze", "0.90"],
        ["style", "—", "->", "indie", "rock"],
        ["Live/x"],
        ["1.flac", "Other", "->", "rock;", "pop", "0.90"],
        ["style", "—", "->", "indie", "rock"],
        ["2.flac", "Jazz", "!=", "rock;", "pop", "0.90"],
        ["2", "would", "be", "changed", "(nothing", "is", "written", "without", "--write)"],
    ]
    assert "1 keep a genre that contradicts it" in "\n".join(lines)
    assert "1 not changed: excluded by a rule" in lines
    assert run("tag", [*arguments, "--write", "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert read_genre(str(folder / "Live/x/1.flac")) == ["rock", "pop"]
    assert read_genre(str(folder / "Live/x/2.flac")) == ["Jazz"]


def test_subgenres_that_no_song_has(table, capsys):
    assert run("tag", [str(table), "--subgenres", "style"]) == 0
    assert "no song has subgenres" in capsys.readouterr().out


def test_nfo(table, capsys):
    with pytest.raises(SystemExit):
        run("tag", [str(table), "--nfo", "--albums"])
    rows = [{**one, "album": "A", "artist": "B"} for one in read_rows(table)]
    write_rows(table, rows, About(["rock", "pop", "hip-hop"], "model"))
    assert run("tag", [str(table), "--nfo", "--genres", "2", "--write"]) == 0
    shown = capsys.readouterr().out
    file = table.with_name("album.nfo")
    assert "<genre>rock</genre>\n  <genre>pop</genre>" in file.read_text()
    assert [line.split() for line in shown.splitlines()[2:3]] == [
        ["album.nfo", "—", "->", "rock;", "pop"]
    ]
    assert genre(table, "a") is None
    undo = table.with_name("library.parquet.undo.jsonl")
    assert run("tag", ["--undo", str(undo), "--write", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["songs"] == [
        {"path": str(file), "kind": "tagged", "old": ["rock", "pop"]}
    ]
    assert not file.exists()


def test_json(table, capsys):
    assert run("tag", [str(table), "--overwrite", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["written"], found["changed"], found["genres"]) == (
        False,
        2,
        {"pop": 1, "rock": 1},
    )
    assert found["kinds"] == {"tagged": 2, "unsure": 1, "nothing": 1}
    song = found["songs"][1]
    assert (song["old"], song["new"], song["confidence"]) == (["Soul", "R\x1bB"], ["pop"], 0.9)
    assert found["next"].endswith("--overwrite --write")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read the rules .* No such file"),
        ("- match: [", "cannot read the rules"),
        ("rules: none", "wanted a list"),
        ("- {match: a, genre: 2}", r"the rules .*rule 1 \('a'\).* wanted genres"),
    ],
)
def test_rules_that_cannot_be_used(table, tmp_path, text, said):
    if text is not None:
        (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(TagError, match=said):
        run("tag", [str(table), "--rules", str(tmp_path / "rules.yaml"), "--write"])
    assert genre(table, "a") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", "genre,tag\nrock,Rock; Guitar\npop,\n"),
        ("map.csv", "\ufefftag,genre,why\r\n Rock ;Guitar,rock,\r\n,pop,no such thing\r\n"),
        ("map.yaml", "rock: Rock; Guitar\npop:\n"),
        ("map.yml", "rock: [Rock, Guitar]\npop: []\n"),
    ],
)
def test_maps(table, tmp_path, capsys, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    arguments = [str(table), "--map", str(tmp_path / name), "--min-confidence", "0", "--write"]
    assert run("tag", arguments) == 0
    assert genre(table, "a") == ["Rock", "Guitar"]
    assert genre(table, "b") == ["Soul", "R\x1bB"]
    assert genre(table, "c") == ["hip-hop"]
    assert "1 not changed: the map has an empty tag for their genre" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("map.csv", "genre,tag\nROCK,Rock\nHipHop,x\n", r"'ROCK' \(near rock\), 'HipHop' \(near"),
        ("map.csv", "genre,tag\nzydeco,Rock\n", "'zydeco', wanted one of rock, pop, hip-hop"),
        ("map.csv", "genre,tag\nrock,Rock\nrock,Pop\n", "names 'rock' twice"),
        ("map.csv", "rock,Rock\n", "found the header 'rock,Rock'"),
        ("map.csv", "", "wanted the header 'genre,tag'"),
        ("map.csv", b"genre,tag\nrock,\xff\n", "cannot read the map"),
        ("map.yaml", "- rock\n", "a YAML mapping"),
        ("map.yaml", "rock: [", "a YAML mapping"),
        ("none.csv", None, "cannot read the map"),
    ],
)  # fmt: skip
def test_maps_that_cannot_be_used(table, tmp_path, name, text, said):
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TagError, match=said):
        run("tag", [str(table), "--map", str(tmp_path / name), "--write"])
    assert genre(table, "a") is None


def test_failures_are_listed_and_the_rest_is_done(table, capsys):
    os.unlink(table.with_name("a.flac"))
    assert run("tag", [str(table), "--overwrite", "--write"]) == 1
    shown = capsys.readouterr()
    assert "1 changed" in shown.out
    assert "1 deleted or moved" in shown.out
    assert (
        f"genrenet tag: '{table.with_name('a.flac')}' has been deleted or moved since the scan"
        in shown.err
    )
    assert "1 of 4 files had an error" in shown.err
    assert genre(table, "b") == ["pop"]


def test_a_library_that_is_gone(table, tmp_path, capsys):
    folder = tmp_path / "music"
    folder.mkdir()
    add_song(folder / "a.flac")
    write_rows(table, [row(folder / "a.flac")], About(["rock"], "model"))
    assert run("tag", [str(table), "--write"]) == 0
    folder.rename(tmp_path / "elsewhere")
    undo = f"{table}.undo.jsonl"
    for arguments in ([str(table), "--write"], [str(table), "--nfo"], ["--undo", undo]):
        with pytest.raises(TagError, match=r"the library '.*music' is gone; mount its drive"):
            run("tag", arguments)


def test_many_errors_are_counted(table, tmp_path, capsys):
    rows = [row(table.with_name("a.flac"))]
    rows += [{**rows[0], "path": str(tmp_path / f"gone-{n:03}.flac")} for n in range(50)]
    write_rows(table, rows, About(["rock"], "model"))
    assert run("tag", [str(table), "--write"]) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 22
    assert err[20:] == [
        "genrenet tag: and 30 more; --json lists them all",
        "genrenet tag: 50 of 51 files had an error",
    ]


def test_a_full_disk_ends_the_run(table, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    was = table.read_bytes()
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(TaggingStoppedError, match="No space left on device; free some space"):
        run("tag", [str(table), "--overwrite", "--write"])
    monkeypatch.undo()
    assert table.read_bytes() == was
    assert genre(table, "a") is None
    assert run("tag", [str(table), "--overwrite", "--write"]) == 0
    undo = str(table) + ".undo.jsonl"
    assert run("tag", ["--undo", undo, "--write"]) == 0
    assert (genre(table, "a"), genre(table, "b")) == (None, ["Soul", "R\x1bB"])


def test_a_file_whose_audio_would_not_stay_is_named(tmp_path, capsys):
    path, file = tmp_path / "song.m4a", tmp_path / "library.sqlite"
    options = {"movflags": "frag_keyframe", "frag_duration": "500000"}
    encode(path, signal(3.0, 44_100), 44_100, "aac", container="mp4", options=options)
    was = path.read_bytes()
    write_rows(file, [row(path)], About(["rock"], "model"))
    assert run("tag", [str(file), "--write"]) == 1
    shown = capsys.readouterr()
    assert "0 changed\n1 failed" in shown.out
    assert f"genrenet tag: '{path}' is not changed: found its tagged copy" in shown.err
    assert "1 of 1 file had an error" in shown.err
    assert path.read_bytes() == was


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["TABLE", "--undo", "x"],
        ["TABLE", "--min-confidence", "much"],
        ["TABLE", "--keep-existing", "--overwrite"],
    ],
)
def test_requests_that_make_no_sense(table, capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        run("tag", [str(table) if word == "TABLE" else word for word in arguments])
    assert stopped.value.code == 2
    assert "see 'genrenet tag --help'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["TABLE", "--min-confidence", "50"], TagError),
        (["TABLE", "--min-confidence", "nan"], TagError),
        (["missing.parquet"], TableError),
        (["song.mp3"], TableError),
        (["--undo", "TABLE"], GenrenetError),
        (["--undo", "missing.jsonl"], GenrenetError),
        (["--undo", "missing.jsonl", "--keep-existing"], TagError),
        (["--undo", "missing.jsonl", "--overwrite"], TagError),
        (["--undo", "missing.jsonl", "--refine"], TagError),
        (["--undo", "missing.jsonl", "--nfo"], TagError),
        (["--undo", "missing.jsonl", "--genres", "2"], TagError),
        (["TABLE", "--write", "--undo-file", "TABLE"], GenrenetError),
    ],
)
def test_requests_that_cannot_be_carried_out(table, arguments, kind):
    was = table.read_bytes()
    with pytest.raises(kind):
        run("tag", [str(table) if word == "TABLE" else word for word in arguments])
    assert table.read_bytes() == was
    assert genre(table, "a") is None
