"""``genrenet cache``: listing, use by running processes, and clearing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from genrenet.cli import main
from genrenet.data.decoded_store import PreparedStore
from genrenet.features import SPECTRAL_STATS, cached_features
from genrenet.utils.cache import make_room, read_arrays, write_arrays

_FILL = """
import sys
from genrenet.data.datamodule import GenreDataModule
GenreDataModule(sys.argv[1]).prepare_data()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def listed(capsys, *arguments):
    capsys.readouterr()
    assert main(["cache", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def old(folder, days=40):
    """Let everything in a folder be from long ago."""
    for file in Path(folder).rglob("*"):
        os.utime(file, (time.time() - days * 86_400,) * 2)


def test_an_empty_cache(cache, capsys):
    assert listed(capsys) == []
    assert main(["cache", "clear", "--yes"]) == 0
    assert not cache.exists()


def test_what_a_running_process_uses_stays(music, cache, capsys):
    with subprocess.Popen(
        [sys.executable, "-c", _FILL, str(music)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        assert user.stdout.readline() == "ready\n"
        (item,) = listed(capsys)
        assert (item["kind"], item["count"], item["in_use"]) == ("stores", 24, True)
        assert str(music) in item["what"]
        assert item["size"] == 24 * 2 * 60_000
        assert main(["cache", "clear", "stores", "--yes"]) == 0
        said = capsys.readouterr().out
        assert "in use, not removed: stores" in said
        assert len(list(cache.glob("stores/*/songs/*/*"))) == 24
    (item,) = listed(capsys)
    assert not item["in_use"]
    assert main(["cache", "clear", "stores"]) == 0
    assert "nothing was removed" in capsys.readouterr().out
    assert len(list(cache.glob("stores/*/songs/*/*"))) == 24
    assert main(["cache", "clear", "stores", "--older-than", "1h", "--yes"]) == 0
    assert len(list(cache.glob("stores/*/songs/*/*"))) == 24
    assert main(["cache", "clear", "stores", "--yes"]) == 0
    assert "2.88 MB removed" in capsys.readouterr().out
    assert not list(cache.glob("stores/*/songs/*/*"))
    assert listed(capsys) == []
    (folder,) = cache.glob("stores/*")
    assert not PreparedStore(folder).paths


def test_a_store_of_another_version_can_go(cache, capsys):
    folder = cache / "stores" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "samples.bin").write_bytes(b"12345")
    (item,) = listed(capsys)
    assert (item["what"], item["size"]) == ("of another version, or damaged", 5)
    assert main(["cache", "clear", "--yes"]) == 0
    assert not folder.exists()


def test_features_go_one_by_one_by_their_age(music, cache, capsys):
    songs = sorted(map(str, music.rglob("*.wav")))
    cached_features(songs[:4], SPECTRAL_STATS)
    old(cache)
    cached_features(songs[2:6], SPECTRAL_STATS)  # two of them are used again
    (item,) = listed(capsys)
    assert (item["kind"], item["what"], item["count"]) == ("features", "spectral-stats", 6)
    assert main(["cache", "clear", "--older-than", "30d", "--yes"]) == 0
    assert listed(capsys)[0]["count"] == 4
    assert main(["cache", "clear", "embeddings", "--yes"]) == 0
    assert listed(capsys)[0]["count"] == 4
    assert main(["cache", "clear", "features", "--yes"]) == 0
    assert listed(capsys) == []


def test_bad_requests_are_named(cache, capsys):
    for arguments, said in {
        ("clear", "sofas"): "no kind sofas; there are",
        ("clear", "--older-than", "soon"): "wanted a number and m, h, d or w",
    }.items():
        with pytest.raises(SystemExit):
            main(["cache", *arguments])
        assert said in capsys.readouterr().err


def test_files_that_were_used_longest_ago_make_room(cache, monkeypatch):
    files = [cache / "features" / "settings" / f"{number}.npz" for number in range(6)]
    for age, file in enumerate(files):
        write_arrays(file, values=np.zeros(1000))
        os.utime(file, (time.time() - (10 - age) * 86_400,) * 2)
    size = files[0].stat().st_size
    assert make_room("features") == 0
    read_arrays(files[0])  # which says that it is used
    (cache / "features" / ".looked").unlink()
    monkeypatch.setenv("GENRENET_CACHE_GB", f"{4.5 * size / 1e9:.12f}")
    assert make_room("features") == 2 * size
    assert [file.exists() for file in files] == [True, False, False, True, True, True]
    monkeypatch.setenv("GENRENET_CACHE_GB", "0")
    assert make_room("features") == 0  # it has looked today
