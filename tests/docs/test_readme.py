"""Every command of the README and its pages is valid here; most of them run, in that order."""

import re
from pathlib import Path

import pytest

import genrenet
from genrenet.cli import main
from tests.helpers import readme
from tests.helpers.plugin_packages import examples, tomllib
from tests.helpers.readme_files import write_readme_files

ROOT = Path(__file__).parents[2]


def test_no_command_is_left_out():
    known = [*readme.USE, *readme.METHODS, *readme.ELSEWHERE]
    assert len(known) == len(set(known))
    assert set(readme.commands()) == set(known)
    assert all((ROOT / place).exists() for place in readme.ELSEWHERE.values())
    assert len(readme.blocks("python")) == 3
    # What there is besides is a part of a configuration, and a package's settings.
    kinds = ("bash", "python", "yaml", "toml")
    assert len(readme.blocks("[a-z]+")) == sum(len(readme.blocks(kind)) for kind in kinds)


def test_the_readme_is_short_and_every_link_leads_somewhere():
    assert readme.README.read_text("utf-8").count("\n") <= 130
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("integrations/**/*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.fixture
def place(music, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    write_readme_files(music, tmp_path)
    return tmp_path


def test_the_commands_of_use_in_their_order(place, checkpoint, capsys):
    embed = [
        "embed",
        place / "Music",
        "--backbone",
        checkpoint,
        "--per",
        "song",
        "--out",
        "songs.npz",
    ]
    assert main([*map(str, embed)]) == 0
    library = place / "Music"
    named = {f"{library}/odd/song.mp3": f"{library}/bass/bass-0.wav"}
    for command in readme.commands():
        if command in readme.USE:
            given = readme.arguments(command, readme.USE[command], library, named)
            # A small library may have too little for a playlist, which is not an error.
            allowed = (0, 1) if "playlist" in command else (0,)
            assert main(given) in allowed, f"{command}\n{capsys.readouterr().err}"
    for name in ("rock.m3u8", "evening.xspf", "calm.m3u8", "pop.json"):
        assert (place / name).stat().st_size > 0
    import torch

    names = {"waveform": torch.zeros(2, 20_000)}
    exec(readme.blocks("python")[0], names)
    assert names["scores"].shape == (2, 3)
    (found,) = genrenet.classify(["song.mp3"], readme.BEST)
    assert set(found["scores"]) == {"bass", "middle", "treble"}
    assert found["genre"] == max(found["scores"], key=found["scores"].get)


def test_the_commands_of_methods_in_their_order(place, checkpoint, capsys):
    published = dict.fromkeys(("musicnn-msd", "gtzan10-crnn"), str(checkpoint))
    for command in readme.commands():
        if command in readme.METHODS:
            more = readme.METHODS[command]
            given = readme.arguments(command, more, place / "Music", published)
            assert main(given) == 0, f"{command}\n{capsys.readouterr().err}"
    assert (place / "recs.csv").read_text().startswith("user,item,rank,score\n")


def test_the_snippets_on_embeddings_and_plugins(place, checkpoint):
    import torch

    paths = sorted(map(str, (place / "Music").rglob("*.wav")))[:3]
    names = {"genrenet": genrenet, "waveform": torch.zeros(2, 50_000), "paths": paths}
    text = readme.blocks("python")[1]
    for published in ("musicnn-msd", "msd-cnn"):
        text = text.replace(published, str(checkpoint))
    exec(text.replace("conv3", "conv1").replace("conv4", "conv2").replace("conv5", "logits"), names)
    assert len(names["vectors"]) == 2
    assert names["kept"].tolist() == [0, 1, 2]
    added = []
    exec(readme.blocks("python")[2], names)
    names["register_baselines"](added.append)
    assert added[0].name == "extra-trees"
    assert hasattr(added[0].estimator(), "predict_proba")


def test_the_package_of_plugins_is_whole():
    (ours,) = map(tomllib.loads, readme.blocks("toml"))
    theirs = tomllib.loads((examples()["baseline"] / "pyproject.toml").read_text("utf-8"))
    assert ours["build-system"] == theirs["build-system"]
    assert ours["project"].keys() == theirs["project"].keys() - {"description", "readme"}
    for part in ("dependencies", "requires-python"):
        assert ours["project"][part] == theirs["project"][part]
    assert list(ours["project"]["entry-points"]["genrenet"].values()) == ["my_module"]
    assert ours["tool"] == {"setuptools": {"py-modules": ["my_module"]}}
