"""Importing: converted once, whole or not at all; checkpoints by name; those on a backbone."""

import functools
import pickle
import shutil
import threading

import pytest
import torch

import genrenet
from genrenet.data.frames import FrameSettings
from genrenet.models.checkpoints import (
    DEFAULT_CHECKPOINT,
    CheckpointError,
    CheckpointMismatchError,
    FetchError,
    RegistryError,
    SourceFile,
    export_checkpoint,
    find_checkpoint,
    import_checkpoint,
    imported_checkpoint,
    load_model,
    open_checkpoint,
    read_checkpoint,
    register,
    registry,
    remove_checkpoint,
    shipped_checkpoints,
    write_checkpoint,
)
from genrenet.training.module import GenreClassifier
from genrenet.utils.cache import CacheError
from tests.helpers.publishing import model_of, sha256, small_cnn, small_model

CONTENT = b"what the authors published" * 100
WAVE = torch.linspace(-1, 1, 18_000).sin()[None]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    folder = tmp_path / "cache"
    monkeypatch.setenv("GENRENET_CACHE", str(folder))
    return folder


@pytest.fixture
def published_file(tmp_path):
    """What is published at the address of the model ``tiny``."""
    file = tmp_path / "published.bin"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def conversions(published_file):
    """Register ``tiny``; the files converted are listed."""
    converted = []

    def convert(path):
        converted.append(path)
        return small_model(path)

    register(model_of(CONTENT, published_file.as_uri(), convert=convert))
    return converted


def _replace(**changes):
    """Another version of the entry ``tiny``."""
    old = registry._MODELS.pop("tiny")
    register(model_of(CONTENT, old.address, **changes))


# --- importing ------------------------------------------------------------------------------------


def test_converted_once_on_first_use(cache, conversions, published_file):
    assert imported_checkpoint("tiny") is None
    model = genrenet.load_model("tiny")
    assert not model.training
    wanted = small_model(published_file).scores(WAVE)
    assert torch.equal(model.scores(WAVE), wanted)
    path = cache / "checkpoints" / "tiny.ckpt"
    assert imported_checkpoint("tiny") == import_checkpoint("tiny") == path
    published_file.unlink()
    shutil.rmtree(cache / "downloads")
    assert find_checkpoint("tiny") == path
    assert len(conversions) == 1
    entries = {"genrenet", "state_dict", "pytorch-lightning_version"}
    assert set(read_checkpoint(path)) == entries


def test_where_it_comes_from_survives_opening_and_writing(conversions, published_file, tmp_path):
    model = load_model("tiny")
    wanted = {
        "name": "tiny",
        "title": "a tiny model",
        "sha256": sha256(CONTENT),
        "licence": "CC0",
        "citation": "Nobody (2020), Nothing",
        "address": published_file.as_uri(),
    }
    assert model.provenance == {"source": wanted}
    model.provenance["note"] = "tuned"
    model.frames = FrameSettings(1.5, 3.0, 12_000)
    again = open_checkpoint(write_checkpoint(model, tmp_path / "again.ckpt"))
    assert again.provenance == {"source": wanted, "note": "tuned"}
    assert again.frames == model.frames
    assert "backbone" not in again.description()


def test_the_users_own_file_and_its_alternatives(conversions, published_file, tmp_path):
    published_file.unlink()
    with pytest.raises(FetchError, match="--from FILE"):
        import_checkpoint("tiny")
    own = tmp_path / "own.bin"
    own.write_bytes(b"the other file")
    other = SourceFile("o", sha256(b"the other file"), 14, "file:///other", small_model)
    _replace(alternatives=(other,))
    path = import_checkpoint("tiny", own)
    source = read_checkpoint(path)["genrenet"]["source"]
    assert (source["sha256"], source["address"]) == (other.sha256, "file:///other")
    stamp = path.stat().st_mtime_ns
    assert import_checkpoint("tiny") == import_checkpoint("tiny", own) == path
    assert path.stat().st_mtime_ns == stamp
    # Another file than before is converted anew.
    own.write_bytes(CONTENT)
    import_checkpoint("tiny", own)
    assert read_checkpoint(path)["genrenet"]["source"]["sha256"] == sha256(CONTENT)


