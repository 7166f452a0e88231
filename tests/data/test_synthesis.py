"""The synthetic corpus: deterministic, well-formed, musical enough to learn, safe on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genrenet.data.synthesis import (
    GENRES,
    STYLES,
    VOICES,
    SynthesisError,
    default_corpus,
    synthesise_corpus,
    synthesise_song,
)
from genrenet.data.synthesis.playing import _note

RATE = 22_050
SMALL = {"genres": GENRES[:3], "artists": 2, "songs": 2, "seconds": 0.5, "sample_rate": 8000}


def log_spectrogram(sound: np.ndarray, window: int = 1024, hop: int = 512) -> np.ndarray:
    """Log energies [frames, bands] in bands of equal width on a logarithmic axis."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop] * np.hanning(window)
    edges = np.unique(np.geomspace(2, window // 2, 40).astype(int))
    return np.log(np.add.reduceat(np.abs(np.fft.rfft(frames)) ** 2, edges, axis=1) + 1e-7)


def rms_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


# --- the table ---------------------------------------------------------------------------------


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


# --- one song ----------------------------------------------------------------------------------


@pytest.mark.parametrize("genre", GENRES)
def test_the_same_arguments_give_the_same_samples(genre: str) -> None:
    first = synthesise_song(genre, 3, 1, 2.0)
    np.testing.assert_array_equal(first, synthesise_song(genre, 3, 1, 2.0))


def test_another_seed_artist_song_or_genre_gives_another_song() -> None:
    songs = [
        synthesise_song("folk", 0, 0, 2.0),
        synthesise_song("folk", 0, 0, 2.0, seed=1),
        synthesise_song("folk", 1, 0, 2.0),
        synthesise_song("folk", 0, 1, 2.0),
        synthesise_song("waltz", 0, 0, 2.0),
    ]
    for i, one in enumerate(songs):
        for other in songs[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.5


@pytest.mark.parametrize("rate", [8000, 12_000, 44_100])
@pytest.mark.parametrize("genre", GENRES)
def test_samples_are_mono_float32_in_range_and_as_many_as_asked(genre: str, rate: int) -> None:
    sound = synthesise_song(genre, 5, 0, 1.7, rate)
    assert sound.dtype == np.float32
    assert sound.shape == (round(1.7 * rate),)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1
    assert -32 < rms_db(sound) < -10
    assert abs(sound.mean()) < 0.01


def test_the_shortest_song_has_its_length() -> None:
    for genre in GENRES:
        sound = synthesise_song(genre, 0, 0, 0.1, 8000)
        assert sound.shape == (800,)
        assert np.isfinite(sound).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"genre": "polka"},
        {"artist": -1},
        {"song": -1},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"sample_rate": 100},
        {"seed": -1},
    ],
)
def test_bad_arguments_are_named(wrong: dict) -> None:
    with pytest.raises(SynthesisError) as error:
        synthesise_song(**{"genre": "folk", "artist": 0, "song": 0, **wrong})
    ((name, value),) = wrong.items()
    assert name in str(error.value)
    assert str(value) in error.value.found
    assert error.value.wanted


@pytest.mark.parametrize("name", [name for name, voice in VOICES.items() if voice.kind != "drum"])
@pytest.mark.parametrize("pitch", [45, 69, 76])
def test_voices_are_in_tune(name: str, pitch: int) -> None:
    hz = 440 * 2 ** ((pitch - 69) / 12)
    sound = _note(VOICES[name], pitch, 2.0, RATE, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), 2**17))
    frequencies = np.fft.rfftfreq(2**17, 1 / RATE)
    near = (frequencies > hz / 1.1) & (frequencies < hz * 1.1)
    found = frequencies[near][spectrum[near].argmax()]
    assert abs(1200 * np.log2(found / hz)) < 10  # cents; ensembles are detuned by up to 7


