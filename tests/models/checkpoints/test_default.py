"""The default model: the best available, reported in one line, without downloads if offline."""

import pytest

from genrenet.models.checkpoints import (
    FetchError,
    default,
    default_checkpoint,
    finding,
    import_checkpoint,
    register,
    registry,
    write_checkpoint,
)
from tests.helpers.publishing import model_of, sha256, small_model

WHEEL, OTHER = b"a wheel" * 100, b"another file" * 100


@pytest.fixture
def told():
    return []


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch):
    """Three shipped checkpoints: on two published models, on the first of them, and on none."""
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GENRENET_OFFLINE", raising=False)
    files = {}
    for name, content in (("wheel", WHEEL), ("other", OTHER)):
        files[name] = tmp_path / f"{name}.bin"
        files[name].write_bytes(content)
        register(
            model_of(
                content,
                files[name].as_uri(),
                name=name,
                filename=files[name].name,
                package="nothing-of-that-name==0" if name == "wheel" else None,
            )
        )
    folder = tmp_path / "shipped"
    folder.mkdir()
    model = small_model(files["wheel"])
    write_checkpoint(model, folder / "small.ckpt")
    one = {"name": "wheel", "sha256": sha256(WHEEL)}
    both = [one, {"name": "other", "sha256": sha256(OTHER), "prefix": "network.other."}]
    for name, backbone in (("best", both), ("good", one)):
        model.provenance["backbone"] = backbone
        write_checkpoint(model, folder / f"{name}.ckpt")
    found = {file.stem: file for file in folder.iterdir()}
    monkeypatch.setattr(default, "shipped_checkpoints", lambda: found)
    monkeypatch.setattr(default, "DEFAULTS", ("best", "good", "small"))
    return files


def test_the_best_is_taken_where_all_it_needs_is_imported(shipped, told):
    import_checkpoint("wheel", shipped["wheel"])
    assert default_checkpoint(told.append) == "good"
    import_checkpoint("other", shipped["other"])
    assert default_checkpoint(told.append) == "best"
    assert told == []


def test_what_cannot_be_fetched_is_told_and_the_next_answers(told):
    """pip finds no package of that name, as without a network."""
    assert default_checkpoint(told.append) == "small"
    assert told[0] == "good uses the published model wheel, which is downloaded now"
    assert told[1].startswith("good cannot be used (")
    assert told[1].endswith("; small is used instead")


def test_nothing_is_fetched_offline(told, monkeypatch):
    monkeypatch.setenv("GENRENET_OFFLINE", "1")
    assert default_checkpoint(told.append) == "small"
    assert len(told) == 1
    assert "--offline or GENRENET_OFFLINE" in told[0]
    with pytest.raises(FetchError, match="is not on this machine"):
        import_checkpoint("other")
    monkeypatch.setenv("GENRENET_OFFLINE", "0")
    assert import_checkpoint("other").is_file()


def test_notices_go_to_standard_error(capsys):
    assert default_checkpoint() == "small"
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("genrenet: good uses")


def test_the_defaults_are_shipped():
    assert {"genres", "emotify-cnn"} <= set(finding.shipped_checkpoints())
