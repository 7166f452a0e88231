"""Published weights: scores equal the published ones, and damage is reported."""

import io
import random
import zipfile

import h5py
import numpy as np
import pytest
import torch

from genrenet import audio
from genrenet.data.frames import FrameSettings
from genrenet.inference.classify import score_songs
from genrenet.models.checkpoints import (
    FetchError,
    fetch,
    import_checkpoint,
    load_model,
    published,
)
from genrenet.models.checkpoints.convert.keras import (
    KerasWeightsError,
    convert_keras_tagger,
    read_keras_weights,
)
from genrenet.models.checkpoints.convert.musicnn import convert_musicnn
from genrenet.models.checkpoints.convert.tensorbundle import TensorBundleError, read_tensor_bundle
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.networks import CRNN

PUBLISHED_CRNN = {
    "cute": "jazz 0.444, instrumental 0.151, folk 0.103, Hip-Hop 0.103, ambient 0.077",
    "dubstep": "Hip-Hop 0.245, rock 0.183, alternative 0.081, electronic 0.076, "
    "alternative rock 0.053",
}
PORTED_CNN = {
    "cute": "jazz 0.902, folk 0.649, female vocalists 0.600, electronic 0.249, chill 0.123",
    "dubstep": "electronic 0.541, female vocalists 0.248, electronica 0.020",
}


@pytest.fixture(scope="session")
def weights(shared_data):
    folder = shared_data.parent / "weights"
    if not folder.is_dir():
        pytest.skip(f"no published weights in {folder}")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of musicnn, fetched as a user's would be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENRENET_CACHE", str(tmp_path_factory.mktemp("wheel")))
        try:
            return fetch(published("musicnn-msd"))
        except FetchError as error:
            pytest.skip(f"no published weights: {error}")


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))


# --- the taggers of Choi et al., and their fine-tuned child ---------------------------------------


@pytest.mark.parametrize("clip", ["cute", "dubstep"])
@pytest.mark.parametrize(
    ("name", "file", "scores"),
    [
        ("msd-crnn", "music_tagger_crnn_weights_tensorflow.h5", PUBLISHED_CRNN),
        ("msd-crnn", "music_tagger_crnn_weights_theano.h5", PUBLISHED_CRNN),
        ("msd-cnn", "music_tagger_cnn_weights_tensorflow.h5", PORTED_CNN),
    ],
)
def test_taggers_give_the_published_scores(name, file, scores, clip, weights, shared_data):
    import_checkpoint(name, weights / file)
    model = load_model(name)
    logmel = torch.from_numpy(np.load(shared_data / "clips" / f"bensound-{clip}.npy")).float()
    with torch.inference_mode():
        found = dict(zip(model.labels, model.scores_of_logmel(logmel)[0].tolist(), strict=True))
    wanted = {}
    for pair in scores[clip].split(", "):
        tag, score = pair.rsplit(" ", 1)
        wanted[tag] = float(score)
    best = sorted(found, key=lambda tag: -found[tag])[: len(wanted)]
    # Two tags whose published scores are equal may come in either order.
    assert {tag: round(found[tag], 3) for tag in best} == wanted


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("msd-cnn", "music_tagger_cnn_weights_tensorflow.h5"),
        ("msd-crnn", "music_tagger_crnn_weights_tensorflow.h5"),
    ],
)
def test_taggers_hear_the_clips_themselves_nearly_so(name, file, weights, shared_data):
    """Our own decoder and front end instead of the published arrays."""
    import_checkpoint(name, weights / file)
    model = load_model(name)
    for clip in ("cute", "dubstep"):
        wave = audio.load(shared_data / "clips" / f"bensound-{clip}.mp3")
        # Where the log-mels of both clips agree best with the arrays, whatever the scores.
        start = (len(wave) - model.frames.n_samples) // 2 + 144
        frame = torch.from_numpy(wave[None, start : start + model.frames.n_samples])
        logmel = torch.from_numpy(np.load(shared_data / "clips" / f"bensound-{clip}.npy")).float()
        with torch.inference_mode():
            found, wanted = model.scores(frame), model.scores_of_logmel(logmel)
        torch.testing.assert_close(found, wanted, rtol=0, atol=0.03)


