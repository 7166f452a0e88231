"""The packages of examples/: installed, and each used as in its README."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch

from genrenet.models.checkpoints import read_checkpoint
from tests.helpers.plugin_packages import examples, genrenet, install_example, project_of

TINY = ["--data.split=stratified", "--trainer.accelerator=cpu", "--trainer.max_steps=1"]
TINY += ["--data.frame_seconds=1.5", "--data.trim=0", "--data.num_workers=0", "--name=run"]


def test_pip_leaves_what_the_other_tests_install(tmp_path):
    shutil.copytree(examples()["network"], tmp_path / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", tmp_path / "site"]
    subprocess.run([*pip, *options, tmp_path / "source"], check=True, capture_output=True)
    (tmp_path / "ours").mkdir()
    install_example(examples()["network"], tmp_path / "ours")
    for ours in (tmp_path / "ours").rglob("*.*"):
        theirs = tmp_path / "site" / ours.relative_to(tmp_path / "ours")
        assert theirs.is_dir() == ours.is_dir()
        if ours.name == "entry_points.txt" or ours.suffix == ".py":
            assert theirs.read_text("utf-8").strip() == ours.read_text("utf-8").strip()


@pytest.mark.parametrize("name", examples())
def test_a_package_is_small_and_explains_itself(name):
    folder = examples()[name]
    project, modules = project_of(folder)
    assert project["name"] == f"genrenet-example-{name.replace('_', '-')}"
    assert {f"{module}.py" for module in modules} == {file.name for file in folder.glob("*.py")}
    assert len(modules) <= 2
    for module in modules:
        assert 10 <= len((folder / f"{module}.py").read_text("utf-8").splitlines()) <= 80
    text = (folder / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 15
    (commands,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    first, *others = commands.splitlines()
    assert first == f"pip install ./examples/{name}"
    assert all(line.startswith("genrenet ") for line in others)


def configuration_of(name):
    """Return the configuration that a README shows in a line."""
    text = (examples()[name] / "README.md").read_text("utf-8")
    (found,) = re.findall(r"`(model: \{.*?\})`", text)
    return found


@pytest.mark.long
def test_network_front_end_dataset_and_playlist_format(installed, music, tmp_path):
    listing = tmp_path / "songs.genres"
    songs = sorted(music.rglob("*.wav"))
    lines = [f"{song}\t{song.parent.name}\n" for song in songs]
    listing.write_text("".join([*lines, "no genre\n"]))
    said = genrenet("data", "check", listing, path=installed, code=1)
    assert "songs (listing): 24 songs" in said.stdout
    assert "bad-line" in said.stdout + said.stderr
    listing.write_text("".join(lines))
    options = ["--config", tmp_path / "mine.yaml", "--model.network.width", "48"]
    options += ["--model.frontend", "RawAudio", "--model.frontend.init_args.hop", "64"]
    (tmp_path / "mine.yaml").write_text(configuration_of("network"))
    fit = ["fit", f"--data.source={listing}", *options, *TINY, f"--out={tmp_path}"]
    genrenet(*fit, path=installed)
    file = tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt"
    found = read_checkpoint(file)["genrenet"]
    for part, name in (("network", "Pooled"), ("frontend", "RawAudio")):
        assert found[part]["name"] == name
        assert found[part]["plugin"] == f"genrenet-example-{part} 0.1"
    assert found["network"]["settings"] == {"n_mels": 96, "width": 48}
    assert found["frontend"]["settings"]["hop"] == 64
    table, pls = tmp_path / "genres.parquet", tmp_path / "one.pls"
    genrenet("scan", music, "--checkpoint", file, "--out", table, path=installed)
    genre, most = pd.read_parquet(table)["genre"][0], ["--songs=1", "--min-confidence=0"]
    make = ["playlist", table, "--genre", genre, *most]
    genrenet(*make, "--out", pls, path=installed)
    (song,) = re.findall("^File1=(.*)$", pls.read_text(), re.MULTILINE)
    assert (tmp_path / song).is_file()
    others = ["--exclude-list", pls, "--out", tmp_path / "more.pls"]
    genrenet(*make, *others, path=installed)
    assert song not in (tmp_path / "more.pls").read_text()
    refused = genrenet(*make, "--out", "x.pls", path=tmp_path, code=2).stderr
    assert "wanted .m3u8 or .m3u or .xspf or .json" in refused


@pytest.mark.long
def test_feature_and_metric(installed, music, tmp_path):
    options = ["--protocol", "70-30", "--seeds", "1", "--out", tmp_path / "out"]
    models = "knn@loudness,knn@loudness+spectral-stats"
    genrenet("evaluate", music, "--models", models, *options, path=installed)
    found = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["models"]
    assert {row["name"] for row in found} == {*models.split(",")}
    decided = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    for row in found:
        mine = decided[decided["model"] == row["name"]]
        scores = [song[f"score_{song['genre']}"] for _, song in mine.iterrows()]
        assert row["log_loss"] == pytest.approx(-np.log(np.maximum(scores, 1e-12)).mean())
    assert '<th class="n">Log loss</th>' in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "| Log loss |" in (tmp_path / "out" / "results.md").read_text("utf-8")


@pytest.mark.long
def test_what_a_baseline_fitted_is_read_with_it_and_refused_without(installed, music, tmp_path):
    fitted = tmp_path / "boosting.skops"
    settings = ["--set", "max_leaf_nodes=7", "--set", "max_iter=10"]
    genrenet(
        "baseline",
        "boosting",
        music,
        *settings,
        "--out",
        fitted,
        path=installed,
        OMP_NUM_THREADS="1",
    )
    song = music / "bass" / "bass-0.wav"
    classify = ["classify", song, "--checkpoint", fitted, "--format", "json"]
    (answer,) = json.loads(genrenet(*classify, path=installed).stdout)
    assert set(answer["scores"]) == {"bass", "middle", "treble"}
    assert answer["genre"] == max(answer["scores"], key=answer["scores"].get)
    without = genrenet(*classify, path=tmp_path, code=2)
    assert "types that are not trusted" in without.stderr


def test_recommender(installed, tmp_path):
    """Anna played a and b; who played those played c too, and nobody of them d."""
    plays = {"anna": "ab", "ben": "abc", "cleo": "abc", "dan": "d", "eve": "de"}
    rows = [(user, item, 1) for user, items in plays.items() for item in items]
    history = tmp_path / "plays.csv"
    pd.DataFrame(rows, columns=["user", "artist", "plays"]).to_csv(history, index=False)
    asked = ["--model", "shared-listeners", "--user", "anna", "--format", "json"]
    (found,) = json.loads(genrenet("recommend", history, *asked, path=installed).stdout)
    # Two listeners with two songs in common, out of two and five others.
    assert (found["item"], found["score"]) == ("c", pytest.approx(4 / 7))


def test_tag_format(installed, music, tmp_path):
    songs, table = tmp_path / "songs", tmp_path / "genres.parquet"
    songs.mkdir()
    sf.write(songs / "song.au", *sf.read(music / "bass" / "bass-0.wav"))
    # The default would say that a tone is no music.
    genrenet("scan", songs, "--checkpoint", "emotify-cnn", "--out", table, path=installed)
    genre, tag = pd.read_parquet(table)["genre"][0], ["tag", table, "--min-confidence=0", "--write"]
    refused = genrenet(*tag, path=tmp_path, code=1)
    assert "a kind of file whose tags cannot be written" in refused.stdout + refused.stderr
    was = sf.read(songs / "song.au")[0]
    genrenet(*tag, path=installed)
    assert f"{genre}\0".encode() in (songs / "song.au").read_bytes()[24:100]
    np.testing.assert_array_equal(sf.read(songs / "song.au")[0], was)


def test_protocol(installed, tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {"track_id": f"{artist}-{n}", "genre": genre, "artist": artist, "a": rng.normal(), "b": n}
        for genre, artists in (("folk", "ABMN"), ("rock", "cdxy"))
        for artist in artists
        for n in range(5)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "songs.csv", index=False)
    out = tmp_path / "out"
    asked = ["--models", "knn", "--protocol", "from-m,from-n", "--shots", "3", "--out", out]
    genrenet("evaluate", tmp_path / "songs.csv", *asked, path=installed)
    found = json.loads((out / "results.json").read_text("utf-8"))
    assert [row["n"] for row in found["models"]] == [20, 20, 15, 15]
    assert [one["learnt_from"]["artists"] for one in found["protocols"]][1::2] == [4, 5]
    assert "judged on those from it on." in (out / "report.html").read_text("utf-8")


def test_adapter(installed, music, tmp_path):
    torch.save(torch.randn(6, 1, 160), tmp_path / "weights.pt")
    backbone, out = f"filters:{tmp_path / 'weights.pt'}", tmp_path / "songs.npz"
    song = music / "bass" / "bass-0.wav"
    layers = ["--backbone", backbone, "--layer", "filters,embedding"]
    genrenet("embed", song, *layers, "--out", out, path=installed)
    with np.load(out) as found:
        assert found["embeddings"].shape == (5, 12)
    said = genrenet("classify", song, "--checkpoint", backbone, path=installed, code=2).stderr
    assert "is an encoder without genres" in said
    listed = genrenet("checkpoints", "list", "--format", "json", path=installed).stdout
    assert {row["name"]: row["licence"] for row in json.loads(listed)}[backbone] == "MIT"
