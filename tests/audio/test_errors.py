"""The errors of audio files, and the conversion of decoders' errors."""

import pickle

import numpy as np
import pytest

from genrenet.audio import errors
from genrenet.audio.errors import (
    AudioError,
    DecodingError,
    DecodingLimitError,
    TruncatedAudioError,
    UnreadableFileError,
    border,
    failure,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AudioError) and kind is not AudioError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_the_file_and_what_to_do(kind):
    error = failure(kind, "a\x1b.mp3", "something else")
    assert type(error) is kind
    assert error.path == "a\x1b.mp3"
    assert r"'a\x1b.mp3'" in str(error)
    assert (error.found, bool(error.wanted), bool(error.remedy)) == ("something else", True, True)
    assert failure(kind, "a", "x", "this").wanted == "this"


def test_extras_belong_to_one_error_alone():
    error = failure(TruncatedAudioError, "a", "x", samples=np.ones(3, np.float32), seconds=1.5)
    assert (len(error.samples), error.seconds) == (3, 1.5)
    other = failure(TruncatedAudioError, "b", "x")
    assert (len(other.samples), other.seconds) == (0, 0.0)


def test_an_error_from_another_process_still_names_its_file():
    error = failure(TruncatedAudioError, "a.mp3", "x", seconds=2.0)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back)) == (TruncatedAudioError, str(error))
    assert (back.path, back.seconds) == ("a.mp3", 2.0)


@pytest.mark.parametrize(
    ("raised", "kind", "found"),
    [
        (MemoryError(), DecodingLimitError, "too much memory"),
        (PermissionError(13, "Permission denied"), UnreadableFileError, "Permission denied"),
        (OSError("odd"), UnreadableFileError, "odd"),
        (ZeroDivisionError("x"), DecodingError, "ZeroDivisionError in the decoder"),
    ],
)
def test_whatever_a_decoder_raises_becomes_an_error_of_the_file(raised, kind, found):
    with pytest.raises(AudioError, match=found) as caught, border("a.mp3"):
        raise raised
    assert type(caught.value) is kind
    assert caught.value.path == "a.mp3"
    assert caught.value.__cause__ is raised


def test_errors_of_audio_and_interrupts_go_through_as_they_are():
    error = failure(DecodingError, "inner.mp3", "x")
    with pytest.raises(DecodingError) as caught, border("outer.mp3"):
        raise error
    assert caught.value is error
    with pytest.raises(KeyboardInterrupt), border("a.mp3"):
        raise KeyboardInterrupt
