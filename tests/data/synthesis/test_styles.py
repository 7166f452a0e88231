"""The eight genres and their styles."""

from __future__ import annotations

import pytest

from genrenet.data.synthesis import (
    GENRES,
    STYLES,
    VOICES,
)


def test_there_are_eight_genres() -> None:
    assert len(GENRES) == len(set(GENRES)) == 8
    assert tuple(STYLES) == GENRES


@pytest.mark.parametrize("genre", GENRES)
def test_the_table_of_styles_is_consistent(genre: str) -> None:
    style = STYLES[genre]
    assert 0 < style.tempo[0] < style.tempo[1]
    assert 0.5 <= style.swing < 0.75
    assert all(int(degree) < len(style.scale) for chords in style.chords for degree in chords)
    assert any(part.always for part in style.parts)
    for part in style.parts:
        assert part.role in {"bass", "chord", "arpeggio", "tune"}
        assert all(VOICES[name].kind != "drum" for name in part.voices.split(", "))
        for pattern in part.patterns.split():
            assert set(pattern) <= set("xo.")
            assert "x" in pattern
    for name, pattern, level in style.drums:
        assert VOICES[name].kind == "drum"
        assert set(pattern) <= set("xo.")
        assert level > 0