# Only where this crude measure sees the bar at any seed: a march strikes on all its beats alike,
# reggae nearly so, and chiptune's three-tone arpeggios repeat every three beats as well.
@pytest.mark.parametrize(("genre", "other"), [("waltz", 2), ("techno", 3)])
def test_music_repeats_with_the_bars_of_its_metre(genre: str, other: int) -> None:
    style = STYLES[genre]

    def repetition(rises: np.ndarray, beats: float) -> float:
        """The highest autocorrelation at a lag of so many beats, at any of the genre's tempi."""
        slowest, fastest = (int(60 * beats / bpm * RATE / 256) for bpm in style.tempo)
        return max(float(rises[:-lag] @ rises[lag:]) for lag in range(fastest, slowest + 2))

    gains = []
    for artist in range(6):
        spectrum = log_spectrogram(synthesise_song(genre, artist, 0, 16.0), hop=256)
        rises = np.maximum(np.diff(spectrum, axis=0), 0).sum(axis=1)
        rises = (rises - rises.mean()) / np.linalg.norm(rises - rises.mean())
        gains.append(repetition(rises, style.beats) - repetition(rises, other))
    assert np.mean(gains) > 0.05


def test_an_artist_keeps_loudness_and_brightness_in_every_genre() -> None:
    def manner(genre: str, artist: int) -> tuple[float, float]:
        sound = synthesise_song(genre, artist, 0, 6.0)
        spectrum = log_spectrogram(sound).mean(axis=0)
        return rms_db(sound), spectrum[-12:].mean() - spectrum[:12].mean()

    one, other = (np.array([manner(g, a) for a in range(24)]) for g in ("march", "reggae"))
    assert np.corrcoef(one[:, 0], other[:, 0])[0, 1] > 0.8
    assert np.corrcoef(one[:, 1], other[:, 1])[0, 1] > 0.6


def test_genres_are_told_apart_by_spectra_but_not_by_loudness() -> None:
    features, loudness, genres, artists = [], [], [], []
    for number, genre in enumerate(GENRES):
        for artist in range(number, 5 * len(GENRES), len(GENRES)):
            for song in range(2):
                sound = synthesise_song(genre, artist, song, 8.0)
                bands = log_spectrogram(sound)
                change = np.diff(bands, axis=0)
                features.append(np.r_[bands.mean(0), bands.std(0), change.std(0)])
                loudness.append([rms_db(sound)])
                genres.append(number)
                artists.append(artist)

    def accuracy(columns: list) -> float:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        guesses = cross_val_predict(model, np.array(columns), genres, groups=artists, cv=folds)
        return float(np.mean(guesses == np.array(genres)))

    folds = GroupKFold(5)
    assert accuracy(features) > 0.75
    assert accuracy(loudness) < 0.35


# --- a corpus on disk --------------------------------------------------------------------------


def songs_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.flac"))


def test_a_corpus_is_tagged_flac_by_genre_and_artist(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = synthesise_corpus(
        tmp_path / "new" / "corpus",
        **SMALL,
        progress=lambda done, total: seen.append((done, total)),
    )
    songs = songs_in(folder)
    assert folder == tmp_path / "new" / "corpus"
    assert seen == [(i, 12) for i in range(1, 13)]
    assert len(songs) == 12
    assert sorted(path.name for path in folder.iterdir()) == sorted([*GENRES[:3], "corpus.json"])

    genres_of: dict[str, set[str]] = {}
    lengths = set()
    for path in songs:
        tags = FLAC(path)
        (artist,), (title,), (album,) = tags["artist"], tags["title"], tags["album"]
        assert path.name == f"{artist} - {title}.flac"
        assert artist in album
        genres_of.setdefault(artist, set()).add(path.parent.name)
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")
        assert 0.475 <= info.duration <= 0.525
        lengths.add(info.frames)
    assert len(genres_of) == 6
    assert all(len(genres) == 1 for genres in genres_of.values())
    assert len(lengths) > 6


def test_a_corpus_holds_the_songs_of_synthesise_song(tmp_path: Path) -> None:
    folder = synthesise_corpus(tmp_path, genres=["waltz"], artists=1, songs=1, seconds=2.0)
    (path,) = songs_in(folder)
    stored, rate = soundfile.read(path, dtype="float32")
    expected = synthesise_song("waltz", GENRES.index("waltz"), 0, stored.size / rate)
    assert np.abs(stored - expected).max() <= 1.01 / 2**15


def test_artists_have_distinct_names(tmp_path: Path) -> None:
    folder = synthesise_corpus(
        tmp_path, genres=["folk"], artists=60, songs=1, seconds=0.1, sample_rate=8000
    )
    assert len({path.name.split(" - ")[0].casefold() for path in songs_in(folder)}) == 60


def test_a_removed_song_is_made_again_and_the_others_are_kept(tmp_path: Path) -> None:
    synthesise_corpus(tmp_path, **SMALL)
    removed, *others = songs_in(tmp_path)
    content = removed.read_bytes()
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in others]
    removed.unlink()
    synthesise_corpus(tmp_path, **SMALL)
    assert removed.read_bytes() == content
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in others] == before


