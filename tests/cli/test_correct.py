"""``genrenet correct``, end to end."""

import pytest

from genrenet.cli import main
from genrenet.library.corrections import corrected_rows
from genrenet.library.table import About, write_rows
from tests.helpers.scanned_songs import add_song, row


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = []
    for name in "abc":
        add_song(tmp_path / f"{name}.flac")
        rows.append(row(tmp_path / f"{name}.flac"))
    write_rows(tmp_path / "t.parquet", rows, About(["rock", "pop"], "model"))
    return tmp_path / "t.parquet"


def corrections(table):
    return {row["path"].rpartition("/")[2]: row["correction"] for row in corrected_rows(table)}


def test_noted_listed_and_taken_back(table, capsys):
    library = ["--library", "t.parquet"]
    assert main(["correct", "a.flac", "b.flac", "POP", *library]) == 0
    assert "a.flac: rock (0.90) -> pop" in capsys.readouterr().out
    assert corrections(table) == {"a.flac": "pop", "b.flac": "pop"}
    assert main(["correct", *library, "c.flac", "popp"]) == 0
    assert "'popp' is not a genre of the model; did you mean 'pop'?" in (capsys.readouterr().out)
    assert main(["correct", "--list", *library]) == 0
    listed = capsys.readouterr().out
    assert "popp" in listed
    assert "3 corrections in t.parquet" in listed
    assert main(["correct", "--remove", "a.flac", "c.flac", *library]) == 0
    assert corrections(table) == {"b.flac": "pop"}


def test_wrong_requests_are_refused(table, capsys):
    library = ["--library", "t.parquet"]
    assert main(["correct", "z.flac", "pop", *library]) == 2
    assert "not in the table" in capsys.readouterr().err
    for words in (["a.flac"], ["--remove"], ["--list", "a.flac"], ["--list", "--remove"]):
        with pytest.raises(SystemExit) as stopped:
            main(["correct", *words, *library])
        assert stopped.value.code == 2
    assert corrections(table) == {}
    assert main(["correct", "a.flac", "pop", "--library", "none.parquet"]) == 2
    capsys.readouterr()
