"""Distillation: aligned lessons, training of a student, and its checkpoints."""

import functools

import pytest
import torch
from torch import nn

from genrenet.data.collection import DataError
from genrenet.features.teaching import lessons_of
from genrenet.models.checkpoints import load_model, read_checkpoint
from genrenet.training.distillation import DistilledClassifier, Lesson, TaughtData
from genrenet.training.module import ClassifierError
from tests.helpers.small_training import SMALL, small_trainer


def lesson(values, counts, labels=("a", "b"), **settings):
    """Frames of one second; the values' last columns are the logits."""
    first = torch.tensor([0, *counts]).cumsum(0)
    return Lesson("teacher", list(labels), 1.0, torch.tensor(values), first, **settings)


STEPS = lesson([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [7.0, 0.0]], [3, 0, 1])


@pytest.mark.parametrize(
    ("song", "start", "seconds", "wanted"),
    [
        (0, 0.0, 1.0, 0.0),
        (0, 0.5, 1.0, 0.5),
        (0, 0.75, 2.0, (0.25 * 0 + 1 * 1 + 0.75 * 2) / 2),
        (0, 0.0, 3.0, 1.0),
        (0, 1.5, 1.0, 1.5),
        (0, 2.5, 1.0, 2.0),
        (0, 9.0, 1.0, 2.0),
        (2, 0.0, 0.5, 7.0),
        (2, 0.0, 3.0, 7.0),
    ],
)
def test_stretches_take_the_frames_they_overlap(song, start, seconds, wanted):
    found = STEPS.of(torch.tensor([song]), torch.tensor([start]), seconds)
    assert found[0, 0].item() == pytest.approx(wanted)


def test_a_batch_of_stretches_is_what_each_gives():
    songs, starts = torch.tensor([2, 0, 0]), torch.tensor([0.0, 0.3, 1.9])
    together = STEPS.of(songs, starts, 1.5)
    alone = [STEPS.of(songs[i : i + 1], starts[i : i + 1], 1.5) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_songs_are_decided_as_the_teacher_would_and_known_where_there_are_frames():
    logits = [[3.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 2.0]]
    assert lesson(logits, [3, 0, 1]).decisions().tolist() == [1, 0, 1]
    assert lesson(logits, [3, 0, 1], aggregation="geometric").decisions().tolist() == [0, 0, 1]
    assert lesson(logits, [3, 0, 1]).known().tolist() == [True, False, True]


def test_the_scale_is_that_of_the_songs_named():
    mean, spread = STEPS.scale(torch.tensor([0, 1]))
    assert mean.tolist() == [1.0, 0.0]
    assert spread.tolist() == pytest.approx([1.001, 0.001])


def taught(music, checkpoint, **settings):
    defaults = {"frame_seconds": 1.5, "trim": 0.0, "batch_size": 8, "num_workers": 0}
    data = TaughtData([str(checkpoint)], source=str(music), store=None, **{**defaults, **settings})
    data.learn_from(*lessons_of(data.teachers, list(data.catalog.table["path"])))
    return data


def student(data, **settings):
    told = [lesson.said.shape[1] for lesson in data.lessons]
    defaults = {"optimizer": functools.partial(torch.optim.AdamW, lr=3e-3), "network": SMALL}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DistilledClassifier(data.labels, told, **{**defaults, **settings})


@pytest.mark.long
def test_a_student_learns_to_answer_as_its_teacher(music, checkpoint, tmp_path):
    data = taught(music, checkpoint, crops_per_song=4)
    model = student(data)
    trainer = small_trainer(tmp_path, max_epochs=16, num_sanity_val_steps=0)
    trainer.fit(model, data)
    (measured,) = trainer.test(model, data, verbose=False)
    assert measured["test/song_accuracy"] >= 0.8
    # What it learnt to tell is nearer to what the teacher says than the mean is.
    data.setup("test")
    batch = next(iter(data.in_order("test")))
    songs = data._rows["test"][batch["song"]]
    mean, spread = data._scales[0]
    said = (data.lessons[0].of(songs, batch["start"], 1.5) - mean) / spread
    with torch.no_grad():
        told = model.tell(model.frame_scores(batch)["embedding"])
    assert (told - said).square().mean() < 0.7 * said.square().mean()


def test_genres_of_the_collection_count_for_nothing(music, checkpoint):
    data = taught(music, checkpoint)
    assert set(data.catalog.table["genre"]) == {""}
    assert data.labels == load_model(checkpoint).labels
    parts = data.split.counts()
    assert sum(parts.values()) == 24
    assert min(parts.values()) > 0


def test_songs_that_no_teacher_could_judge_are_skipped_by_name(music, checkpoint, caplog):
    data = taught(music, checkpoint)
    paths = list(data.catalog.table["path"])
    full = data.lessons[0]
    first = full.first.clone()
    first[5:] -= first[5] - first[4]  # as if the fifth song had no frame
    data.learn_from([Lesson("deaf", full.labels, full.seconds, full.said, first)])
    assert list(data.skipped) == [paths[4]]
    assert "no frame that a teacher could judge" in caplog.text
    assert paths[4] not in [
        path for part in data.split.counts() for path in data.part(part)["path"]
    ]


def test_what_tells_stays_out_of_the_weights_and_is_there_again_on_resuming(
    music, checkpoint, tmp_path
):
    data = taught(music, checkpoint)
    model = student(data)
    trainer = small_trainer(tmp_path, max_epochs=1)
    trainer.fit(model, data)
    trainer.save_checkpoint(tmp_path / "run.ckpt")
    entries = read_checkpoint(tmp_path / "run.ckpt")
    assert set(entries["tell"]) == {"tell.weight", "tell.bias"}
    opened = load_model(tmp_path / "run.ckpt")
    frame = torch.randn(1, opened.frames.n_samples) * 0.1
    torch.testing.assert_close(opened.scores(frame), model.eval().scores(frame))
    assert entries["genrenet"]["teachers"] == [str(checkpoint)]

    again, data = student(data), taught(music, checkpoint)
    trainer = small_trainer(tmp_path, max_epochs=1)
    trainer.fit(again, data, ckpt_path=tmp_path / "run.ckpt", weights_only=True)
    torch.testing.assert_close(again.tell.weight, model.tell.weight)


def test_requests_that_cannot_be_carried_out(music, checkpoint, tmp_path):
    with pytest.raises(ClassifierError, match="telling"):
        DistilledClassifier(["a", "b"], [3], telling=-1.0)

    class Plain(nn.Module):
        def __init__(self, n_labels):
            super().__init__()
            self.layer = nn.Linear(96, n_labels)

        def forward(self, logmel):
            return self.layer(logmel.mean(dim=-1))

    with pytest.raises(ClassifierError, match="no embedding"):
        DistilledClassifier(["a", "b"], [3], network=Plain)
    with pytest.raises(DataError, match="no teacher"):
        TaughtData([], source=str(music), store=None).setup("fit")
