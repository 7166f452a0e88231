"""Tables: unabridged in files, wrapped on a terminal."""

import io

import numpy as np
import soundfile

from genrenet.cli import main
from genrenet.cli.tables import print_table

LONG = "a genre with a very long name that goes on and on, " * 3


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_cut_off_a_terminal():
    out = io.StringIO()
    print_table(("song", "genre"), [(LONG, "[red]x[/]"), (f"{LONG}\x1b[2J", 3)], out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert LONG.strip() in lines[1]
    assert "[red]x[/]" in lines[1]
    assert "\x1b" not in out.getvalue()


def test_a_terminal_folds_what_does_not_fit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    print_table(("song", "genre"), [(LONG.replace(" ", "-"), "rock")], out)
    text = "".join(line.split()[0] for line in out.getvalue().splitlines()[1:])
    assert LONG.replace(" ", "-") in text
    assert max(map(len, out.getvalue().splitlines()[1:])) <= 60


def test_the_check_of_a_collection_prints_whole_names(tmp_path, capsys):
    genre = "music with a very long name " * 5 + "indeed"
    for name in (genre, "other"):
        (tmp_path / name).mkdir()
        for song in range(2):
            soundfile.write(tmp_path / name / f"{song}.wav", np.full(8000, 0.1 * song + 0.1), 8000)
    main(["data", "check", str(tmp_path), "--no-decode"])
    assert genre in capsys.readouterr().out
