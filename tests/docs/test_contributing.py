"""What CONTRIBUTING.md tells strangers to write is written, installed and used as it says."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from tests.helpers.plugin_packages import genrenet

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
TINY = ["--data.split=stratified", "--trainer.accelerator=cpu", "--trainer.max_steps=1"]
TINY += ["--data.frame_seconds=1.5", "--data.trim=0", "--data.num_workers=0", "--name=run"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The modules of the guide as pip would leave them, with the entry points it gives."""
    folder = tmp_path_factory.mktemp("site")
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        assert len(code.splitlines()) <= 31  # the first line names the file
        (folder / re.match(r"# (\w+\.py)\n", code)[1]).write_text(code)
    (project,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    entries = re.findall(r'^(my-\w+) = "(\w+)"$', project, re.MULTILINE)
    assert {f"{module}.py" for _, module in entries} == {file.name for file in folder.iterdir()}
    about = folder / "my_genres-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-genres\nVersion: 0.1\n")
    lines = ["[genrenet]", *(f"{name} = {module}" for name, module in entries)]
    (about / "entry_points.txt").write_text("\n".join(lines))
    return folder


def test_all_are_listed(site):
    rows = json.loads(genrenet("plugins", "--format", "json", path=site).stdout)
    names = {row["name"] for row in rows if row["package"] == "my-genres 0.1"}
    added = {"Pooled", "RawAudio", "listing", "naive-bayes", ".pls", "au", "log_loss", "from-m"}
    assert names == added


def test_the_network_the_front_end_the_layout_and_the_playlist(site, music, tmp_path):
    listing = tmp_path / "songs.genres"
    songs = sorted(music.rglob("*.wav"))
    listing.write_text("".join(f"{song}\t{song.parent.name}\n" for song in songs))
    options = ["--model.network", "Pooled", "--model.network.width", "64"]
    options += ["--model.frontend", "RawAudio", "--model.frontend.init_args.hop", "64"]
    genrenet("fit", f"--data.source={listing}", *options, *TINY, f"--out={tmp_path}", path=site)
    file = tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt"
    table, pls = tmp_path / "genres.parquet", tmp_path / "one.pls"
    genrenet("scan", music, "--checkpoint", file, "--out", table, path=site)
    genre, most = pd.read_parquet(table)["genre"][0], ["--songs=1", "--min-confidence=0"]
    genrenet("playlist", table, "--genre", genre, *most, "--out", pls, path=site)
    assert pls.read_text().startswith("[playlist]\nNumberOfEntries=1\n")


def test_the_tag_format(site, music, tmp_path):
    songs, table = tmp_path / "songs", tmp_path / "genres.parquet"
    songs.mkdir()
    sf.write(songs / "song.au", *sf.read(music / "bass" / "bass-0.wav"))
    # The default would say that a tone is no music.
    genrenet("scan", songs, "--checkpoint", "emotify-cnn", "--out", table, path=site)
    genre, tag = pd.read_parquet(table)["genre"][0], ["tag", table, "--min-confidence=0", "--write"]
    refused = genrenet(*tag, path=tmp_path, code=1)
    assert "a kind of file whose tags cannot be written" in refused.stdout + refused.stderr
    was = sf.read(songs / "song.au")[0]
    genrenet(*tag, path=site)
    assert f"{genre}\0".encode() in (songs / "song.au").read_bytes()[24:100]
    np.testing.assert_array_equal(sf.read(songs / "song.au")[0], was)
    (undo,) = tmp_path.glob("*undo*")
    genrenet("tag", "--undo", undo, "--write", path=site)
    assert genre.encode() not in (songs / "song.au").read_bytes()[24:100]


def test_a_configuration_and_the_baseline_are_judged(site, music, tmp_path):
    (part,) = re.findall(r"`(model: \{network: .*?\})`", TEXT)
    limits = "trainer: {max_steps: 1}\ndata: {frame_seconds: 1.5, trim: 0, num_workers: 0}\n"
    (tmp_path / "mine.yaml").write_text(f"{part}\n{limits}")
    options = ["--protocol", "70-30", "--seeds", "1", "--out", tmp_path / "out"]
    models = f"naive-bayes,config:{tmp_path / 'mine.yaml'}"
    genrenet("evaluate", music, "--models", models, *options, path=site)
    found = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["models"]
    assert {row["name"].rpartition("/")[2] for row in found} == {"naive-bayes", "mine.yaml"}
    decided = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    for row in found:
        mine = decided[decided["model"] == row["name"]]
        scores = [song[f"score_{song['genre']}"] for _, song in mine.iterrows()]
        assert row["log_loss"] == pytest.approx(-np.log(np.maximum(scores, 1e-12)).mean())
    assert '<th class="n">Log loss</th>' in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "| Log loss |" in (tmp_path / "out" / "results.md").read_text("utf-8")
    fitted = tmp_path / "bayes.skops"
    genrenet("baseline", "naive-bayes", music, "--out", fitted, path=site)
    genrenet("classify", music / "bass" / "bass-0.wav", "--checkpoint", fitted, path=site)


def test_the_protocol(site, tmp_path):
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
    genrenet("evaluate", tmp_path / "songs.csv", *asked, path=site)
    found = json.loads((out / "results.json").read_text("utf-8"))
    assert [row["n"] for row in found["models"]] == [20, 20, 15, 15]
    assert [one["learnt_from"]["artists"] for one in found["protocols"]][1::2] == [4, 5]
    assert "judged on those from it on." in (out / "report.html").read_text("utf-8")
