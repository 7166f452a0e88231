"""Agreement of a student with its teacher: counts, intervals, and no common songs."""

import torch

from genrenet.evaluation.agreement import agreement
from genrenet.evaluation.metrics import wilson_interval
from genrenet.models.checkpoints import load_model, write_checkpoint


def test_a_model_agrees_with_itself_and_not_with_one_that_always_answers_the_same(
    music, checkpoint, tmp_path
):
    paths = [str(path) for path in sorted(music.rglob("*.wav"))[::4]]
    itself = agreement(str(checkpoint), str(checkpoint), paths)
    assert (itself.songs, itself.same) == (6, 6)
    assert itself.correlation > 0.9999
    assert itself.interval == wilson_interval(6, 6)
    assert min(itself.seconds) > 0

    stubborn = load_model(checkpoint)
    with torch.no_grad():
        stubborn.network.head.weight.zero_()
        stubborn.network.head.bias.copy_(torch.tensor([0.0, 5.0, 0.0]))
    write_checkpoint(stubborn, tmp_path / "stubborn.ckpt")
    found = agreement(str(tmp_path / "stubborn.ckpt"), str(checkpoint), paths)
    assert (found.songs, found.same) == (6, 2)
    assert found.correlation < 0.5
    assert "0.333 of 6 held-out songs (95 % interval 0.10-0.70)" in str(found)


def test_songs_that_cannot_be_read_are_not_compared(checkpoint, tmp_path):
    (tmp_path / "bad.mp3").write_text("only text")
    found = agreement(str(checkpoint), str(checkpoint), [str(tmp_path / "bad.mp3")])
    assert found.songs == 0
    assert str(found) == "no held-out song could be judged by both"
