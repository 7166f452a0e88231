"""Files of every kind with tags, and their parts that must not change."""

import base64
import hashlib
import os
import struct
from pathlib import Path

import av
import mutagen
from mutagen.apev2 import APEv2, APEValue
from mutagen.flac import Picture
from mutagen.id3 import APIC, COMM, ID3, TIT2, TPE1, TXXX, UFID, ID3FileType
from mutagen.mp4 import MP4Cover
from mutagen.ogg import OggPage

from tests.helpers.audio_files import KINDS, encode, signal, write

SECONDS = 1.0
PIXEL = b"\x89PNG\r\n" + bytes(range(256)) * 2
# Made by hand, and not to be decoded.
NO_ENCODER = {
    "monkey.ape", "pack.mpc", "speech.spx", "frog.ofr", "toms.tak", "stream.dsf", "diff.dff",
}  # fmt: skip
FILES = [
    "16.wav", "apple.aiff", "free.flac", "xiph.ogg", "xiph.opus", "lame.mp3", "old.mp2",
    "late.m4a", "early.m4a", "lossless.m4a", "adts.aac", "windows.wma", "pack.wv", "true.tta",
    "flac.oga", *sorted(NO_ENCODER),
]  # fmt: skip
"""One file of each kind whose genre can be written."""


def speex() -> bytes:
    """An Ogg Speex file of made-up packets."""
    head = b"Speex   " + b"1.2".ljust(20, b"\0")
    head += struct.pack("<13i", 1, 80, 16_000, 1, 4, 1, -1, 320, 0, 1, 0, 0, 0)
    comments = struct.pack("<I3sI", 3, b"Lib", 0)
    pages = []
    for number, packets in enumerate(([head], [comments], [os.urandom(60) for _ in range(50)])):
        page = OggPage()
        page.packets, page.sequence, page.serial = packets, number, 7
        page.position = 16_000 if number == 2 else 0
        page.first, page.last = number == 0, number == 2
        pages.append(page.write())
    return b"".join(pages)