def test_a_wrong_file_of_the_users_changes_nothing(conversions, tmp_path):
    path = import_checkpoint("tiny")
    before = path.read_bytes()
    (tmp_path / "wrong.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(FetchError, match=r"wrong\.bin"):
        import_checkpoint("tiny", tmp_path / "wrong.bin")
    assert path.read_bytes() == before


def test_another_published_file_is_imported_anew(conversions, published_file):
    import_checkpoint("tiny")
    published_file.write_bytes(b"second edition")
    _replace(sha256=sha256(b"second edition"), size=14)
    assert imported_checkpoint("tiny") is None
    source = load_model("tiny").provenance["source"]
    assert source["sha256"] == sha256(b"second edition")


@pytest.mark.parametrize("content", [b"", b"half a file"])
def test_a_damaged_import_is_made_anew(conversions, content):
    path = import_checkpoint("tiny")
    path.write_bytes(content)
    assert load_model("tiny").labels == ["low", "high"]
    assert len(conversions) == 2


class _Payload:
    def __reduce__(self):
        return exec, ("open('ran', 'w').close()",)


def test_a_pickle_in_the_imports_place_is_never_run(conversions, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (cache / "checkpoints").mkdir(parents=True)
    (cache / "checkpoints" / "tiny.ckpt").write_bytes(pickle.dumps({"genrenet": _Payload()}))
    assert load_model("tiny").labels == ["low", "high"]
    assert not (tmp_path / "ran").exists()


def test_two_at_once_convert_once(conversions):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(import_checkpoint("tiny"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(conversions) == 1


def test_a_conversion_to_other_labels_is_refused(conversions, cache):
    _replace(labels=("a", "b", "c"))
    with pytest.raises(CheckpointError, match="found low, high, wanted a, b, c"):
        import_checkpoint("tiny")
    assert not (cache / "checkpoints" / "tiny.ckpt").exists()


def test_a_cache_that_cannot_be_written_is_named(
    conversions, published_file, tmp_path, monkeypatch
):
    monkeypatch.setenv("GENRENET_CACHE", str(published_file / "cache"))
    with pytest.raises(CacheError, match=r"published\.bin/cache/checkpoints'.*set GENRENET_CACHE"):
        load_model("tiny")


def test_a_full_disk_is_named_and_leaves_nothing(conversions, cache):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, limits[1]))
    try:
        with pytest.raises(CacheError, match=r"cache/checkpoints'.*set GENRENET_CACHE"):
            import_checkpoint("tiny")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list((cache / "checkpoints").glob("tiny*"))
    assert import_checkpoint("tiny").is_file()


def test_unwritable_targets_are_named(conversions, tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot write '.*no/x\.ckpt'"):
        export_checkpoint("tiny", tmp_path / "no" / "x.ckpt")


def test_removing(conversions, cache, published_file):
    with pytest.raises(CheckpointError, match="tiny is not imported"):
        remove_checkpoint("tiny")
    register(model_of(CONTENT, published_file.as_uri(), name="twin"))
    one, two = import_checkpoint("tiny"), import_checkpoint("twin")
    download = cache / "downloads" / "tiny.bin"
    assert remove_checkpoint("tiny") == [one]
    assert download.exists()
    assert remove_checkpoint("twin") == [two, download]
    assert not two.exists()
    assert not download.exists()
    with pytest.raises(RegistryError, match="'nope'"):
        remove_checkpoint("nope")


def test_a_download_that_could_not_be_converted_can_be_removed(conversions, cache, published_file):
    register(model_of(CONTENT, published_file.as_uri(), name="twin"))
    _replace(labels=("a", "b", "c"))
    with pytest.raises(CheckpointError, match="wanted a, b, c"):
        import_checkpoint("tiny")
    download = cache / "downloads" / "tiny.bin"
    two = import_checkpoint("twin")
    with pytest.raises(CheckpointError, match="tiny is not imported"):
        remove_checkpoint("tiny")  # what it was made from is the twin's
    two.unlink()
    assert remove_checkpoint("tiny") == [download]
    assert not download.exists()


def test_a_file_that_cannot_be_read_is_no_fault_of_the_cache(published_file, tmp_path):
    def convert(path):
        raise OSError(5, "Input/output error", str(path))

    register(model_of(CONTENT, published_file.as_uri(), convert=convert))
    own = tmp_path / "own.bin"
    own.write_bytes(CONTENT)
    with pytest.raises(FetchError, match=r"cannot read '.*own\.bin': found Input/output error"):
        import_checkpoint("tiny", own)
    with pytest.raises(FetchError, match=r"cannot read .*found Is a directory"):
        import_checkpoint("tiny", tmp_path)


# --- by name --------------------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder in the place of the installed one with shipped checkpoints."""
    import sys

    folder = tmp_path / "installed" / "genrenet_checkpoints"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.delitem(sys.modules, "genrenet_checkpoints", raising=False)
    return folder


def test_shipped_ones_are_found_by_name(shipped, published_file):
    assert shipped_checkpoints() == {}
    file = write_checkpoint(small_model(published_file), shipped / "ours.ckpt")
    (shipped / "ours.md").write_text("# A card")
    assert shipped_checkpoints() == {"ours": file}
    assert find_checkpoint("ours") == file
    assert load_model("ours").labels == ["low", "high"]


def test_a_file_comes_before_a_name(conversions, shipped, published_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_checkpoint(small_model(published_file), shipped / "tiny.ckpt")
    assert find_checkpoint("tiny") == shipped / "tiny.ckpt"
    write_checkpoint(small_model(published_file), tmp_path / "tiny")
    assert find_checkpoint("tiny").resolve() == tmp_path / "tiny"
    assert conversions == []


def test_unknown_names_list_the_known_ones(conversions, shipped, published_file):
    write_checkpoint(small_model(published_file), shipped / "ours.ckpt")
    with pytest.raises(CheckpointError, match=r"no checkpoint 'nope'.*ours, msd-cnn.*tiny"):
        load_model("nope")
    with pytest.raises(RegistryError, match="'nope'"):
        import_checkpoint("nope")


def test_a_default_that_is_not_installed_has_a_remedy(shipped, published_file):
    with pytest.raises(CheckpointError, match="reinstall genrenet, or pass --checkpoint FILE"):
        load_model(DEFAULT_CHECKPOINT)
    write_checkpoint(small_model(published_file), shipped / f"{DEFAULT_CHECKPOINT}.ckpt")
    assert load_model(DEFAULT_CHECKPOINT).labels == ["low", "high"]


# --- on a backbone --------------------------------------------------------------------------------


@pytest.fixture
def tuned(conversions, tmp_path):
    """A model of three genres on ``tiny``: another head, and one convolution trained on."""
    model = GenreClassifier(["a", "b", "c"], network=functools.partial(small_cnn))
    trunk = load_model("tiny").state_dict()
    trunk = {key: value for key, value in trunk.items() if not key.startswith("network.head.")}
    model.load_state_dict(trunk, strict=False)
    with torch.no_grad():
        model.network.convolutions[1][0].weight[0, 0, 0, 0] += 1e-3
    model.frames = FrameSettings(1.5, 0.0, 12_000)
    model.provenance = {"backbone": {"name": "tiny", "sha256": sha256(CONTENT)}}
    return write_checkpoint(model.eval(), tmp_path / "tuned.ckpt")


def test_without_its_backbone_it_is_small_and_scores_the_same(tuned, tmp_path, cache):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    kept = set(read_checkpoint(part)["state_dict"])
    assert kept == {"network.head.weight", "network.head.bias", "network.convolutions.1.0.weight"}
    wanted = load_model(tuned).scores(WAVE)
    # The backbone is imported again where it is not there any more.
    shutil.rmtree(cache)
    assert torch.equal(load_model(part).scores(WAVE), wanted)
    assert load_model(part).provenance["backbone"]["name"] == "tiny"
    # Exported once more, it is whole, whatever it was before.
    whole = export_checkpoint(part, tmp_path / "whole.ckpt")
    remove_checkpoint("tiny")
    registry._MODELS.pop("tiny")
    assert torch.equal(load_model(whole).scores(WAVE), wanted)


def test_a_whole_checkpoint_needs_no_backbone(tuned, conversions, cache, published_file):
    shutil.rmtree(cache)
    published_file.unlink()
    assert load_model(tuned).labels == ["a", "b", "c"]
    assert len(conversions) == 1


def test_equal_heads_stay_with_the_file(conversions, tmp_path):
    model = load_model("tiny")
    model.provenance = {"backbone": {"name": "tiny", "sha256": sha256(CONTENT)}}
    file = write_checkpoint(model, tmp_path / "same.ckpt")
    part = export_checkpoint(file, tmp_path / "part.ckpt", without_backbone=True)
    kept = read_checkpoint(part)["state_dict"]
    assert set(kept) == {"network.head.weight", "network.head.bias"}
    _edit(part, lambda entries: entries["state_dict"].popitem())
    with pytest.raises(CheckpointMismatchError, match=r"network\.head"):
        load_model(part)


def _edit(path, change):
    entries = torch.load(path, weights_only=True)
    change(entries)
    torch.save(entries, path)


def test_a_backbone_that_cannot_be_had_is_named(tuned, tmp_path, cache, published_file):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    shutil.rmtree(cache)
    published_file.unlink()
    with pytest.raises(CheckpointError, match="on top of the published model 'tiny'") as caught:
        load_model(part)
    assert "part.ckpt" in str(caught.value)
    assert "genrenet checkpoints import tiny --from FILE" in str(caught.value)
    registry._MODELS.pop("tiny")
    with pytest.raises(CheckpointError, match=r"part\.ckpt' cannot be completed.*found tiny"):
        load_model(part)


def test_a_whole_one_whose_backbone_cannot_be_had_is_not_said_to_be_partial(
    tuned, tmp_path, cache, published_file
):
    shutil.rmtree(cache)
    published_file.unlink()
    words = r"cannot be exported without its backbone: it was trained on top of .* 'tiny', which"
    with pytest.raises(CheckpointError, match=words):
        export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)


@pytest.mark.parametrize("name", ["backbone.ckpt", "../secret.ckpt", 3, ["tiny"]])
def test_a_backbone_that_is_a_file_cannot_be_left_out(tuned, tmp_path, name):
    _edit(tuned, lambda entries: entries["genrenet"]["backbone"].update(name=name))
    with pytest.raises(CheckpointError, match="backbone is a file, not a published model"):
        export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    assert not (tmp_path / "part.ckpt").exists()
    assert export_checkpoint(tuned, tmp_path / "whole.ckpt").is_file()


def test_another_file_of_the_backbone_is_refused(tuned, tmp_path):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    _edit(part, lambda entries: entries["genrenet"]["backbone"].update(sha256="f" * 64))
    with pytest.raises(CheckpointMismatchError, match="another file of 'tiny'") as caught:
        load_model(part)
    assert sha256(CONTENT) in str(caught.value)
    assert "f" * 64 in str(caught.value)


@pytest.mark.parametrize("reference", [None, "tiny", {"name": "tiny"}, {"sha256": "x"}])
def test_a_damaged_reference_is_refused(tuned, tmp_path, reference):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    _edit(part, lambda entries: entries["genrenet"].update(backbone=reference))
    with pytest.raises(CheckpointError, match="does not say which backbone"):
        load_model(part)


def test_a_backbone_of_another_network_is_refused(tuned, tmp_path):
    part = export_checkpoint(tuned, tmp_path / "part.ckpt", without_backbone=True)
    settings = {"n_stft_frames": 71, "channels": [8, 32], "pools": [[8, 7], [12, 10]]}
    _edit(part, lambda entries: entries["genrenet"]["network"].update(settings=settings))
    with pytest.raises(CheckpointMismatchError, match="size mismatch"):
        load_model(part)


def test_only_what_names_a_backbone_can_leave_it_out(conversions, tmp_path):
    with pytest.raises(CheckpointError, match=r"without its backbone.*without an entry 'backbone'"):
        export_checkpoint("tiny", tmp_path / "x.ckpt", without_backbone=True)
    assert not (tmp_path / "x.ckpt").exists()
