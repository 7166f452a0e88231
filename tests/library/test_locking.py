"""One command at a time writes a table, and they wait for one that watches."""

import threading
import time

import pytest

from genrenet.library import locking
from genrenet.library.locking import TableBusy, is_watched, table_lock, watch_lock


def test_commands_wait_for_the_update_of_one_that_watches(tmp_path):
    table, began, order = tmp_path / "t.parquet", threading.Event(), []

    def update():
        with table_lock(table, watching=True):
            began.set()
            time.sleep(0.3)
            order.append("update")

    with watch_lock(table):
        assert is_watched(table)
        thread = threading.Thread(target=update)
        thread.start()
        began.wait(10)
        with pytest.raises(TableBusy, match="at work"), table_lock(table, watching=True):
            pass
        with table_lock(table):
            order.append("command")
        thread.join()
    assert order == ["update", "command"]
    assert not is_watched(table)


def test_without_one_they_do_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "PATIENCE", 3600)
    table = tmp_path / "t.parquet"
    with table_lock(table), pytest.raises(TableBusy, match="wait for it"), table_lock(table):
        pass


def test_only_one_watches(tmp_path):
    table = tmp_path / "t.parquet"
    with watch_lock(table), pytest.raises(TableBusy, match="another 'genrenet scan --watch'"):
        watch_lock(table).__enter__()
    with watch_lock(table):
        pass