def test_the_published_scores_tell_both_readings_of_the_spread_apart(weights, shared_data):
    """The recurrent layers saturate: that scores agree is worth something only if others differ."""
    file = weights / "music_tagger_crnn_weights_tensorflow.h5"
    logmel = torch.from_numpy(np.load(shared_data / "clips" / "bensound-cute.npy"))[0].float()
    best = []
    for spread in ("variance", "standard deviation"):
        network = CRNN(50)
        network.load_state_dict(convert_keras_tagger(file, flipped=False, spread=spread))
        with torch.inference_mode():
            best.append(round(network.eval()(logmel).sigmoid().max().item(), 3))
    assert best[0] == 0.444
    assert abs(best[1] - 0.444) > 0.1


def test_both_crnn_files_are_one_model(weights):
    states = []
    for kind, flipped in (("tensorflow", False), ("theano", True)):
        file = weights / f"music_tagger_crnn_weights_{kind}.h5"
        states.append(convert_keras_tagger(file, flipped=flipped, spread="variance"))
    assert states[0].keys() == states[1].keys()
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], rtol=0, atol=1e-6)


def test_settings_of_the_imported_models(weights):
    files = {
        "msd-cnn": "music_tagger_cnn_weights_tensorflow.h5",
        "gtzan10-crnn": "crnn_net_gru_adam_ours_epoch_40.h5",
    }
    for (name, file), fill in zip(files.items(), ("zeros", "repeat"), strict=True):
        import_checkpoint(name, weights / file)
        model = load_model(name)
        assert model.frames == FrameSettings(29.12, 20.0, 12_000, fill)
        assert model.frontend.settings["level"] == "keep"
        assert tuple(model.labels) == published(name).labels
        assert model.provenance["source"]["sha256"] == published(name).sha256
    assert model.activation == "normalised-sigmoid"
    assert load_model("msd-cnn").activation == "sigmoid"
    assert load_model("msd-cnn").network.settings["conv_dropout"] == 0.5


def test_gtzan10_names_the_genres_of_gtzan(weights, shared_data):
    import_checkpoint("gtzan10-crnn", weights / "crnn_net_gru_adam_ours_epoch_40.h5")
    model = load_model("gtzan10-crnn")
    songs = sorted((shared_data / "gtzan-excerpts" / "genres").glob("*/*.wav"))
    assert len(songs) == 50
    results = list(score_songs(map(str, songs), model))
    assert sum(r.genre == s.parent.name for r, s in zip(results, songs, strict=True)) >= 33
    assert sum(results[0].scores.values()) == pytest.approx(1, abs=1e-4)


# --- MusiCNN --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what librosa imports
@pytest.mark.parametrize("clip", ["cute", "dubstep"])
def test_musicnn_gives_the_reference_activations(wheel, shared_data, clip):
    librosa = pytest.importorskip("librosa")
    import_checkpoint("musicnn-msd", wheel)
    model = load_model("musicnn-msd")
    reference = np.load(shared_data / "clips" / f"musicnn-{clip}.npz")
    wave, _ = librosa.load(shared_data / "clips" / f"bensound-{clip}.mp3", sr=16_000)
    mel = librosa.feature.melspectrogram(y=wave, sr=16_000, hop_length=256, n_fft=512, n_mels=96)
    # The reference program rounded the mel, not its logarithm.
    logmel = np.log10(10_000 * mel.T.astype(np.float16).astype(np.float32) + 1)
    count = len(reference["tags"])
    patches = torch.from_numpy(logmel[: count * 187].reshape(count, 187, 96))
    with torch.inference_mode():
        tags = model.scores_of_logmel(patches.unsqueeze(1))
        layers = model.network.layers(patches.transpose(1, 2))
        stored = model.scores_of_logmel(torch.from_numpy(reference["logmel"]).unsqueeze(1))
    found = {
        "tags": tags,
        "penultimate": layers["embedding"],
        "mean_pool": layers["mean_pool"],
        "max_pool": layers["max_pool"],
    }
    for name, values in found.items():
        np.testing.assert_allclose(values.numpy(), reference[name], rtol=0, atol=2e-3)
    np.testing.assert_allclose(stored.numpy(), reference["tags"], rtol=0, atol=1e-3)


