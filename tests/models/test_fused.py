"""Networks in parallel: the same outputs as separately, in files without published weights."""

import copy
from functools import partial

import numpy as np
import pytest
import soxr
import torch
from scipy.signal import firwin

from genrenet.models.checkpoints import (
    export_checkpoint,
    import_checkpoint,
    open_checkpoint,
    read_checkpoint,
    register,
    registry,
    write_checkpoint,
)
from genrenet.models.checkpoints.export import export_model
from genrenet.models.description import frontend_part, network_part
from genrenet.models.folding import fold
from genrenet.models.frontend import FrontendError
from genrenet.models.fused import HALF_TAPS, PASSED, Branch, Fused, Waveform
from genrenet.models.kaldi import KaldiMel
from genrenet.models.model import GenreModel
from genrenet.models.networks import CNN, MobileNetV3, MusiCNN, NetworkError
from genrenet.models.optimised import optimised
from tests.helpers.publishing import model_of, sha256, small_cnn


def part(model, seconds):
    return {
        "network": network_part(model.network),
        "frontend": frontend_part(model.frontend),
        "seconds": seconds,
    }


@pytest.fixture(scope="module")
def parts():
    torch.manual_seed(0)
    musicnn = GenreModel(["a", "b"], MusiCNN)
    mobile = GenreModel(["a", "b"], partial(MobileNetV3, width=0.1), KaldiMel)
    return [part(musicnn, 2.976), part(mobile, 10.0)]


@pytest.fixture
def fused(parts):
    torch.manual_seed(1)
    return GenreModel(["a", "b", "c"], partial(Fused, branches=parts)).eval()


@pytest.fixture(scope="module")
def noise():
    return torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (2, 320_000))).float()


def test_each_network_sees_its_own_frames_at_its_own_rate(fused, noise):
    with torch.no_grad():
        found = fused.embed(noise)
        musicnn, mobile = (branch.network for branch in fused.network.branches)
        front, kaldi = (branch.frontend for branch in fused.network.branches)
        even = fused.frontend(noise)[:, 0]
        low = fused.network.branches[0].resample(even[:, None])
        cut = [low[:, i : i + 47_616] for i in (0, 56_192, 112_384)]
        alone = torch.stack([musicnn.embed(front(frames)) for frames in cut]).mean(dim=0)
        assert torch.allclose(found[:, :200], alone, atol=1e-5)
        assert torch.allclose(found[:, 200:], mobile.embed(kaldi(even)), atol=1e-5)
        assert torch.allclose(fused(noise), fused.network.head(found), atol=1e-5)


def test_the_rate_is_halved_as_by_a_good_resampler(parts):
    wave = np.random.default_rng(1).normal(0, 0.1, 32_000)
    wanted = soxr.resample(wave, 32_000, 16_000)
    branch = Branch(parts[0], 32_000)
    x = torch.from_numpy(wave).float()[None, None]
    found = branch.resample(x)[0]
    taps = torch.from_numpy(firwin(4 * HALF_TAPS + 1, PASSED / 2)).float()
    plain = torch.nn.functional.conv1d(x, taps[None, None], stride=2, padding=2 * HALF_TAPS)
    assert torch.allclose(found, plain[0, 0, :16_000], atol=1e-6)
    low = slice(0, 6_500)  # of 8,000 frequencies; above both fall off, each in its own way
    one, other = (np.fft.rfft(np.asarray(y))[low] for y in (found, wanted[:16_000]))
    assert np.abs(one - other).max() < 0.02 * np.abs(other).max()


def test_inference_gives_the_same_scores(fused, noise):
    with torch.no_grad():
        assert torch.allclose(optimised(fused, "32").scores(noise), fused.scores(noise), atol=1e-4)


def test_its_head_alone_can_learn_and_files_for_others_can_be_written(tmp_path):
    torch.manual_seed(2)
    small = GenreModel(["a", "b"], partial(CNN, channels=[4, 4], pools=[(8, 16), (8, 16)]))
    made = partial(Fused, branches=[part(small, 29.12)], seconds=30, sample_rate=24_000)
    model = GenreModel(["a", "b"], partial(made, dropout=0.5)).eval()
    assert list(model.network.stages()) == ["branches", "head"]
    wave = torch.randn(2, model.frames.n_samples) * 0.1
    with torch.no_grad():
        low = model.frontend(wave)
        features = model.network.forward_features(low, until="branches")
        assert torch.equal(model.network.forward_head(features), model.network(low))
    assert export_model(model, tmp_path / "fused.pt2").is_file()


def test_each_of_several_networks_ends_in_single_precision(noise):
    one = GenreModel(["a", "b"], small_cnn)
    two = [part(one, 1.5)] * 2
    made = partial(Fused, branches=two, seconds=10.0, sample_rate=24_000)
    model = GenreModel(["a", "b"], made).eval()
    with torch.no_grad():
        found = fold(model.network, torch.bfloat16).embed(model.frontend(noise[:, :240_000]))
        exact = model.embed(noise[:, :240_000])
    assert found.dtype == torch.float32
    assert torch.allclose(found, exact, atol=0.1)


def test_gain_does_not_matter_where_the_level_is_implausible(fused, noise):
    with torch.no_grad():
        assert torch.allclose(fused.scores(noise * 1e-3), fused.scores(noise * 1e-2), atol=1e-4)


def test_rates_that_do_not_fit_are_refused(parts):
    with pytest.raises(NetworkError, match="whole multiple of 16000"):
        Branch(parts[0], 24_000)
    with pytest.raises(FrontendError, match="samples"):
        Waveform()(torch.zeros(3))


def test_a_file_leaves_out_what_several_backbones_hold(tmp_path, monkeypatch, fused, noise):
    """Two published models, imported on this machine, complete a file that holds the head alone."""
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    known = []
    for i, (branch, name) in enumerate(zip(fused.network.branches, "xy", strict=True)):
        inner = GenreModel(["a", "b"], lambda _, n=branch.network: n, branch.frontend)
        inner.network.head = torch.nn.Linear(branch.embedding_size, 2)
        content = name.encode() * 100
        (tmp_path / name).write_bytes(content)
        address = (tmp_path / name).as_uri()
        about = {"name": f"tiny-{name}", "filename": f"{name}.bin", "labels": ("a", "b")}
        register(model_of(content, address, **about, convert=lambda _, m=inner: copy.deepcopy(m)))
        import_checkpoint(f"tiny-{name}")
        branch.network.head = torch.nn.Identity()
        prefix = f"network.branches.{i}.network."
        known.append({"name": f"tiny-{name}", "sha256": sha256(content), "prefix": prefix})
    fused.provenance["backbone"] = known
    whole = write_checkpoint(fused, tmp_path / "whole.ckpt")
    small = export_checkpoint(whole, tmp_path / "small.ckpt", without_backbone=True)
    assert set(read_checkpoint(small)["state_dict"]) == {"network.head.weight", "network.head.bias"}
    with torch.no_grad():
        assert torch.equal(open_checkpoint(small).scores(noise), fused.scores(noise))
