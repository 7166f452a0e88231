"""The model from waveforms to scores: labels, lengths, layers and its description."""

import pytest
import torch

from genrenet.data.frames import FrameError, FrameSettings, cut, filled, song_scores
from genrenet.models.model import GenreModel
from genrenet.models.plain import ModelError
from tests.helpers.small_training import SMALL, small_model


def test_log_mel_and_waveform_give_the_same_scores():
    model = small_model().eval()
    wave = torch.randn(2, 18_000)
    mel = model.frontend(wave)
    scores = model.scores(wave)
    assert torch.allclose(scores, model.scores_of_logmel(mel))
    assert torch.allclose(scores, model.scores_of_logmel(mel.unsqueeze(1)))


@pytest.mark.parametrize("decision", ["mean", "vote", "geometric"])
def test_waveforms_of_any_length_have_a_row_each(decision):
    model = small_model(aggregation=decision).eval()
    model.frames = FrameSettings(1.5, 0)
    noise = torch.Generator().manual_seed(3)
    # Two frames and a rest; 19 frames, which are more than are scored at once.
    for samples in (2 * 18_000 + 7_000, 19 * 18_000):
        waves = torch.randn(3, samples, generator=noise)
        found, vectors = model.scores(waves), model.embed(waves)
        assert found.shape == (3, 3)
        for wave, row, vector in zip(waves, found, vectors, strict=True):
            frames = torch.stack(wave.split(18_000)[: samples // 18_000])
            torch.testing.assert_close(row, song_scores(model.scores(frames), decision))
            torch.testing.assert_close(vector, model.embed(frames).mean(dim=0))
    short = torch.randn(2, 5_000, generator=noise)
    for fill in ("repeat", "zeros"):
        model.frames = FrameSettings(1.5, 0, fill=fill)
        whole = cut(short, model.frames)[:, 0]
        for row, wave in zip(whole, short, strict=True):
            assert row.tolist() == filled(wave.numpy(), model.frames).tolist()
        torch.testing.assert_close(model.scores(short), model.scores(whole))
        both = model.embed(short, ["conv1", "embedding"])
        torch.testing.assert_close(both, model.embed(whole, ["conv1", "embedding"]))


@pytest.mark.parametrize("shape", [(18_000,), (2, 1, 18_000), (2, 0)])
def test_shapes_that_are_no_waveforms(shape):
    model = small_model().eval()
    for method in (model.scores, model.embed):
        with pytest.raises(FrameError, match=r"wanted \(batch, samples\)"):
            method(torch.zeros(shape))


@pytest.mark.parametrize("activation", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_rows_sum_to_one_unless_they_are_tags(activation):
    model = GenreModel(["a", "b", "c"], SMALL, activation=activation).eval()
    model.frames = FrameSettings(1.5, 0)
    with torch.no_grad():
        sums = model.scores(torch.randn(4, 18_000)).sum(dim=-1)
        model.network.head.weight.zero_()
        model.network.head.bias.fill_(3.0)
        alike = model.scores(torch.randn(1, 18_000))
    if activation == "sigmoid":
        torch.testing.assert_close(alike, torch.full((1, 3), 3.0).sigmoid())
    else:
        torch.testing.assert_close(sums, torch.ones(4))
        torch.testing.assert_close(alike, torch.full((1, 3), 1 / 3))


def test_layers_are_put_one_behind_the_other():
    model = small_model().eval()
    wave = torch.randn(2, 18_000)
    parts = [model.embed(wave, name) for name in ("conv1", "conv2", "logits")]
    assert torch.equal(model.embed(wave, ["conv1", "conv2", "logits"]), torch.cat(parts, dim=-1))
    torch.testing.assert_close(parts[2], model(wave))


@pytest.mark.parametrize(("layer", "words"), [("conv9", "no layer 'conv9'"), ([], "layer named")])
def test_layers_that_are_not_there_are_named(layer, words):
    with pytest.raises(ModelError, match=f"{words}.*conv1, conv2, embedding, logits"):
        small_model().eval().embed(torch.randn(1, 18_000), layer)


@pytest.mark.parametrize(
    ("labels", "settings", "words"),
    [
        (["jazz"], {}, "wanted at least two"),
        (["jazz", "rock"], {"activation": "tanh"}, "'tanh', wanted softmax"),
        (["jazz", "rock"], {"network": lambda n_labels: n_labels}, "network"),
    ],
)
def test_impossible_models_are_named(labels, settings, words):
    with pytest.raises(ModelError, match=words):
        GenreModel(labels, **{"network": SMALL, **settings})


def test_the_description_follows_the_settings():
    model = GenreModel(("x", "y"), SMALL, activation="sigmoid", aggregation="geometric")
    found = model.description()
    assert (found["labels"], found["output"], found["decision"]) == (
        ["x", "y"],
        "sigmoid",
        "geometric",
    )
    assert found["network"]["name"] == "CNN"
    assert model.saved_description() == found  # no other class, so nothing is said of noise
    assert model.device.type == "cpu"
