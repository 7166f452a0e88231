"""Reading of listening histories by commands."""

import numpy as np
import pytest

from genrenet.cli.histories import read_all, with_names
from genrenet.recommend import HistoryError, read_history

TEXT = "user,item,plays\nanna,a,2\nanna,b,1\nben,a,3\nben,c,x\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text(TEXT)
    return str(path)


def test_what_was_skipped_is_said_on_standard_error(file, capsys):
    history, content, songs = read_all([file], None, None, None)
    assert (content, songs) == (None, None)
    assert sorted(history.items) == ["a", "b"]
    out, error = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in error.splitlines() if "line 5" in line]
    assert line.startswith("genrenet recommend: ")
    assert "plays 'x'" in line


def test_columns_are_named_with_commas_between(tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text("x,y,z\n5,song,anna\n7,other,anna\n")
    history, _, _ = read_all([str(path)], None, None, None, "plays,item,user")
    assert list(history.users) == ["anna"]
    assert sorted(np.asarray(history.plays.todense()).ravel().tolist()) == [5, 7]


def test_names_of_items(file, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("id,name\na,Song A\nz,Unheard\n")
    history, _, _ = read_all([file], None, str(names), None)
    assert history.names["a"] == "Song A"


def test_without_a_table_of_names_nothing_changes(file):
    history = read_history(file)
    assert with_names(history, None) is history


def test_a_table_without_names_is_an_error(file, tmp_path):
    (tmp_path / "names.csv").write_text("a\nb\n")
    with pytest.raises(HistoryError, match="names no items"):
        with_names(read_history(file), str(tmp_path / "names.csv"))
    with pytest.raises(HistoryError):
        with_names(read_history(file), str(tmp_path / "gone.csv"))
