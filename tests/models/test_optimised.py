"""Optimised models against the original ones, on synthesised and real songs."""

import copy
import functools

import pytest
import torch

from genrenet import audio
from genrenet.data.frames import FrameSettings
from genrenet.inference.classify import find_songs, open_method, score_songs
from genrenet.models.checkpoints import load_model
from genrenet.models.folding import HalfPrecision
from genrenet.models.frontend import LogMel
from genrenet.models.networks import MusiCNN
from genrenet.models.optimised import PrecisionError, optimised, precision_of
from genrenet.training.augmentation import SpecAugment
from genrenet.utils.hardware import fast_half
from tests.helpers.small_training import small_model
from tests.helpers.tones import RATE

SMALL_MUSICNN = functools.partial(MusiCNN, timbral=4, temporal=2, mid=5, units=7)


@pytest.fixture(scope="module")
def model(checkpoint):
    return load_model(checkpoint).eval()


@pytest.fixture(scope="module")
def frames(music):
    """Three frames of each of the 24 songs."""
    songs = [audio.load(path, RATE) for path in sorted(music.rglob("*.wav"))]
    return torch.cat([torch.from_numpy(song[:54_000].reshape(3, -1)) for song in songs])


@torch.inference_mode()
def scores_of(model, frames):
    return model.scores(frames)


def test_scores_are_the_models_own(model, frames):
    wanted = scores_of(model, frames)
    assert len(wanted) == 72
    assert set(wanted.argmax(1).tolist()) == {0, 1, 2}
    torch.testing.assert_close(scores_of(optimised(model, "32"), frames), wanted, atol=1e-4, rtol=0)


def test_half_precision_changes_no_answer(model, frames):
    wanted, ready = scores_of(model, frames), optimised(model, "bf16")
    assert isinstance(ready.network, HalfPrecision)
    found = scores_of(ready, frames)
    assert torch.equal(found.argmax(1), wanted.argmax(1))
    torch.testing.assert_close(found, wanted, atol=0.05, rtol=0)
    torch.testing.assert_close(found.sum(1), torch.ones(72), atol=1e-5, rtol=0)


@pytest.mark.parametrize("layer", ["embedding", "logits", ("conv1", "embedding")])
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_features_are_the_models_own(layer, precision, model, frames):
    ready = optimised(model, precision)
    with torch.inference_mode():
        wanted, found = model.embed(frames[::9], layer), ready.embed(frames[::9], layer)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("output", ["softmax", "normalised-sigmoid", "sigmoid"])