def test_musicnn_hears_the_songs_themselves_nearly_so(wheel, shared_data):
    """Our own decoder, front end and frames instead of the reference's."""
    import_checkpoint("musicnn-msd", wheel)
    model = load_model("musicnn-msd")
    for clip in ("cute", "dubstep"):
        wanted = np.load(shared_data / "clips" / f"musicnn-{clip}.npz")["tags"].mean(axis=0)
        path = str(shared_data / "clips" / f"bensound-{clip}.mp3")
        (result,) = score_songs([path], model, frames="whole")
        np.testing.assert_allclose(list(result.scores.values()), wanted, rtol=0, atol=0.03)


def test_both_musicnn_models_come_from_one_wheel(wheel):
    one = load_model(import_checkpoint("musicnn-msd", wheel))
    two = load_model(import_checkpoint("musicnn-mtt", wheel))
    assert one.frames == FrameSettings(2.976, 0.0, 16_000, "zeros")
    assert one.frontend.settings["level"] == "keep"
    assert one.activation == two.activation == "sigmoid"
    assert two.labels[:3] == ["guitar", "classical", "slow"]
    assert not torch.equal(one.network.head.weight, two.network.head.weight)


def test_magnatagatune_tags_fit_the_music(wheel, shared_data):
    """Were the tags in another order, classical music would not be told from rock by these."""
    model = load_model(import_checkpoint("musicnn-mtt", wheel))
    means = {}
    for genre in ("classical", "rock"):
        songs = sorted((shared_data / "emotify" / genre).glob("*.ogg"))[:6]
        waves = [audio.load(song, 16_000)[: 4 * 47_616].reshape(4, 47_616) for song in songs]
        with torch.inference_mode():
            scores = model.scores(torch.from_numpy(np.concatenate(waves)))
        means[genre] = scores.mean(dim=0)
    difference = dict(zip(model.labels, (means["classical"] - means["rock"]).tolist(), strict=True))
    ranked = sorted(difference, key=lambda tag: -difference[tag])
    assert "classical" in ranked[:3]
    assert {"piano", "strings", "solo"} <= set(ranked[:10])
    assert {"guitar", "drums", "beat"} <= set(ranked[-10:])


# --- damage ---------------------------------------------------------------------------------------


