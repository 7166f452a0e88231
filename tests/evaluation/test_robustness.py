"""Deformed songs in an evaluation: paired with the clean ones, made once, resumed, counted."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrenet.audio.deforming import Deformation
from genrenet.cli.cache_contents import contents
from genrenet.evaluation.api import evaluate
from genrenet.evaluation.deformed_songs import deformed_songs
from genrenet.utils import figures
from genrenet.utils.errors import GenrenetError
from tests.helpers.small_training import TINY

MODEL = "tree@spectral-stats"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def judge(music, folder, deform, models=(MODEL,), protocol="70-30"):
    return evaluate(
        music, list(models), protocol=[protocol], out=folder, deform=deform, tell=lambda line: None
    )


def test_answers_on_deformed_songs_stand_beside_the_clean_ones(music, tmp_path, cache):
    out = tmp_path / "run"
    found = judge(music, out, ["gain:-6dB", "noise:-20dB", "lowpass:300"])
    assert found.complete
    rows = {row["deformation"]: row for row in found.results["robustness"]}
    assert list(rows) == ["gain:-6dB", "noise:-20dB", "lowpass:300"]
    (model,) = found.results["models"]
    for row in rows.values():
        assert row["n"] == model["n"]
        assert row["clean"] == model["accuracy"]
        assert row["difference"] == pytest.approx(row["accuracy"] - row["clean"])
        assert row["difference_ci95"][0] <= row["difference"] <= row["difference_ci95"][1]
        assert row["p_mcnemar"] <= row["p_mcnemar_holm"] <= 1
        assert row["skipped"] == {}
    # Noise a hundred times as strong as the music leaves nothing of it.
    assert rows["noise:-20dB"]["changed"] > 0.3
    assert rows["noise:-20dB"]["difference"] < -0.2
    page = found.page.read_text("utf-8")
    assert "Robustness to deformed songs" in page
    assert "noise:-20dB" in (out / "results.md").read_text("utf-8")
    assert (out / "figures" / "robustness-70-30.png").is_file()
    kept = [item for item in contents() if item.kind == "deformed"]
    assert {item.what for item in kept} == {"gain:-6dB", "noise:-20dB", "lowpass:300"}
    assert {item.count for item in kept} == {model["n"]}


def test_another_deformation_of_a_finished_run_is_computed_alone(music, tmp_path, cache):
    out = tmp_path / "run"
    first = judge(music, out, ["gain:-6dB"]).results["robustness"]
    (file,) = (out / "folds").rglob("tree*.json")
    held = json.loads(file.read_text("utf-8"))
    held["deformed"]["gain:-6dB"]["skipped"] = {"a song": "of the first run"}
    file.write_text(json.dumps(held), "utf-8")
    both = judge(music, out, ["gain:-6dB", "crop:1s"]).results["robustness"]
    assert [row["deformation"] for row in both] == ["gain:-6dB", "crop:1s"]
    assert both[0]["skipped"] == {"a song": "of the first run"}
    assert both[0]["accuracy"] == first[0]["accuracy"]
    assert judge(music, out, []).results["robustness"] == []


@pytest.mark.long
def test_a_network_answers_deformed_songs_with_the_same_checkpoint(music, tmp_path, cache):
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    found = judge(music, tmp_path / "run", ["gain:-6dB"], [f"config:{config}"])
    assert found.complete, found.results["models"][0]["error"]
    (row,) = found.results["robustness"]
    (model,) = found.results["models"]
    assert row["n"] == model["n"]
    assert row["clean"] == model["accuracy"]
    files = (tmp_path / "run" / "folds").rglob("*.json")
    found = [held for f in files if "scores" in (held := json.loads(f.read_text("utf-8")))]
    deformed = found[0]["deformed"]["gain:-6dB"]
    clean, quiet = np.array(found[0]["scores"]), np.array(deformed["scores"])
    assert clean.shape == quiet.shape
    # The network hears decibels below each frame's maximum: the gain changes close to nothing.
    order = [deformed["track_ids"].index(track) for track in found[0]["track_ids"]]
    np.testing.assert_allclose(quiet[order], clean, atol=0.2)


def test_songs_that_cannot_be_deformed_are_counted_and_pairs_stay_pairs(music, tmp_path, cache):
    folder = tmp_path / "music"
    shutil.copytree(music, folder)
    _, rate = soundfile.read(folder / "bass" / "bass-0.wav")
    (folder / "bass" / "bass-0.wav").write_bytes(b"RIFF")
    files, errors = deformed_songs(
        [str(folder / "bass" / name) for name in ("bass-0.wav", "bass-1.wav")],
        Deformation.of("crop:0.5s"),
    )
    assert list(files) == [str(folder / "bass" / "bass-1.wav")]
    assert list(errors) == [str(folder / "bass" / "bass-0.wav")]
    (made,) = files.values()
    assert len(soundfile.read(made)[0]) == round(0.5 * rate)
    found = judge(folder, tmp_path / "run", ["crop:0.5s"], protocol="stratified-3fold")
    (row,) = found.results["robustness"]
    assert row["n"] == found.results["models"][0]["n"] == 23


def test_the_same_song_makes_the_same_bytes(music, tmp_path, monkeypatch):
    song = sorted(map(str, music.rglob("*.wav")))[0]
    made = []
    for name in ("one", "two"):
        monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / name))
        files, _ = deformed_songs([song], Deformation.of("noise:10dB"))
        made.append(Path(files[song]).read_bytes())
    assert made[0] == made[1]


def test_tables_of_features_cannot_be_deformed(tmp_path):
    rows = ["track_id,genre,a,b"] + [f"{g}{i},{g},{i},{i % 3}" for g in "xy" for i in range(9)]
    (tmp_path / "songs.csv").write_text("\n".join(rows))
    with pytest.raises(GenrenetError, match=r"cannot be evaluated on deformed songs.*--deform"):
        judge(tmp_path / "songs.csv", tmp_path / "run", ["gain:-6dB"], ["knn"])


def test_curves_without_panels():
    with pytest.raises(figures.FigureError, match="no panels"):
        figures.curves({}, "accuracy")
