"""The undo file: complete lines only, truncated ones are dropped, other files rejected."""

import resource
from contextlib import closing

import pytest

from genrenet.library.undo_file import UndoFile, UndoFileError, read_changes


def add(path, name, old=None, new=("rock",)):
    with closing(UndoFile(path)) as lines:
        lines.add(name, old, new, "/library.parquet")


@pytest.fixture
def undo(tmp_path):
    path = tmp_path / "undo.jsonl"
    add(path, "/one", ["Größe", "\ud800"])
    add(path, "/two")
    return path


CHANGES = [
    ("/one", r'["Gr\u00f6\u00dfe", "\ud800"]', '["rock"]', "/library.parquet", "genre"),
    ("/two", "null", '["rock"]', "/library.parquet", "genre"),
]


def test_changes_in_their_order(undo):
    assert list(read_changes(undo)) == CHANGES


def test_other_fields(undo):
    with closing(UndoFile(undo)) as lines:
        lines.add("/two", None, ["shoegaze"], "/library.parquet", "style")
    last = ("/two", "null", '["shoegaze"]', "/library.parquet", "style")
    assert list(read_changes(undo)) == [*CHANGES, last]


def test_a_line_is_on_disk_at_once(tmp_path):
    with closing(UndoFile(tmp_path / "undo")) as lines:
        lines.add("/one", None, ["rock"], "/library.parquet")
        assert len(list(read_changes(tmp_path / "undo"))) == 1


@pytest.mark.parametrize("torn", [b"{", b'{"path": "/mus', b'{"path": "/x", "old": null, "new"'])
def test_a_torn_last_line_is_forgotten(undo, torn):
    whole = undo.read_bytes()
    undo.write_bytes(whole + torn)
    assert list(read_changes(undo)) == CHANGES
    add(undo, "/two")
    assert list(read_changes(undo)) == [*CHANGES, CHANGES[1]]
    assert undo.read_bytes().startswith(whole)
    undo.write_bytes(torn)
    assert list(read_changes(undo)) == []
    add(undo, "/two")
    assert list(read_changes(undo)) == CHANGES[1:]


@pytest.mark.parametrize("content", [b"RIFF....", b"{}\n", b"[1]\n", b"\n"])
def test_another_file_is_refused_and_kept(tmp_path, content):
    other = tmp_path / "precious"
    other.write_bytes(content)
    with pytest.raises(UndoFileError, match="is not an undo file"):
        UndoFile(other)
    with pytest.raises(UndoFileError, match="is not an undo file"):
        list(read_changes(other))
    assert other.read_bytes() == content


@pytest.mark.parametrize("line", [b'{"path": 1\n', b'{"path": "/x"}\n', b"torn\n", b"\xff\n"])
def test_damage_before_the_last_line_is_an_error(undo, line):
    undo.write_bytes(line + undo.read_bytes())
    with pytest.raises(UndoFileError, match="damaged"):
        list(read_changes(undo))


def test_no_file_and_no_folder(tmp_path):
    with pytest.raises(UndoFileError, match="No such file"):
        list(read_changes(tmp_path / "missing"))
    with pytest.raises(UndoFileError, match="No such file"):
        UndoFile(tmp_path / "missing" / "undo")


def test_a_full_disk(undo):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(UndoFile(undo)) as lines:
        resource.setrlimit(resource.RLIMIT_FSIZE, (undo.stat().st_size + 9, hard))
        try:
            with pytest.raises(UndoFileError, match="File too large"):
                lines.add("/three", None, ["rock"], "/library.parquet")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(read_changes(undo))[:2] == CHANGES