def test_outputs_of_every_kind(output, frames):
    model = small_model(activation=output).eval()
    found = scores_of(optimised(model, "32"), frames[:6])
    torch.testing.assert_close(found, scores_of(model, frames[:6]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_musicnn(precision):
    torch.manual_seed(0)
    model = small_model(network=SMALL_MUSICNN).eval()
    waves = 0.1 * torch.randn(5, model.frames.n_samples)
    wanted, found = scores_of(model, waves), scores_of(optimised(model, precision), waves)
    tolerance = 1e-4 if precision == "32" else 0.02
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=0)
    assert torch.equal(found.argmax(1), wanted.argmax(1))


def test_what_else_a_model_knows_is_kept(model):
    ready = optimised(model, "bf16")
    assert ready.labels == model.labels
    assert ready.frames == model.frames == FrameSettings(1.5, ready.frames.trim, RATE)
    assert (ready.activation, ready.aggregation) == (model.activation, model.aggregation)
    assert ready.device == model.device
    assert ready.provenance == model.provenance
    assert not ready.training
    assert not any(p.requires_grad for p in ready.network.parameters())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_the_model_itself_stays_as_it_was(training, precision, frames):
    model = small_model(spec_augment=SpecAugment()).train(training)
    before = copy.deepcopy(model.state_dict())
    kinds = [type(module) for module in model.modules()]
    ready = optimised(model, precision)
    scores_of(ready, frames[:2])
    ready.to("meta")
    assert [type(module) for module in model.modules()] == kinds
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.label_weights.device == model.device == torch.device("cpu")
    assert {module.training for module in model.modules()} == {training}
    assert all(p.requires_grad for p in model.network.parameters())


def test_training_goes_on_without_the_ready_model_noticing(frames):
    model = small_model()
    ready = optimised(model, "32")
    before = scores_of(ready, frames[:4])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(frames[:4]).square().sum().backward()
    optimizer.step()
    assert torch.equal(scores_of(ready, frames[:4]), before)
    assert not torch.allclose(scores_of(model.eval(), frames[:4]), before, atol=1e-3)


def test_mel_power_comes_from_an_fft(model):
    assert model.frontend.settings["backend"] == "nnaudio"
    ready = optimised(model, "32").frontend
    assert ready.settings == {**model.frontend.settings, "backend": "fft"}


@pytest.mark.parametrize("which", ["trainable_stft", "trainable_mel"])
def test_a_learnt_front_end_is_kept(which, frames):
    model = small_model(frontend=LogMel(**{which: True})).eval()
    with torch.no_grad():
        for parameter in model.frontend.parameters():
            parameter.mul_(1 + 0.5 * torch.rand_like(parameter))
    wanted = scores_of(model, frames[:4])
    ready = optimised(model, "32")
    torch.testing.assert_close(scores_of(ready, frames[:4]), wanted, atol=1e-4, rtol=0)
    plain = small_model().eval()
    plain.network.load_state_dict(model.network.state_dict())
    # Logits, as scores of a random network may all be near 0 and 1.
    with torch.no_grad():
        assert not torch.allclose(plain(frames[:4]), model(frames[:4]), atol=0.02)


@pytest.mark.parametrize("first", ["32", "bf16"])
@pytest.mark.parametrize("second", ["32", "bf16"])
def test_a_ready_model_may_be_made_ready_again(first, second, model, frames):
    again = optimised(optimised(model, first), second)
    found, wanted = scores_of(again, frames), scores_of(model, frames)
    torch.testing.assert_close(found, wanted, atol=0.05, rtol=0)
    assert torch.equal(found.argmax(1), wanted.argmax(1))


# --- precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "device", "words"),
    [
        ("8", "cpu", "found '8', wanted auto, 32, bf16, 16"),
        ("float32", "cuda", "found 'float32'"),
        ("16", "cpu", "do not compute in float16"),
    ],
)
def test_precisions_there_are_not_are_named(precision, device, words):
    with pytest.raises(PrecisionError, match=words):
        precision_of(precision, device)


def test_a_precision_is_refused_before_anything_is_made(model):
    with pytest.raises(PrecisionError, match="bf16 or 32"):
        optimised(model, "16")


def test_precisions_are_types():
    assert precision_of("32", "cpu") == torch.float32
    assert precision_of("bf16", "cpu") == torch.bfloat16
    assert precision_of("16", "cuda:1") == torch.float16
    assert precision_of("auto", "meta") == precision_of("auto", "mps") == torch.float32
    assert precision_of("auto", "cpu") == (fast_half("cpu") or torch.float32)


def test_auto_is_half_precision_where_it_is_fast(model):
    halved = isinstance(optimised(model).network, HalfPrecision)
    assert halved == (fast_half("cpu") is not None)


# --- real songs -----------------------------------------------------------------------------------


def test_shipped_model_on_real_songs(shared_data):
    """The shipped model, 40 songs: labels do not change, and single precision's scores neither."""
    songs = list(find_songs([shared_data / "emotify"]))[::8][:40]
    assert len(songs) >= 35
    plain = load_model("emotify-cnn").eval()
    ways = {
        "plain": plain,
        "32": open_method("emotify-cnn", "cpu", "32"),
        "bf16": open_method("emotify-cnn", "cpu", "bf16"),
    }
    found = {name: list(score_songs(songs, way, frames=1)) for name, way in ways.items()}
    assert len({result.genre for result in found["plain"]}) == 4
    for one, single, half in zip(*found.values(), strict=True):
        assert one.error is None
        assert single.genre == half.genre == one.genre
        assert single.scores == pytest.approx(one.scores, abs=1e-4)
        assert half.scores == pytest.approx(one.scores, abs=0.05)
