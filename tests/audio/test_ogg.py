"""Pages and parts of Ogg files, built byte by byte according to RFC 3533."""

import io
import re
import struct

import pytest

from genrenet.audio import ogg


def page(flags, number=0, serial=1, body=b"x" * 10):
    """A page of one segment; its checksum is not looked at."""
    head = struct.pack("<4sBBqIIIBB", b"OggS", 0, flags, 0, serial, number, 0, 1, len(body))
    return head + body


BEGIN, MIDDLE, END = 2, 0, 4


def test_one_stream_is_one_part():
    data = page(BEGIN) + page(MIDDLE, 1) + page(END, 2)
    assert ogg.parts(io.BytesIO(data)) == [(0, len(data))]


def test_chained_streams_are_parts_that_follow_one_another():
    first = page(BEGIN) + page(END, 1, body=b"y" * 200)
    second = page(BEGIN, serial=2) + page(END, 1, serial=2)
    found = ogg.parts(io.BytesIO(first + second))
    assert found == [(0, len(first)), (len(first), len(first + second))]


def test_streams_side_by_side_are_one_part():
    data = page(BEGIN) + page(BEGIN, serial=2) + page(MIDDLE, 1) + page(END, 1, serial=2)
    assert ogg.parts(io.BytesIO(data)) == [(0, len(data))]


@pytest.mark.parametrize("data", [b"", b"no Ogg at all", page(MIDDLE, 1)])
def test_without_a_first_page_there_is_no_part(data):
    assert ogg.parts(io.BytesIO(data)) == []


def test_the_flag_of_the_last_page_tells_whether_a_stream_is_whole():
    first, cut = page(BEGIN) + page(END, 1), page(BEGIN, serial=2) + page(MIDDLE, 1, serial=2)
    file = io.BytesIO(first + cut)
    assert ogg.is_whole(file, len(first))
    assert not ogg.is_whole(file, len(first + cut))
    assert not ogg.is_whole(io.BytesIO(b""), 0)
    assert not ogg.is_whole(io.BytesIO(b"OggS\0"), 5)  # ends before the flags


def test_patterns_across_the_borders_of_what_is_read_at_once(monkeypatch):
    data = b"..abc.abc" + b"." * 7 + b"abc"
    file = io.BytesIO(data)
    wanted = [match.start() for match in re.finditer(b"abc", data)]
    for size in range(3, 21):
        monkeypatch.setattr(ogg, "_CHUNK", size)
        found = []
        for at in ogg.find_all(file, re.compile(b"abc"), 3):
            found.append(at)
            file.seek(0)  # the file may be read meanwhile
        assert found == wanted, size
