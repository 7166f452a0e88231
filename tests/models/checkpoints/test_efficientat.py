"""EfficientAT's networks: the authors' activations, and files without known checksums."""

import copy

import numpy as np
import pytest
import torch

from genrenet.cli import main
from genrenet.data.frames import FrameSettings
from genrenet.inference.classify import score_songs
from genrenet.models.checkpoints import (
    FetchError,
    import_checkpoint,
    imported_checkpoint,
    load_model,
    models_with_label,
    published,
    published_models,
    read_checkpoint,
)
from genrenet.models.checkpoints.convert.efficientat import EfficientATError, convert_efficientat
from genrenet.models.description import CheckpointMismatchError
from genrenet.models.kaldi import KaldiMel
from genrenet.models.networks import MobileNetV3
from genrenet.models.optimised import optimised
from genrenet.utils.cache import sha256_of

FAMILY = [f"efficientat-mn{number}" for number in ("01", "02", "04", "05", "10", "20", "30", "40")]


@pytest.fixture(scope="session")
def mn04(shared_data):
    file = shared_data.parent / "weights" / "mn04_as_mAP_432.pt"
    if not file.is_file():
        pytest.skip(f"no published weights: {file}")
    return file


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))


def _as_published(network):
    """A state under the names that EfficientAT gives."""
    state = {}
    for key, value in network.state_dict().items():
        kind, _, rest = key.partition(".")
        if kind == "blocks":
            number, _, rest = rest.partition(".")
            rest = rest.replace(".fc", ".conc_se_layers.0.fc")
            key = f"features.{int(number) + 1}.{rest}"
        else:
            theirs = {"stem": "features.0", "top": "features.16", "head": "classifier.5"}
            key = f"{theirs[kind]}.{rest}" if kind in theirs else f"classifier.2.{rest[2:]}"
        state[key] = value
    return state


@pytest.fixture
def mn01(tmp_path):
    """A file as that of the narrowest network, with weights of its own."""
    torch.manual_seed(1)
    torch.save(_as_published(MobileNetV3(527, width=0.1)), tmp_path / "mn01.pt")
    return tmp_path / "mn01.pt"


# --- the published activations --------------------------------------------------------------------


@pytest.mark.parametrize("clip", ["cute", "dubstep"])
def test_mn04_gives_the_reference_activations(mn04, shared_data, clip):
    import_checkpoint("efficientat-mn04", mn04)
    model = load_model("efficientat-mn04")
    reference = np.load(shared_data / "clips" / f"mn04-{clip}.npz")
    waves = torch.from_numpy(reference["pcm"] / np.float32(32_768))
    with torch.inference_mode():
        logmel = model.frontend(waves)
        layers = model.network.layers(logmel)
        stored = model.network(torch.from_numpy(reference["logmel"]))
        scores = model.scores(waves)
    found = {"logmel": logmel, "pooled": layers["top"], "hidden": layers["embedding"]}
    found |= {"logits": layers["logits"]}
    for name, values in found.items():
        np.testing.assert_allclose(values.numpy(), reference[name], rtol=0, atol=1e-3)
    np.testing.assert_allclose(stored.numpy(), reference["logits"], rtol=0, atol=1e-4)
    torch.testing.assert_close(scores, layers["logits"].sigmoid(), atol=1e-6, rtol=0)
    with torch.inference_mode():
        embedding = model.embed(waves)
    np.testing.assert_allclose(embedding.numpy(), reference["hidden"], rtol=0, atol=1e-3)


def test_settings_of_the_imported_model(mn04):
    import_checkpoint("efficientat-mn04", mn04)
    model = load_model("efficientat-mn04")
    assert model.frames == FrameSettings(10.0, 0.0, 32_000, "repeat")
    assert isinstance(model.frontend, KaldiMel)
    assert model.activation == "sigmoid"
    assert model.network.settings == {"n_mels": 128, "width": 0.4, "dropout": 0.2}
    source = model.provenance["source"]
    assert source["sha256"] == published("efficientat-mn04").sha256 == sha256_of(mn04)
    assert source["licence"] == "MIT"


def test_mn04_names_its_clip_of_dubstep(mn04, shared_data, capsys):
    assert main(["checkpoints", "import", "audioset-genres", "--from", str(mn04)]) == 0
    capsys.readouterr()
    clip = shared_data / "clips" / "bensound-dubstep.mp3"
    assert main(["classify", "--checkpoint", "audioset-genres", str(clip)]) == 0
    assert " Dubstep " in capsys.readouterr().out


# --- genres ---------------------------------------------------------------------------------------


