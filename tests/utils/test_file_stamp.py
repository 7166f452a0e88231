"""Detection of changed files."""

import os

import numpy as np
import pytest

from genrenet.utils.file_stamp import FileStamp, FileState, content_sample


@pytest.mark.parametrize("size", [1, 1000, 1 << 18, (1 << 18) + 1, 3_000_000])
def test_a_sample_tells_songs_of_one_size_apart(tmp_path, size):
    rng = np.random.default_rng(size)
    one, other = tmp_path / "one", tmp_path / "other"
    for file in (one, other):
        file.write_bytes(rng.bytes(size))
    samples = content_sample(one), content_sample(other)
    assert samples[0] != samples[1]
    assert content_sample(str(one)) == samples[0]
    one.rename(tmp_path / "kept")
    other.rename(one)
    assert content_sample(one) == samples[1]
    data = bytearray((tmp_path / "kept").read_bytes())
    for place in (0, size - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        other.write_bytes(changed)
        assert content_sample(other) != samples[0]
    other.write_bytes(data + b"\0")
    assert content_sample(other) != samples[0]


def test_a_sample_of_a_long_file_reads_little(tmp_path):
    file = tmp_path / "song"
    with open(file, "wb") as out:
        out.truncate(5_000_000_000)  # a hole: takes no room
    first = content_sample(file)
    with open(file, "r+b") as out:
        out.seek(-60_000, 2)
        out.write(b"tag")
    assert content_sample(file) != first
    with pytest.raises(OSError, match="gone"):
        content_sample(tmp_path / "gone")


def test_a_state_has_sizes_times_and_inode(tmp_path):
    file = tmp_path / "song"
    file.write_bytes(b"music")
    os.utime(file, ns=(1, 2))
    assert FileState.of(file)[:2] == (5, 2)
    assert FileState.of(file) == FileState.find(file)
    assert FileState.find(tmp_path / "gone") == (-1, -1, -1, -1)
    with pytest.raises(OSError, match="gone"):
        FileState.of(tmp_path / "gone")


def test_a_stamp_outlives_what_does_not_change_the_content(tmp_path):
    file = str(tmp_path / "song")
    with open(file, "wb") as out:
        out.write(b"music")
    was = FileStamp.now(file, sampled=True)
    os.chmod(file, 0o600)
    os.utime(file, (9, 9))
    now = FileStamp.now(file)
    assert now != was
    assert was.is_still(now, file)
    with open(file, "wb") as out:
        out.write(b"noise")
    assert not was.is_still(FileStamp.now(file), file)
    assert not was._replace(sample=None).is_still(FileStamp.now(file), file)