def test_damaged_and_foreign_hdf5_files_are_named(weights, tmp_path):
    content = (weights / "music_tagger_crnn_weights_tensorflow.h5").read_bytes()
    file = tmp_path / "x.h5"
    for length in (0, 4, 100, 3_000, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(KerasWeightsError, match=rf"x\.h5' cannot be read.*{length} bytes"):
            read_keras_weights(file)
    for text in (b"not HDF5 at all", b"PK\x03\x04", content[::-1]):
        file.write_bytes(text)
        with pytest.raises(KerasWeightsError, match="cannot be read as HDF5"):
            read_keras_weights(file)
    with h5py.File(file, "w") as other:
        other["measurements"] = np.arange(5)
    with pytest.raises(KerasWeightsError, match=r"another program's.*measurements"):
        read_keras_weights(file)
    with pytest.raises(KerasWeightsError, match="cannot be read"):
        read_keras_weights(tmp_path / "gone.h5")


def test_keras_files_of_other_networks_are_named(weights, tmp_path):
    file = tmp_path / "other.h5"
    with h5py.File(file, "w") as other:
        other.attrs["layer_names"] = [b"dense"]
        other.create_group("dense").attrs["weight_names"] = [b"dense_W"]
        other["dense"]["dense_W"] = np.zeros((2, 2), np.float32)
    with pytest.raises(KerasWeightsError, match=r"lacks a layer.*dense.*bn_0_freq"):
        convert_keras_tagger(file, flipped=False, spread="variance")
    crnn = weights / "music_tagger_crnn_weights_tensorflow.h5"
    with pytest.raises(CheckpointMismatchError, match=r"another network's.*weights of CNN"):
        published("msd-cnn").convert(crnn)


def test_a_wrong_checksum_is_said_before_anything_is_read(weights, tmp_path):
    content = bytearray((weights / "music_tagger_crnn_weights_theano.h5").read_bytes())
    content[len(content) // 2] ^= 1
    file = tmp_path / "flipped.h5"
    file.write_bytes(content)
    with pytest.raises(FetchError, match=r"flipped\.h5' is not the published file") as caught:
        import_checkpoint("msd-crnn", file)
    for known in published("msd-crnn").files:
        assert known.sha256 in str(caught.value)


def test_cut_off_and_damaged_wheels_are_named(wheel, tmp_path):
    content = wheel.read_bytes()
    file = tmp_path / "cut.whl"
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(TensorBundleError, match=r"cut\.whl' does not hold 'musicnn/MSD_musicnn'"):
        convert_musicnn(file, model="MSD_musicnn")
    with pytest.raises(FetchError, match=r"cut\.whl' is not the published file"):
        import_checkpoint("musicnn-msd", file)
    with pytest.raises(TensorBundleError, match="does not hold 'musicnn/Nope'"):
        convert_musicnn(wheel, model="Nope")
    with zipfile.ZipFile(wheel) as archive:
        entry = archive.getinfo("musicnn/MSD_musicnn/.data-00000-of-00001")
    damaged = bytearray(content)
    middle = entry.header_offset + entry.compress_size // 2
    damaged[middle : middle + 20] = bytes(20)
    file.write_bytes(damaged)
    with pytest.raises(TensorBundleError, match="does not hold"):
        convert_musicnn(file, model="MSD_musicnn")


@pytest.fixture(scope="module")
def bundle(wheel):
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        folder = "musicnn/MSD_musicnn"
        return (
            archive.read(f"{folder}/.index"),
            archive.read(f"{folder}/.data-00000-of-00001"),
        )


def test_every_flipped_bit_of_a_tensor_bundle_is_seen(bundle):
    index, data = bundle
    wanted = read_tensor_bundle(index, data)
    assert wanted["dense/kernel"].shape == (1506, 200)
    rng = random.Random(0)

    def flipped(content):
        damaged = bytearray(content)
        damaged[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        return bytes(damaged)

    crcs = 0
    for _ in range(100):
        try:
            found = read_tensor_bundle(flipped(index), data)
        except TensorBundleError as error:
            crcs += "damaged: found CRC-32C" in str(error)
        else:  # the footer has padding, and a handle that is not needed
            assert found.keys() == wanted.keys()
    assert crcs > 90
    for _ in range(5):
        with pytest.raises(TensorBundleError, match="damaged: found CRC-32C"):
            read_tensor_bundle(index, flipped(data))


@pytest.mark.parametrize("length", [0, 10, 47, 48, 1_000, -1])
def test_cut_off_tensor_bundles_are_named(bundle, length):
    index, data = bundle
    with pytest.raises(TensorBundleError, match="index of the TensorFlow checkpoint"):
        read_tensor_bundle(index[:length], data)
    with pytest.raises(TensorBundleError, match="is cut off: found"):
        read_tensor_bundle(index, data[:length])