def test_genres_are_rows_of_the_whole_model(mn04):
    for name in ("efficientat-mn04", "audioset-genres"):
        import_checkpoint(name, mn04)
    whole, genres = load_model("efficientat-mn04"), load_model("audioset-genres")
    assert len(genres.labels) == 50
    waves = 0.1 * torch.randn(2, 320_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        scores, all_scores = genres.scores(waves), whole.scores(waves)
    rows = [whole.labels.index(label) for label in genres.labels]
    torch.testing.assert_close(scores, all_scores[:, rows], atol=1e-6, rtol=0)
    hierarchy = genres.provenance["hierarchy"]
    assert hierarchy["Techno"] == ["Electronic music"]
    assert set(hierarchy) <= set(genres.labels)
    assert len(hierarchy) == 25
    assert "hierarchy" not in whole.provenance


def test_one_file_gives_both_models(mn04, capsys):
    assert main(["checkpoints", "import", "efficientat-mn04", "--from", str(mn04)]) == 0
    assert "audioset-genres, from the same file" in capsys.readouterr().out
    assert imported_checkpoint("audioset-genres") is not None
    assert main(["checkpoints", "info", "audioset-genres"]) == 0
    assert "Heavy metal: Rock music\n" in capsys.readouterr().out


GTZAN = {
    "blues": "Blues",
    "classical": "Classical music",
    "country": "Country",
    "disco": "Disco",
    "hiphop": "Hip hop music",
    "jazz": "Jazz",
    "metal": "Heavy metal",
    "pop": "Pop music",
    "reggae": "Reggae",
    "rock": "Rock music",
}
"""The class of AudioSet that is most like each genre of GTZAN."""


def test_gtzans_genres_without_any_training(mn04, shared_data):
    """A tenth would be right by chance."""
    import_checkpoint("audioset-genres", mn04)
    model = optimised(load_model("audioset-genres"), "32")
    songs = sorted((shared_data / "gtzan-excerpts" / "genres").glob("*/*.wav"))
    assert len(songs) == 50
    results = list(score_songs(map(str, songs), model))
    scores = torch.tensor([[r.scores[GTZAN[genre]] for genre in GTZAN] for r in results])
    truth = torch.tensor([list(GTZAN).index(song.parent.name) for song in songs])
    assert (scores.argmax(dim=1) == truth).sum() >= 28  # 30 when this was written
    logits = scores.double().clamp(1e-6, 1 - 1e-6).logit()
    # Classes are not equally frequent in AudioSet: each is seen against its own mean and spread.
    usual = (logits - logits.mean(dim=0)) / logits.std(dim=0)
    assert (usual.argmax(dim=1) == truth).sum() >= 33  # 35 then


# --- files without a checksum ---------------------------------------------------------------------


def test_the_family_is_published_and_one_of_it_is_fetched():
    models = published_models()
    assert [name for name in models if name.startswith("efficientat")] == FAMILY
    fetched = [name for name in FAMILY if models[name].sha256]
    assert fetched == ["efficientat-mn04"]
    for name in FAMILY:
        model = models[name]
        assert model.address.endswith(f"/v0.0.1/{model.filename}")
        assert (len(model.labels), model.licence) == (527, "MIT")
    assert models["audioset-genres"].sha256 == models["efficientat-mn04"].sha256


def test_a_file_without_a_checksum_is_not_fetched(capsys):
    words = r"mn10 is not downloaded .*no checksum.*mn10_as_mAP_471\.pt.*efficientat-mn10 --from"
    with pytest.raises(FetchError, match=words):
        import_checkpoint("efficientat-mn10")
    assert main(["checkpoints", "list"]) == 0
    lines = {line.split()[0]: line.rstrip() for line in capsys.readouterr().out.splitlines()}
    assert lines["efficientat-mn10"].endswith("not yet, needs --from FILE")
    assert lines["efficientat-mn04"].endswith("not yet")
    assert main(["checkpoints", "info", "efficientat-mn10"]) == 0
    assert "sha256: not known" in capsys.readouterr().out


def test_only_models_that_can_be_had_are_recommended(mn01):
    assert models_with_label("dubstep") == ["audioset-genres", "efficientat-mn04"]
    import_checkpoint("efficientat-mn01", mn01)
    wanted = ["audioset-genres", "efficientat-mn01", "efficientat-mn04"]
    assert models_with_label("Dubstep") == wanted
    assert "audioset-genres" in models_with_label("folk")  # "Folk music" there


def test_the_users_file_is_taken_and_its_checksum_kept(mn01, tmp_path, capsys):
    assert main(["checkpoints", "import", "efficientat-mn01", "--from", str(mn01)]) == 0
    assert f"no checksum is known; SHA-256 {sha256_of(mn01)}" in capsys.readouterr().out
    path = imported_checkpoint("efficientat-mn01")
    assert read_checkpoint(path)["genrenet"]["source"]["sha256"] == sha256_of(mn01)
    first = load_model("efficientat-mn01").network.head.weight.clone()
    assert import_checkpoint("efficientat-mn01") == path
    torch.manual_seed(2)
    torch.save(_as_published(MobileNetV3(527, width=0.1)), tmp_path / "other.pt")
    import_checkpoint("efficientat-mn01", tmp_path / "other.pt")
    assert not torch.equal(load_model("efficientat-mn01").network.head.weight, first)
    assert main(["checkpoints", "remove", "efficientat-mn01"]) == 0
    assert imported_checkpoint("efficientat-mn01") is None


def test_a_file_of_another_width_is_refused(mn01):
    with pytest.raises(CheckpointMismatchError, match=r"mn01\.pt' are another network's"):
        import_checkpoint("efficientat-mn10", mn01)
    with pytest.raises(FetchError, match=r"not the published file of efficientat-mn04"):
        import_checkpoint("efficientat-mn04", mn01)


def test_foreign_and_damaged_files_are_named(mn01, tmp_path):
    content, file = mn01.read_bytes(), tmp_path / "x.pt"
    for data in (b"", b"not torch's", content[: len(content) // 2], b"PK\x03\x04" + content[9:]):
        file.write_bytes(data)
        with pytest.raises(EfficientATError, match=r"x\.pt' cannot be read safely"):
            convert_efficientat(file)
    torch.save(copy.deepcopy(MobileNetV3(3, width=0.1)), file)  # a pickled module would run code
    with pytest.raises(EfficientATError, match="cannot be read safely"):
        convert_efficientat(file)
    for other in ([1, 2], {"epoch": 3}, torch.zeros(3)):
        torch.save(other, file)
        with pytest.raises(EfficientATError, match="something else than weights"):
            convert_efficientat(file)
    with pytest.raises(OSError, match="gone"):
        convert_efficientat(tmp_path / "gone.pt")
