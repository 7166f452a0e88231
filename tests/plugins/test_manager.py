"""Plugins of other packages: found, listed, limited, and left out by name when broken."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genrenet.models.checkpoints import read_checkpoint
from tests.helpers.plugin_packages import genrenet, write_plugin

SAMPLE = Path(__file__).parent / "sample_plugin"

ALWAYS = {
    *("network", "frontend", "adapter", "backbone", "catalog", "playlist", "tags", "metric"),
    "protocol",
}
"""Kinds that no collection or checkpoint can be read without: the built-in ones are there."""


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Folder that the sample plugin is installed into by pip, as a user would."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(SAMPLE, source)
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([*pip, *options, str(source)], check=True, capture_output=True)
    return target


def listed(path, **environment):
    out = genrenet("plugins", "--format", "json", path=path, **environment).stdout
    return {row["name"]: row for row in json.loads(out)}


def test_built_ins_and_outsiders_are_listed_alike(installed):
    found = listed(installed)
    assert found["CNN"]["parameters"]["channels"] == [32, 128, 128, 192, 256]
    assert "n_labels" not in found["CNN"]["parameters"]
    assert found["pooled"]["parameters"] == {"n_mels": 96, "width": 16}
    assert found["raw-audio"]["parameters"] == {"length": 96}
    assert found["LogMel"]["parameters"]["hop_length"] == 256
    assert found["svm"]["package"].startswith("genrenet ")
    assert found["svm"]["plugin"] == "baselines"
    assert "C" in found["svm"]["parameters"]
    assert found["mfcc-gaussian"]["kind"] == "features"
    for name, kind in {
        "boosting": "baseline",
        "loudness": "features",
        "genres": "catalog",
        "sample-backbone": "backbone",
        "bands": "adapter",
        "most-played": "recommender",
        "pooled": "network",
        "raw-audio": "frontend",
        ".list": "playlist",
        "note": "tags",
        "kappa": "metric",
        "halves": "protocol",
    }.items():
        assert found[name]["kind"] == kind
        assert found[name]["package"] == "genrenet-sample 0.3"
    table = genrenet("plugins", "--kind", "baseline", path=installed).stdout
    assert "gradient boosting of decision trees" in table
    assert "loudness " not in table.replace("features=loudness", "")


def test_the_environment_limits_what_is_loaded(installed):
    nothing = listed(installed, GENRENET_LOAD_PLUGINS="")
    assert {row["kind"] for row in nothing.values()} == ALWAYS
    assert {row["package"].split()[0] for row in nothing.values()} == {"genrenet"}
    assert {"CNN", "CRNN", "MusiCNN", "LogMel", "msd-cnn", "folder", "fma"} <= set(nothing)
    wrong = genrenet("plugins", path=installed, code=1, GENRENET_LOAD_PLUGINS="features,sampel")
    assert "GENRENET_LOAD_PLUGINS: nothing is called 'sampel'" in wrong.stderr
    by_package = listed(installed, GENRENET_LOAD_PLUGINS="genrenet-sample")
    assert set(by_package) - set(nothing) == {
        *("boosting", "loudness", "genres", "sample-backbone", "most-played", "bands"),
        *("pooled", "raw-audio", ".list", "note", "kappa", "halves"),
    }
    by_plugin = listed(installed, GENRENET_LOAD_PLUGINS="sample, features")
    assert "svm" not in by_plugin
    assert {"boosting", "mfcc-gaussian"} <= set(by_plugin)


def test_what_every_song_needs_is_there_whatever_is_loaded(installed, music):
    song = music / "bass" / "bass-0.wav"
    genrenet("classify", song, path=installed, GENRENET_LOAD_PLUGINS="")
    out = genrenet("data", "check", music, path=installed, GENRENET_LOAD_PLUGINS="sample").stdout
    assert "(folder): 24 songs" in out


def test_a_reader_that_fails_is_named(tmp_path):
    code = (
        f"{HOOK}from genrenet.data.catalog import Reader\n@hookimpl\n"
        "def register_catalogs(register):\n"
        "    register(Reader('odd', 'odd', lambda path: path[-4:] == '.odd', lambda path: 1 / 0))\n"
    )
    path = write_plugin(tmp_path / "site", "odd_reader", code)
    (tmp_path / "songs.odd").touch()
    said = genrenet("data", "check", tmp_path / "songs.odd", path=path, code=2).stderr
    assert "the reader 'odd' of odd_reader 1.0 failed: found ZeroDivisionError" in said


def test_a_layout_and_a_backbone_of_a_plugin_are_used(installed, music, tmp_path):
    rows = [f"{song}\t{song.parent.name}\n" for song in sorted(music.rglob("*.wav"))]
    (tmp_path / "songs.genres").write_text("".join(rows))
    out = genrenet("data", "check", tmp_path / "songs.genres", path=installed).stdout
    assert "songs (genres): 24 songs" in out
    names = genrenet("checkpoints", "list", path=installed).stdout
    assert "sample-backbone" in names


def test_an_adapter_of_a_plugin_is_used(installed, music, tmp_path):
    (tmp_path / "four.txt").write_text("4")
    backbone, out = f"bands:{tmp_path / 'four.txt'}", tmp_path / "songs.npz"
    song = music / "bass" / "bass-0.wav"
    layers = ["--backbone", backbone, "--layer", "linear,embedding"]
    genrenet("embed", song, *layers, "--out", out, path=installed)
    with np.load(out) as found:
        assert found["embeddings"].shape == (5, 8)
        assert found["embeddings"][0, 0] > found["embeddings"][0, 1:4].max()  # a low tone
    said = genrenet("classify", song, "--checkpoint", backbone, path=installed, code=2).stderr
    assert "is an encoder: it names no genres" in said
    listed_models = json.loads(
        genrenet("checkpoints", "list", "--format", "json", path=installed).stdout
    )
    assert {row["name"]: row["licence"] for row in listed_models}[backbone] == "MIT"


def test_a_network_a_front_end_and_a_playlist_format_of_a_plugin_are_used(
    installed, music, tmp_path
):
    options = ["--data.split=stratified", "--trainer.accelerator=cpu", "--trainer.max_steps=1"]
    options += ["--data.frame_seconds=1.5", "--data.trim=0", "--data.num_workers=0"]
    options += ["--model.network", "pooled", "--model.network.width=4"]
    options += ["--model.frontend=raw-audio", "--model.frontend.init_args.length=48"]
    options += ["--model.network.n_mels=48", "--name=run", f"--out={tmp_path}"]
    genrenet("fit", f"--data.source={music}", *options, path=installed)
    file = tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt"
    found = read_checkpoint(file)["genrenet"]
    package = {"plugin": "genrenet-sample 0.3"}
    wanted = {"name": "pooled", **package, "settings": {"width": 4, "n_mels": 48}}
    assert found["network"] == wanted
    assert found["frontend"] == {"name": "raw-audio", **package, "settings": {"length": 48}}
    genrenet("test", "--ckpt_path", file, path=installed)
    table, listing = tmp_path / "genres.parquet", tmp_path / "all.list"
    genrenet("scan", music, "--checkpoint", file, "--out", table, path=installed)
    (genre, *_) = pd.read_parquet(table)["genre"]
    make = ["playlist", table, "--genre", genre, "--songs=1", "--min-confidence=0"]
    genrenet(*make, "--out", listing, path=installed)
    (song,) = listing.read_text().splitlines()
    assert (tmp_path / song).is_file()
    others = ["--exclude-list", listing, "--out", tmp_path / "more.list"]
    genrenet(*make, *others, path=installed)
    assert (tmp_path / "more.list").read_text().splitlines() != [song]
    refused = genrenet(*make, "--out", "x.list", path=tmp_path, code=2).stderr
    assert "wanted .m3u8 or .m3u or .xspf or .json" in refused


def test_a_baseline_of_a_plugin_is_judged_and_kept_like_the_built_in_ones(installed, tmp_path):
    rng = np.random.default_rng(0)
    genres = np.repeat(["folk", "jazz"], 40)
    rows = {"filename": [f"{genre}.{i:05d}.wav" for i, genre in enumerate(genres)]}
    for name in "abc":
        rows[name] = (genres == "jazz") * 3 + rng.standard_normal(80)
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    options = ["--models", "boosting,knn", "--protocol", "stratified-3fold"]
    arguments = ["evaluate", tmp_path / "table.csv", *options, "--out", tmp_path / "run"]
    genrenet(*arguments, path=installed)
    models = json.loads((tmp_path / "run" / "results.json").read_text())["models"]
    assert {row["name"] for row in models} == {"boosting", "knn"}
    assert all(row["accuracy"] > 0.8 for row in models)
    assert models[0]["about"]["package"] == "genrenet-sample 0.3"
    assert all(0.6 < row["kappa"] <= 1 for row in models)


def test_what_a_plugin_fitted_is_read_with_it_and_refused_without(installed, music, tmp_path):
    fitted = tmp_path / "fitted.skops"
    settings = ["--set", "max_leaf_nodes=7"]
    genrenet("baseline", "boosting", music, *settings, "--out", fitted, path=installed)
    song = music / "bass" / "bass-0.wav"
    classify = ["classify", song, "--checkpoint", fitted, "--format", "json"]
    (answer,) = json.loads(genrenet(*classify, path=installed).stdout)
    assert set(answer["scores"]) == {"bass", "middle", "treble"}
    assert answer["genre"] == max(answer["scores"], key=answer["scores"].get)
    without = genrenet(*classify, path=tmp_path, code=2)
    assert "types that are not trusted" in without.stderr


HOOK = "from genrenet import hookimpl\n"


BROKEN = {
    "missing": ("import no_such_module\n", "no_such_module"),
    "unknown": (f"{HOOK}@hookimpl\ndef register_moods(register): pass\n", "register_moods"),
    "wrong": (f"{HOOK}@hookimpl\ndef register_baselines(tell): pass\n", "tell"),
    "failing": (f"{HOOK}@hookimpl\ndef register_baselines(register): 1 / 0\n", "ZeroDivision"),
    "nameless": (f"{HOOK}@hookimpl\ndef register_baselines(register): register(3)\n", "Attribute"),
    "quitting": (f"{HOOK}@hookimpl\ndef register_features(register): exit(4)\n", "SystemExit"),
    "empty": (
        f"{HOOK}from genrenet.baselines import Baseline\n@hookimpl\n"
        "def register_baselines(register): register(Baseline('x', 'x', None, 'spectral-stats'))\n",
        "has no estimator",
    ),
    "misplaced": (
        f"{HOOK}from genrenet.baselines import Baseline\n@hookimpl\n"
        "def register_baselines(register): register(Baseline('y', 'y', dict, 'rms', {'C': [1]}))\n",
        "wanted kind 'vectors' or 'gaussians'",
    ),
    "leaving": ("import sys; sys.exit(3)\n", "SystemExit"),
}


def test_broken_plugins_are_named_and_left_out(tmp_path):
    path = tmp_path / "site"
    for name, (code, _) in BROKEN.items():
        write_plugin(path, f"broken_{name}", code, entry=name)
    found = genrenet("plugins", path=path, code=1)
    for name, (_, said) in BROKEN.items():
        (line,) = [line for line in found.stderr.splitlines() if f"plugin '{name}'" in line]
        assert said in line
    assert "svm" in found.stdout
    # What does not need them goes on as if nothing had happened.
    assert "emotify-cnn" in genrenet("checkpoints", "list", path=path).stdout


def test_names_that_are_taken_stay_with_the_first(tmp_path):
    code = (
        f"{HOOK}from genrenet.baselines import Baseline\n@hookimpl\n"
        "def register_baselines(register):\n"
        "    register(Baseline('svm', 'mine', dict, 'spectral-stats'))\n"
    )
    path = write_plugin(tmp_path / "site", "taker", code, entry="taker")
    write_plugin(path, "impostor", code, entry="baselines")
    found = genrenet("plugins", path=path, code=1)
    assert "'svm' of 'taker' left out: 'baselines' has one" in found.stderr
    assert "has a plugin of that name" in found.stderr
    assert "mine" not in found.stdout
