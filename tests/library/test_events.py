"""File system events of a library's folders."""

import errno
import logging
import os
import time

import psutil
import pytest

from genrenet.library import events as module
from genrenet.library.events import Events, file_system, on_network


@pytest.fixture
def listening(tmp_path):
    (tmp_path / "m" / "sub").mkdir(parents=True)
    held = Events([str(tmp_path / "m")], str(tmp_path / "m" / "t.parquet.parts"))
    yield held
    held.close()


def taken(events, wanted, seconds=10):
    found, end = set(), time.monotonic() + seconds
    while not wanted <= found:
        assert time.monotonic() < end, found
        events.happened.wait(0.1)
        found |= events.take()
    return found


def test_songs_and_folders_are_told_of_and_nothing_else(listening, tmp_path):
    root = tmp_path / "m"
    (root / "t.parquet.parts").mkdir()
    (root / "t.parquet.parts" / "x.mp3").touch()
    (root / ".hidden").mkdir()
    (root / ".hidden" / "a.mp3").touch()
    (root / "cover.jpg").touch()
    (root / "sub" / "a.MP3").touch()
    (root / "sub").rename(root / "other")
    (root / "new").mkdir()
    (root / "new" / "b.flac").touch()
    names = ["sub", "sub/a.MP3", "other", "new", "new/b.flac"]
    wanted = {str(root / name) for name in names}
    assert taken(listening, wanted) - wanted <= {str(root / "other" / "a.MP3")}
    assert not listening.lost
    assert listening.untold == ""


def test_a_linked_root_is_told_of_by_its_name(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "music").symlink_to(tmp_path / "real")
    held = Events([str(tmp_path / "music")], "/none")
    try:
        (tmp_path / "real" / "a.mp3").touch()
        taken(held, {str(tmp_path / "music" / "a.mp3")})
        (tmp_path / "more").mkdir()
        (tmp_path / "music" / "link").symlink_to(tmp_path / "more")
        while not held.relinked:
            held.happened.wait(1)
        assert held.lost
    finally:
        held.close()


def test_lost_events_are_noticed(listening, tmp_path):
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
    assert listening.lost
    listening.lost, listening._most = False, 3
    for number in range(5):
        (tmp_path / "m" / f"{number}.mp3").touch()
    time.sleep(0.5)
    taken(listening, {str(tmp_path / "m" / "4.mp3")})
    assert listening.lost


@pytest.mark.parametrize(
    ("number", "name"),
    [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")],
)
def test_the_systems_limit_is_named(number, name, tmp_path, monkeypatch):
    class Limited(module.Observer):
        def start(self):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, "Observer", Limited)
    held = Events([str(tmp_path)], "/none")
    held.close()
    assert f"sysctl fs.inotify.{name}" in held.untold


def test_network_drives_are_known_by_their_file_system(tmp_path, monkeypatch):
    assert not on_network(str(tmp_path))
    disk = next(disk for disk in psutil.disk_partitions(all=True) if disk.mountpoint == "/")
    for kind, far in (("nfs4", True), ("fuse.sshfs", True), ("fuseblk", False), ("ext4", False)):
        mounted = disk._replace(mountpoint=str(tmp_path / "nas"), fstype=kind)
        monkeypatch.setattr(psutil, "disk_partitions", lambda all, m=mounted: [disk, m])
        (tmp_path / "nas").mkdir(exist_ok=True)
        assert file_system(str(tmp_path / "nas" / "x")) == kind
        assert on_network(str(tmp_path / "nas" / "x")) is far
        assert not on_network(str(tmp_path / "nas2"))