def by_hand(name: str) -> bytes:
    """A file of a kind that nothing here encodes: a header, and noise for audio."""
    noise = os.urandom(2 * 4096)
    if name == "speech.spx":
        return speex()
    if name == "monkey.ape":
        head = b"MAC " + struct.pack("<H", 3990) + bytes(50)
        return head + struct.pack("<IIIHHI", 73728, 4410, 1, 16, 2, 44_100) + noise
    if name == "pack.mpc":
        return b"MP+\x07" + struct.pack("<I", 10) + bytes(24) + noise
    if name == "frog.ofr":
        return b"OFR " + struct.pack("<IIHBBI", 12, 44_100, 0, 2, 1, 44_100) + bytes(60) + noise
    if name == "toms.tak":
        info = 44_100 << 14 | (44_100 - 6000) << 52 | 8 << 70 | 1 << 75
        head = bytes([1, 13, 0, 0]) + info.to_bytes(10, "little") + bytes(3)
        return b"tBaK" + head + bytes(4) + noise
    if name == "stream.dsf":
        form = struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, 2_822_400, 1, 8 * 4096, 4096, 0)
        body = b"fmt " + form + b"data" + struct.pack("<Q", 12 + len(noise)) + noise
        return b"DSD " + struct.pack("<QQQ", 28, 28 + len(body), 0) + body
    parts = [
        (b"FS  ", struct.pack(">I", 2_822_400)),
        (b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT"),
        (b"CMPR", b"DSD \x0enot compressed\x00"),
    ]
    prop = b"SND " + b"".join(name + struct.pack(">Q", len(data)) + data for name, data in parts)
    chunks = [(b"FVER", b"\x01\x05\x00\x00"), (b"PROP", prop), (b"DSD ", noise)]
    body = b"DSD " + b"".join(id + struct.pack(">Q", len(data)) + data for id, data in chunks)
    return b"FRM8" + struct.pack(">Q", len(body)) + body


def make(folder: Path, name: str) -> Path:
    """A file without tags; AAC has an ID3 tag, without which it cannot have a genre."""
    path = folder / name
    if name == "true.tta":
        encode(path, signal(SECONDS, 44_100), 44_100, "tta")
        APEv2(path).delete(path)  # FFmpeg's own
    elif name == "flac.oga":
        encode(path, signal(SECONDS, 44_100), 44_100, "flac", container="ogg")
    elif name in NO_ENCODER:
        path.write_bytes(by_hand(name))
    else:
        write(folder, KINDS[name], SECONDS)
    if name in {"lame.mp3", "old.mp2", "adts.aac", "true.tta"}:
        ID3(path).delete(path) if path.read_bytes().startswith(b"ID3") else None
    if name == "adts.aac":
        ID3().save(path)
    elif name not in NO_ENCODER:
        file = mutagen.File(path)
        if file.tags:  # FFmpeg names itself
            file.tags.clear()
            file.save()
    return path


def audio(path: Path) -> str:
    """Digest of a file's coded audio."""
    digest = hashlib.sha256()
    if path.suffix in {".ape", ".mpc", ".ofr", ".tak"}:
        digest.update(path.read_bytes().partition(b"APETAGEX")[0])
        return digest.hexdigest()
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            digest.update(bytes(packet))
    return digest.hexdigest()


def open_tags(path: Path):
    if path.suffix == ".aac":
        return mutagen.File(path, options=[ID3FileType])
    return mutagen.File(path)


def add_others(path: Path) -> None:
    """Tags of several kinds that nothing may happen to."""
    file = open_tags(path)
    if file.tags is None:
        file.add_tags()
    tags = file.tags
    if isinstance(tags, ID3):
        tags.add(TIT2(encoding=3, text="Titel äöü"))
        tags.add(TPE1(encoding=3, text=["One", "Two"]))
        tags.add(APIC(encoding=0, mime="image/png", type=3, desc="front", data=PIXEL))
        tags.add(TXXX(encoding=3, desc="own", text=["a", "b"]))
        tags.add(COMM(encoding=3, lang="deu", desc="", text="Kommentar"))
        tags.add(UFID(owner="http://x", data=b"\x00\x01"))
        tags.unknown_frames.append(b"XABC" + struct.pack(">LH", 4, 0) + b"\x00\x01\x02\x03")
        file.save()
        return
    if isinstance(tags, mutagen.mp4.MP4Tags):
        tags["\xa9nam"], tags["\xa9ART"] = ["Titel äöü"], ["One", "Two"]
        tags["covr"] = [MP4Cover(PIXEL, MP4Cover.FORMAT_PNG)]
        tags["----:com.own:thing"] = [b"\x00\x01"]
    elif isinstance(tags, APEv2):
        tags["Title"], tags["Artist"] = "Titel äöü", ["One", "Two"]
        tags["Cover Art (Front)"] = APEValue(b"front.png\x00" + PIXEL, mutagen.apev2.BINARY)
    elif isinstance(tags, mutagen.asf.ASFTags):
        tags["Title"], tags["WM/Composer"] = ["Titel äöü"], ["One", "Two"]
        tags["WM/Picture"] = [mutagen.asf.ASFByteArrayAttribute(PIXEL)]
    else:
        tags["title"], tags["ARTIST"], tags["own"] = ["Titel äöü"], ["One", "Two"], ["a", "b"]
        picture = Picture()
        picture.data, picture.mime = PIXEL, "image/png"
        if path.suffix == ".flac":
            file.add_picture(picture)
        else:
            tags["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
    file.save()


def others(path: Path) -> object:
    """Everything in a file's tags but the genre."""
    file = open_tags(path)
    if isinstance(file.tags, ID3):
        tags = type(file)(path, translate=False, load_v1=False).tags
        frames = {k: repr(f) for k, f in tags.items() if k != "TCON"}
        return frames, tags.unknown_frames, tags.version
    pictures = [picture.write() for picture in getattr(file, "pictures", ())]
    pairs = {key: repr(file.tags[key]) for key in file.tags.keys()}  # noqa: SIM118
    gone = {"genre", "GENRE", "Genre", "\xa9gen", "WM/Genre"}
    return {key: value for key, value in pairs.items() if key not in gone}, pictures