def test_an_interrupted_corpus_is_finished_by_the_next_call(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesise_corpus(tmp_path / "a", **SMALL, progress=stop)
    assert len(songs_in(tmp_path / "a")) == 5
    synthesise_corpus(tmp_path / "a", **SMALL)
    synthesise_corpus(tmp_path / "b", **SMALL)
    one, other = songs_in(tmp_path / "a"), songs_in(tmp_path / "b")
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert not list((tmp_path / "a").rglob("*.part"))


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    synthesise_corpus(tmp_path, **SMALL)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SynthesisError, match='"seed": 0') as error:
        synthesise_corpus(tmp_path, **SMALL, seed=1)
    assert '"seed": 1' in error.value.wanted
    assert error.value.remedy
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SynthesisError, match=r"found thesis\.txt, wanted"):
        synthesise_corpus(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SynthesisError, match="cannot write"):
        synthesise_corpus(tmp_path / "file", **SMALL)


@pytest.mark.parametrize(
    "wrong",
    [{"genres": ["polka"]}, {"genres": []}, {"artists": 0}, {"songs": 0}, {"seconds": -1.0}],
)
def test_bad_settings_leave_no_folder(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(SynthesisError):
        synthesise_corpus(tmp_path / "new", **{**SMALL, **wrong})
    assert not (tmp_path / "new").exists()


# --- the cache ---------------------------------------------------------------------------------

CHILD = """
from genrenet.data.synthesis import default_corpus
print("ready", flush=True)
print(default_corpus(artists=1, songs=1, seconds=0.5), flush=True)
"""


def child(cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "GENRENET_CACHE": str(cache)}
    command = [sys.executable, "-c", CHILD]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_every_size_has_its_folder_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path))
    one = default_corpus(artists=1, songs=1, seconds=0.2)
    two = default_corpus(artists=1, songs=2, seconds=0.2)
    assert one.parent == two.parent == tmp_path
    assert (len(songs_in(one)), len(songs_in(two))) == (8, 16)
    assert default_corpus(artists=1, songs=1, seconds=0.2) == one


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "file"))
    with pytest.raises(SynthesisError, match="cannot write"):
        default_corpus(artists=1, songs=1, seconds=0.2)


def test_two_processes_can_ask_at_once(tmp_path: Path) -> None:
    children = [child(tmp_path), child(tmp_path)]
    answers = {process.communicate(timeout=120)[0].split("ready\n")[1] for process in children}
    assert [process.returncode for process in children] == [0, 0]
    (folder,) = answers
    songs = songs_in(Path(folder.strip()))
    assert len(songs) == len(GENRES)
    assert all(soundfile.read(path)[0].size > 10_000 for path in songs)
    assert not list(tmp_path.rglob("*.part"))


def test_a_process_waits_while_another_makes_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path))
    folder = default_corpus(artists=1, songs=1, seconds=0.5)
    missing = songs_in(folder)[0]
    missing.unlink()
    with filelock.FileLock(f"{folder}.lock"):
        process = child(tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        assert not missing.exists()
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert missing.exists()
