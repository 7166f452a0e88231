"""Third-party plugins: found, listed, restricted, and skipped by name if broken."""

import json

from tests.helpers.plugin_packages import genrenet, write_plugin

ALWAYS = {
    *("network", "frontend", "adapter", "backbone", "catalog", "playlist", "tags", "metric"),
    "protocol",
}
"""Kinds that no collection or checkpoint can be read without: the built-in ones are there."""

ADDED = {
    "boosting": ("baseline", "baseline"),
    "loudness": ("features", "feature"),
    "listing": ("catalog", "dataset"),
    "filters": ("adapter", "adapter"),
    "shared-listeners": ("recommender", "recommender"),
    "Pooled": ("network", "network"),
    "RawAudio": ("frontend", "frontend"),
    ".pls": ("playlist", "playlist-format"),
    "au": ("tags", "tag-format"),
    "log_loss": ("metric", "metric"),
    "from-m": ("protocol", "protocol"),
}
"""What the example packages add: the kind, and the example."""


def listed(path, **environment):
    out = genrenet("plugins", "--format", "json", path=path, **environment).stdout
    return {row["name"]: row for row in json.loads(out)}


def test_built_ins_and_outsiders_are_listed_alike(installed):
    found = listed(installed)
    assert found["CNN"]["parameters"]["channels"] == [32, 128, 128, 192, 256]
    assert "n_labels" not in found["CNN"]["parameters"]
    assert found["Pooled"]["parameters"] == {"n_mels": 96, "width": 32}
    assert found["RawAudio"]["parameters"] == {"length": 96, "hop": 96}
    assert found["LogMel"]["parameters"]["hop_length"] == 256
    assert found["svm"]["package"].startswith("genrenet ")
    assert found["svm"]["plugin"] == "baselines"
    assert "C" in found["svm"]["parameters"]
    assert found["mfcc-gaussian"]["kind"] == "features"
    for name, (kind, example) in ADDED.items():
        assert found[name]["kind"] == kind
        assert found[name]["package"] == f"genrenet-example-{example} 0.1"
    table = genrenet("plugins", "--kind", "baseline", path=installed).stdout
    assert "gradient boosting of decision trees" in table
    assert "loudness" not in table


def test_the_environment_limits_what_is_loaded(installed):
    nothing = listed(installed, GENRENET_LOAD_PLUGINS="")
    assert {row["kind"] for row in nothing.values()} == ALWAYS
    assert {row["package"].split()[0] for row in nothing.values()} == {"genrenet"}
    assert {"CNN", "CRNN", "MusiCNN", "LogMel", "msd-cnn", "folder", "fma"} <= set(nothing)
    wrong = genrenet("plugins", path=installed, code=1, GENRENET_LOAD_PLUGINS="features,exampel")
    assert "GENRENET_LOAD_PLUGINS: nothing is called 'exampel'" in wrong.stderr
    by_package = listed(installed, GENRENET_LOAD_PLUGINS="genrenet-example-network")
    assert set(by_package) - set(nothing) == {"Pooled"}
    by_plugin = listed(installed, GENRENET_LOAD_PLUGINS="example-baseline, features")
    assert "svm" not in by_plugin
    assert {"boosting", "mfcc-gaussian"} <= set(by_plugin)


def test_what_every_song_needs_is_there_whatever_is_loaded(installed, music):
    song = music / "bass" / "bass-0.wav"
    genrenet("classify", song, path=installed, GENRENET_LOAD_PLUGINS="")
    only = {"GENRENET_LOAD_PLUGINS": "example-network"}
    out = genrenet("data", "check", music, path=installed, **only).stdout
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


def test_a_published_network_of_a_plugin_is_listed(tmp_path):
    code = (
        f"{HOOK}from genrenet.models.checkpoints import PublishedModel, load_model\n@hookimpl\n"
        "def register_backbones(register):\n"
        "    register(PublishedModel(name='quiet-loud', title='Nobody has published it',\n"
        "        filename='a.ckpt', sha256='0' * 64, size=1, address='https://example.org/a.ckpt',\n"
        "        licence='MIT', citation='none', labels=('quiet', 'loud'), convert=load_model))\n"
    )
    path = write_plugin(tmp_path / "site", "publisher", code, entry="publisher")
    assert "quiet-loud" in genrenet("checkpoints", "list", path=path).stdout
    assert listed(path)["quiet-loud"]["kind"] == "backbone"


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
