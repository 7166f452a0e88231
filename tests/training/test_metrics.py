"""Frame and song metrics against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, top_k_accuracy_score

from genrenet.data.frames import song_scores
from genrenet.training.metrics import SongScores, StageMetrics

LABELS = ["a", "b", "c", "d"]


def _frames(seed=0, songs=12, frames=60):
    rng = torch.Generator().manual_seed(seed)
    song = torch.cat([torch.arange(songs), torch.randint(songs, (frames - songs,), generator=rng)])
    target = (torch.arange(songs) % 4)[song]
    scores = torch.randn(frames, 4, generator=rng)
    scores[torch.arange(frames), target] += 0.7
    return scores.softmax(-1), target, song


@pytest.mark.parametrize("decision", ["mean", "vote", "geometric"])
def test_equals_scikit_learn_per_frame_and_per_song(decision):
    scores, target, song = _frames()
    metrics = StageMetrics(LABELS, 12, decision)
    for part in range(0, 60, 7):
        rows = slice(part, part + 7)
        counted = torch.ones(len(song[rows]), dtype=torch.bool)
        metrics.update(scores[rows], target[rows], song[rows], counted)
    results = {name: float(value) for name, value in metrics.compute().items()}
    decided = np.stack([song_scores(scores[song == i], decision).numpy() for i in range(12)])
    truth = np.arange(12) % 4
    assert results["frame_accuracy"] == pytest.approx(accuracy_score(target, scores.argmax(-1)))
    assert results["song_accuracy"] == pytest.approx(accuracy_score(truth, decided.argmax(-1)))
    assert results["song_f1"] == pytest.approx(f1_score(truth, decided.argmax(-1), average="macro"))
    assert results["song_top2"] == pytest.approx(top_k_accuracy_score(truth, decided, k=2))
    wanted = confusion_matrix(truth, decided.argmax(-1))
    assert np.array_equal(metrics.song_confusion.compute().numpy(), wanted)
    again = {name: float(value) for name, value in metrics.compute().items()}
    assert again == results


def test_padding_and_unseen_songs_do_not_count():
    scores, target, song = _frames()
    plain, padded = StageMetrics(LABELS, 12, "mean"), StageMetrics(LABELS, 15, "mean")
    plain.update(scores, target, song, torch.ones(60, dtype=torch.bool))
    counted = torch.cat([torch.ones(60), torch.zeros(5)]).bool()
    wrong = (target[:5] + 1) % 4
    padded.update(
        torch.cat([scores, scores[:5]]),
        torch.cat([target, wrong]),
        torch.cat([song, song[:5]]),
        counted,
    )
    for name, value in plain.compute().items():
        assert padded.compute()[name] == pytest.approx(float(value)), name


def test_shares_of_several_processes_add_up():
    scores, target, song = _frames()
    counted = torch.ones(60, dtype=torch.bool)
    whole = SongScores(12, 4)
    whole.update(scores, target, song, counted)
    parts = [SongScores(12, 4) for _ in range(3)]
    for rank, part in enumerate(parts):
        part.update(scores[rank::3], target[rank::3], song[rank::3], counted[rank::3])
    merged = SongScores(12, 4)
    merged.totals = sum(part.totals for part in parts)
    merged.counts = sum(part.counts for part in parts)
    merged.target = torch.stack([part.target for part in parts]).amax(0)
    merged.update(scores[:0], target[:0], song[:0], counted[:0])
    assert torch.allclose(merged.compute()[0], whole.compute()[0], atol=1e-6)
    assert torch.equal(merged.compute()[1], whole.compute()[1])
