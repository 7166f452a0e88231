"""TensorFlow checkpoints (an ``.index`` and a ``.data`` file) read without TensorFlow.

The index is a sorted-string table, the format of LevelDB: blocks of prefix-compressed keys, each
block followed by a compression type and a masked CRC-32C, and a footer of two block handles and a
magic number. Its values are protocol-buffer messages, ``BundleEntryProto``, with the position of a
tensor in the data file and its CRC-32C. Sources: ``tensorflow/core/lib/io/format.cc``,
``tensorflow/core/protobuf/tensor_bundle.proto``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from genrenet.utils.errors import GenrenetError

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}
"""TensorFlow's numbers of the types that weights have."""


class TensorBundleError(GenrenetError):
    """Bytes that are not a TensorFlow checkpoint, or a damaged one."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number without an end")


def _message(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the fields of a protocol-buffer message as (number, value)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        value: Any
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind == 5:
            value, at = struct.unpack_from("<I", data, at)[0], at + 4
        elif kind == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def masked_crc(data: bytes) -> int:
    """Return the CRC-32C of some bytes, masked as LevelDB stores it."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _check(data: bytes, wanted: int, what: str) -> None:
    found = masked_crc(data)
    if found != wanted:
        raise TensorBundleError(
            f"{what} of the TensorFlow checkpoint is damaged",
            found=f"CRC-32C {found:08x}",
            wanted=f"{wanted:08x}",
            remedy="download the file again",
        )


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a block of the table."""
    body, trailer = index[offset : offset + size], index[offset + size : offset + size + 5]
    _check(body + trailer[:1], struct.unpack("<I", trailer[1:])[0], "a block of the index")
    if trailer[0]:
        raise ValueError(f"a block compressed in way {trailer[0]}")
    end = len(body) - 4 * (struct.unpack("<I", body[-4:])[0] + 1)
    at, key = 0, b""
    while at < end:
        shared, at = _varint(body, at)
        fresh, at = _varint(body, at)
        length, at = _varint(body, at)
        key = key[:shared] + body[at : at + fresh]
        yield key, body[at + fresh : at + fresh + length]
        at += fresh + length


def _handle(data: bytes, at: int) -> tuple[int, int, int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return offset, size, at


def _entries(index: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    footer = index[-FOOTER:]
    if len(footer) < FOOTER or struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("no sorted-string table's magic number at the end")
    *_, at = _handle(footer, 0)  # the meta index is not needed
    offset, size, _ = _handle(footer, at)
    for _, value in _block(index, offset, size):
        first, length, _ = _handle(value, 0)
        for key, entry in _block(index, first, length):
            if key:  # the first, with an empty name, is the bundle's header
                yield key.decode("utf-8"), _entry(entry)


def _entry(data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"shape": (), "offset": 0, "size": 0, "shard": 0, "crc": 0}
    names = {1: "dtype", 3: "shard", 4: "offset", 5: "size", 6: "crc"}
    for number, value in _message(data):
        if number == 2:
            dims = [dict(_message(dim)).get(1, 0) for n, dim in _message(value) if n == 2]
            entry["shape"] = tuple(dims)
        elif number in names:
            entry[names[number]] = value
    return entry


def read_tensor_bundle(index: bytes, data: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a TensorFlow checkpoint of one shard.

    Parameters
    ----------
    index, data : bytes
        Contents of the ``.index`` and the ``.data-00000-of-00001`` file.

    Returns
    -------
    dict of str to ndarray
        Variables by name, those of numeric types.

    Raises
    ------
    TensorBundleError
        The bytes are of another format, cut off, or differ from their checksums.
    """
    try:
        entries = dict(_entries(index))
    except (ValueError, IndexError, struct.error) as error:
        raise TensorBundleError(
            "the index of the TensorFlow checkpoint cannot be read",
            found=str(error),
            wanted="an uncompressed tensor bundle",
        ) from error
    tensors = {}
    for name, entry in entries.items():
        if entry.get("dtype") not in DTYPES or entry["shard"]:
            continue
        dtype = np.dtype(DTYPES[entry["dtype"]])
        raw = data[entry["offset"] : entry["offset"] + entry["size"]]
        if len(raw) != entry["size"] or len(raw) != dtype.itemsize * math.prod(entry["shape"]):
            raise TensorBundleError(
                f"'{name}' of the TensorFlow checkpoint is cut off",
                found=f"{len(raw)} bytes",
                wanted=f"{entry['size']} bytes for shape {entry['shape']}",
                remedy="download the file again",
            )
        _check(raw, entry["crc"], f"'{name}'")
        tensors[name] = np.frombuffer(raw, dtype).reshape(entry["shape"])
    return tensors
