"""Sections: few, in order, and at real changes of the genre."""

import itertools

import numpy as np
import pytest
import soundfile

import genrenet
from genrenet.inference.sections import CHANGE, sections
from tests.helpers.tones import RATE, tone

LABELS = ["a", "b", "c"]


def spans_of(count, seconds=30.0):
    return [(i * seconds, (i + 1) * seconds) for i in range(count)]


def test_a_flicker_is_no_section_and_a_change_is():
    calm, doubt, other = [0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.1, 0.1, 0.8]
    scores = [calm] * 5 + [doubt] + [calm] * 4 + [other] * 6
    found = sections(scores, spans_of(len(scores)), LABELS)
    assert [(part.start, part.end, part.genre) for part in found] == [
        (0, 300, "a"),
        (300, 480, "c"),
    ]
    assert found[0].confidence == pytest.approx((9 * 0.8 + 0.4) / 10)
    assert found[1].confidence == pytest.approx(0.8)


@pytest.mark.parametrize("change", [0.0, 0.5, CHANGE, 5.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_sections_are_the_best_of_all_paths(change, seed):
    scores = np.random.default_rng(seed).dirichlet([0.5] * 3, 6)
    evidence = np.log(np.maximum(scores, 1e-6))

    def value(path):
        changes = sum(a != b for a, b in itertools.pairwise(path))
        return sum(evidence[i, label] for i, label in enumerate(path)) - change * changes

    found = sections(scores, spans_of(6), LABELS, change=change)
    path = [LABELS.index(s.genre) for s in found for _ in range(round((s.end - s.start) / 30))]
    best = max(value(path) for path in itertools.product(range(3), repeat=6))
    assert value(path) == pytest.approx(best)
    assert all(a.end == b.start and a.genre != b.genre for a, b in itertools.pairwise(found))


def test_no_frames_and_one():
    assert sections([], [], LABELS) == []
    (part,) = sections([[0.2, 0.5, 0.3]], [(1.5, 3.0)], LABELS)
    assert (part.start, part.end, part.genre, part.confidence) == (1.5, 3.0, "b", 0.5)


def test_results_have_them_beside_the_timeline(checkpoint, tmp_path):
    parts = [tone(150, 6.0), tone(4000, 4.5, seed=1), tone(150, 6.0, seed=2)]
    soundfile.write(tmp_path / "mix.flac", np.concatenate(parts), RATE)
    (result,) = genrenet.classify(tmp_path / "mix.flac", checkpoint=checkpoint, timeline=True)
    found = [(part["start"], part["end"], part["genre"]) for part in result["sections"]]
    assert found == [(0.0, 6.0, "bass"), (6.0, 10.5, "treble"), (10.5, 16.5, "bass")]
    (plain,) = genrenet.classify(tmp_path / "mix.flac", checkpoint=checkpoint)
    assert "sections" not in plain
