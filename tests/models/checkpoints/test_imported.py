"""Importing: converted once, and written atomically."""

import pickle
import shutil
import threading

import pytest
import torch

import genrenet
from genrenet.models.checkpoints import (
    CheckpointError,
    FetchError,
    RegistryError,
    SourceFile,
    find_checkpoint,
    import_checkpoint,
    imported_checkpoint,
    load_model,
    read_checkpoint,
    register,
    remove_checkpoint,
)
from genrenet.utils.cache import CacheError
from tests.helpers.publishing import CONTENT, model_of, republish, sha256, small_model

WAVE = torch.linspace(-1, 1, 18_000).sin()[None]
pytestmark = pytest.mark.usefixtures("cache")


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


def test_the_users_own_file_and_its_alternatives(conversions, published_file, tmp_path):
    published_file.unlink()
    with pytest.raises(FetchError, match="--from FILE"):
        import_checkpoint("tiny")
    own = tmp_path / "own.bin"
    own.write_bytes(b"the other file")
    other = SourceFile("o", sha256(b"the other file"), 14, "file:///other", small_model)
    republish(alternatives=(other,))
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
    republish(sha256=sha256(b"second edition"), size=14)
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
    republish(labels=("a", "b", "c"))
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
    republish(labels=("a", "b", "c"))
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
