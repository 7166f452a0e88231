"""Journals of unfinished scans: truncated, damaged, foreign, and the latest row of a song."""

import pytest

from genrenet.library.journal import Journal, JournalError, Unfinished, parts_folder
from genrenet.library.table import About
from genrenet.utils.file_stamp import FileStamp

ABOUT = About(["a", "b"], "m@1", {"trim": None, "frames": None})


def test_a_torn_line_is_cut_off(tmp_path):
    out = tmp_path / "t.parquet"
    journal = Journal(out, 0, ABOUT)
    journal.add({"path": "x", "size": 1, "mtime": 2})
    journal.close()
    with open(journal.file, "ab") as file:
        file.write(b'{"path": "y", "si')
    assert Unfinished(out).keys == {"x": FileStamp(1, 2)}
    journal = Journal(out, 0, ABOUT)
    journal.add({"path": "z", "size": 3, "mtime": 4})
    journal.add({"path": "x", "size": 5, "mtime": 6})
    journal.close()
    found = Unfinished(out)
    assert found.about == ABOUT
    assert [(row["path"], row["size"]) for row in found.rows()] == [("x", 5), ("z", 3)]


def test_a_scan_that_came_to_nothing_is_forgotten(tmp_path):
    out = tmp_path / "t.parquet"
    Journal(out, 0, About(["c", "d"], "m@0")).close()
    assert Unfinished(out).about is None
    journal = Journal(out, 0, ABOUT)
    journal.add({"path": "x", "size": 1, "mtime": 2})
    journal.close()
    assert Unfinished(out).about == ABOUT


def test_damaged_and_foreign_journals_are_named(tmp_path):
    out = tmp_path / "t.parquet"
    for part, about in enumerate((ABOUT, About(["a", "b"], "m@2"))):
        journal = Journal(out, part, about)
        journal.add({"path": "x", "size": 1, "mtime": 2})
        journal.close()
    with pytest.raises(JournalError, match="different scans"):
        Unfinished(out)
    (parts_folder(out) / "00001.jsonl").write_text('{"what": 1}\n{}\n')
    with pytest.raises(JournalError, match="damaged"):
        Unfinished(out)


def test_the_latest_row_of_a_song_counts_whoever_wrote_it(tmp_path):
    out = tmp_path / "t.parquet"
    for part, size in ((1, 7), (0, 8)):
        journal = Journal(out, part, ABOUT)
        journal.add({"path": "x", "size": size, "mtime": 1})
        journal.close()
    (row,) = Unfinished(out).rows()
    assert row["size"] == 8


def test_a_journal_has_one_writer(tmp_path):
    journal = Journal(tmp_path / "t.parquet", 0, ABOUT)
    with pytest.raises(JournalError, match="is being written"):
        Journal(tmp_path / "t.parquet", 0, ABOUT)
    journal.close()
