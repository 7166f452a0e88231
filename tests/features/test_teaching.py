"""Outputs of teachers for songs: every frame, in order, once; unreadable files."""

import numpy as np
import soundfile
import torch

from genrenet.features import embed_songs
from genrenet.features.teaching import lessons_of
from genrenet.models.checkpoints import load_model
from tests.helpers.tones import RATE


def test_lessons_are_the_frames_of_all_songs_in_order(music, checkpoint, tmp_path):
    (tmp_path / "bad.mp3").write_text("only text")
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    good = [str(music / "bass" / "bass-0.wav"), str(music / "treble" / "treble-3.wav")]
    paths = [good[0], str(tmp_path / "bad.mp3"), str(tmp_path / "silent.wav"), good[1]]
    (lesson,), errors = lessons_of([str(checkpoint)], paths)
    assert set(errors) == set(paths[1:3])
    assert lesson.known().tolist() == [True, False, False, True]
    assert lesson.labels == ["bass", "middle", "treble"]
    assert lesson.seconds == 1.5
    assert lesson.first.tolist() == [0, 3, 3, 3, 6]  # of 5 s each, end to end
    model = load_model(checkpoint)
    wanted = np.concatenate(
        [
            song.frames
            for song in embed_songs(good, model, ["embedding", "logits"], trim=0.0, frames="whole")
        ]
    )
    np.testing.assert_allclose(lesson.said, wanted, atol=1e-5)
    assert lesson.decisions()[[0, 3]].tolist() == [0, 2]


def test_songs_are_judged_once(music, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    paths = [str(path) for path in sorted(music.rglob("*.wav"))[:3]]
    (first,), _ = lessons_of([str(checkpoint)], paths)
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.npz")}
    assert len(kept) == 3
    (second,), _ = lessons_of([str(checkpoint)], paths)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.npz")} == kept
    torch.testing.assert_close(first.said, second.said)
