"""The command line: fast answers, one-line errors, and classification end to end."""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch
import yaml

from genrenet.cli import COMMANDS, classify, main
from genrenet.inference.result import SongResult
from genrenet.models.checkpoints import export_checkpoint
from genrenet.training.configs import ConfigError, config_names, config_path
from tests.helpers.small_training import SMALL_OPTIONS, TINY
from tests.helpers.tones import RATE, tone


def _program(*arguments, **options):
    command = [sys.executable, "-m", "genrenet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS), ["data", "split", "-h"]],
)
def test_help_has_examples_and_imports_nothing_heavy(arguments, capsys):
    code = (
        "import sys; from genrenet.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'numpy', 'rich', 'soundfile'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "example" in done.stdout or "--version" in arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "nonsense"),
        (["fit", "--wrong", "3"], "unknown option --wrong"),
        (["fit", "--config", "nope"], "no configuration 'nope'"),
        (["test"], "needs a checkpoint"),
        (["test", "--ckpt_path", "gone.ckpt"], "no checkpoint 'gone.ckpt'"),
        (["classify"], "PATH"),
        (["classify", "x.mp3", "--checkpoint", "gone.ckpt"], "no checkpoint 'gone.ckpt'"),
        (["classify", "x.mp3", "--checkpoint", __file__, "--format", "xml"], "xml"),
        (["classify", "x.mp3", "--checkpoint", __file__, "--format", "parquet"], "--out"),
        (["classify", "x", "--checkpoint", __file__, "--out", "/no/where/x.csv"], "no folder"),
        (["classify", "x", "--checkpoint", __file__, "--top", "0"], "--top"),
        (["data"], "ACTION"),
        (["data", "check"], "DIR"),
    ],
)
def test_wrong_requests_get_one_line_and_code_2_at_once(arguments, words):
    started = time.process_time()
    done = _program(*arguments)
    assert time.process_time() - started < 1
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr
    assert done.stdout == ""


def test_configurations_are_found_by_name(tmp_path):
    assert {"cnn", "crnn", "ddp", "debug/fast", "debug/overfit"} <= set(config_names())
    own = tmp_path / "own.yaml"
    own.touch()
    assert config_path(str(own)) == str(own)
    with pytest.raises(ConfigError, match="debug/overfit"):
        config_path("overfit")


def test_fit_test_predict_classify(music, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--trainer.max_epochs=6", "--json", *SMALL_OPTIONS]
    assert main(["fit", "--data.source", str(music), *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(told["songs"].values()) == 24
    assert told["best"]["song_accuracy"] > 0.5
    run = tmp_path / "runs" / "default" / "version_0"
    checkpoints = run / "checkpoints"
    assert told["checkpoints"] == [str(checkpoints / "best.ckpt")]
    assert told["next"] == f"genrenet test --ckpt_path {checkpoints / 'best.ckpt'}"
    assert {file.name for file in checkpoints.iterdir()} == {"best.ckpt", "last.ckpt"}
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["data"]["source"] == str(music)

    best = str(checkpoints / "best.ckpt")
    assert main(["test", "--ckpt_path", best, "--trainer.enable_progress_bar=false"]) == 0
    shown = capsys.readouterr().out
    assert "song accuracy" in shown
    assert shown.splitlines()[-1].startswith(f"next: genrenet checkpoints export {best}")
    reports = list((tmp_path / "runs").rglob("report/results.json"))
    assert [report.parents[1] for report in reports] == [run / "test"]
    results = json.loads(reports[0].read_text())
    assert results["song_accuracy"] > 0.5
    assert results["split"].startswith("stratified")
    assert (reports[0].parent / "report.html").exists()

    assert main(["predict", "--ckpt_path", best, "--json", "-q"]) == 0
    (predictions,) = (tmp_path / "runs").rglob("predict/predictions.csv")
    assert len(pd.read_csv(predictions)) == 24
    told = json.loads(capsys.readouterr().out)
    assert (told["songs"], told["predictions"]) == (24, str(predictions))

    song = str(music / "bass" / "bass-0.wav")
    assert main(["classify", song, "--checkpoint", best, "--format", "json", "--timeline"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["path"] == song
    assert len(answer["timeline"]) == answer["frames"] == 4


def _other_collections(music, folder):
    """The songs of two genres as collections that say nothing, other things, or less of genres."""
    songs = sorted((music / "bass").iterdir())[:3] + sorted((music / "treble").iterdir())[:3]
    flat, artists, one = (folder / name for name in ("flat", "artists", "one"))
    for song in songs:
        for place in (flat, artists / f"Artist {song.stem[-1]}" / "Album", one / "treble"):
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(song, place / song.name)
    shutil.copy(songs[0], artists / "loose.wav")
    (artists / "empty").mkdir()
    paths = [str(song) for song in songs]
    pd.DataFrame({"path": paths}).to_csv(folder / "paths.csv", index=False)
    genres = ["bass", None, "polka", "treble", None, None]
    pd.DataFrame({"path": paths, "genre": genres}).to_parquet(folder / "some.parquet")
    return {flat: 6, artists: 7, one: 6, folder / "paths.csv": 6, folder / "some.parquet": 6}


def test_predictions_need_no_genres_or_the_models(music, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--data.source", str(music), "--trainer.max_epochs=2", *SMALL_OPTIONS]) == 0
    best = "runs/default/version_0/checkpoints/best.ckpt"
    wanted = None
    others = {music: 24, **_other_collections(music, tmp_path)}
    for number, (source, count) in enumerate(others.items()):
        options = ["--trainer.enable_progress_bar=false", "--name", f"other-{number}"]
        asked = ["predict", "--ckpt_path", best, "--data.source", str(source), *options]
        assert main(asked) == 0, capsys.readouterr().err
        (file,) = (tmp_path / "runs" / f"other-{number}").rglob("predictions.csv")
        found = pd.read_csv(file)
        assert len(found) == count
        scores = found.set_index(found["path"].map(os.path.basename)).filter(like="score_")
        scores = scores.drop("loose.wav", errors="ignore")
        wanted = scores if wanted is None else wanted
        assert list(scores) == ["score_bass", "score_middle", "score_treble"]
        pd.testing.assert_frame_equal(scores, wanted.loc[scores.index], atol=1e-4)
    # A test needs to know what is right.
    assert main(["test", "--ckpt_path", best, "--data.source", str(tmp_path / "flat")]) == 2
    (tmp_path / "nothing").mkdir()
    asked = ["predict", "--ckpt_path", best, "--data.source", str(tmp_path / "nothing")]
    assert main(asked) == 2
    assert "no songs in" in capsys.readouterr().err


def test_resuming_from_the_command_line_goes_on(music, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--data.source", str(music), *SMALL_OPTIONS]
    # With the worst loss taken for the best, only the last checkpoint follows the training.
    worst = "--checkpoint.mode=max"
    assert main(["fit", "--trainer.max_epochs=2", worst, *options]) == 0
    best = torch.load("runs/default/version_0/checkpoints/best.ckpt", weights_only=True)
    assert best["epoch"] == 0
    last = "runs/default/version_0/checkpoints/last.ckpt"
    first = torch.load(last, weights_only=True)
    assert first["epoch"] == 1
    assert main(["fit", "--ckpt_path", last, "--trainer.max_epochs=4"]) == 0
    again = torch.load(last, weights_only=True)
    assert again["epoch"] == 3
    assert again["global_step"] == 2 * first["global_step"]
    assert os.listdir("runs/default") == ["version_0"]


@pytest.mark.parametrize(
    ("command", "dropped", "words"),
    [
        ("fit", [], ("contains no training state", "--model.network.init_args.backbone")),
        ("test", ["state_dict"], ("is partial", "no network.input_norm", "checkpoints export")),
        ("predict", ["pytorch-lightning_version"], ("an older form", "checkpoints export")),
    ],
)
def test_checkpoints_that_the_trainer_cannot_use_are_named(
    command, dropped, words, checkpoint, tmp_path, capsys
):
    file = export_checkpoint(checkpoint, tmp_path / "small.ckpt")
    entries = torch.load(file, weights_only=True)
    entries["genrenet"]["backbone"] = {"name": "msd-cnn", "sha256": "0"}
    for name in dropped:
        if name == "state_dict":
            entries[name] = {k: v for k, v in entries[name].items() if "input_norm" not in k}
        else:
            del entries[name]
    torch.save(entries, file)
    assert main([command, "--ckpt_path", str(file), "--data.source", str(tmp_path)]) == 2
    shown = capsys.readouterr().err
    assert all(word in shown for word in words), shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data.source", "/no/such/folder"], "/no/such/folder"),
        (["--data.batch_size", "many"], "batch_size"),
        (["--model.network", "Transformer"], "Transformer"),
    ],
)
def test_wrong_settings_get_one_line_and_code_2(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_a_process_of_its_own_says_no_more(tmp_path):
    done = _program("fit", "--data.nonsense", "1", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "nonsense" in line


def test_an_empty_folder_and_one_genre_are_named(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["data", "check", str(tmp_path / "empty")]) == 2
    assert "empty" in capsys.readouterr().err
    import soundfile

    (tmp_path / "one" / "jazz").mkdir(parents=True)
    for song in range(3):
        soundfile.write(tmp_path / "one" / "jazz" / f"{song}.wav", tone(300, 2), RATE)
    assert main(["data", "check", str(tmp_path / "one")]) == 2
    assert "jazz" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_classify_writes_every_format_past_broken_files(form, checkpoint, music, tmp_path, capsys):
    bad = tmp_path / "bad.mp3"
    bad.write_text("only text")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    with open(odd, "wb") as file:
        file.write((music / "bass" / "bass-0.wav").read_bytes())
    out = tmp_path / f"out.{form}"
    paths = [str(music / "treble"), str(bad), odd]
    arguments = ["classify", *paths, "--checkpoint", str(checkpoint), "--format", form]
    assert main([*arguments, "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert "1 of 10 files had an error" in captured.err
    assert "bad.mp3" in captured.err
    if form == "json":
        rows = json.loads(out.read_text("utf-8"))
    elif form == "csv":
        rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    elif form == "parquet":
        rows = pd.read_parquet(out).to_dict("records")
    else:
        text = out.read_text("utf-8")
        assert text.count("treble-") == 8
        assert r"caf\xe9.wav" in text
        return
    assert len(rows) == 10
    assert [row["genre"] for row in rows[:8]] == ["treble"] * 8
    assert rows[-1]["path"].endswith(r"caf\xe9.wav")
    assert "bad.mp3" in rows[8]["error"]


def test_genres_with_brackets_are_shown_as_they_are(tmp_path, music, capsys):
    """Brackets mean colours to what draws the tables."""
    scores = {"[bold]rock": 0.6, "pop [/live]": 0.4}
    song = SongResult("/m/[red]a.mp3", "m", "[bold]rock", 0.6, scores, 1, 30.0, notes=["[x] note"])
    options = argparse.Namespace(format="table", out=tmp_path / "out", timeline=False, top=2)
    classify._write([song], options)
    shown = (tmp_path / "out").read_text("utf-8")
    for words in ("/m/[red]a.mp3", "[bold]rock", "pop [/live] 0.40", "1 x [x] note"):
        assert words in shown
    root = tmp_path / "a [blue] set"
    for name, genre in (("bass", "[bold]bass"), ("treble", "treble [80s]")):
        shutil.copytree(music / name, root / genre)
    assert main(["data", "check", str(root)]) == 0
    told = capsys.readouterr().out
    for words in ("a [blue] set", "[bold]bass", "treble [80s]"):
        assert words in told


@pytest.mark.parametrize("timeline", [False, True])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_genres_named_like_columns_replace_none(form, timeline, tmp_path):
    labels = ["path", "error", "frames", "start", "frame_genre", "Rock", "rock"]
    scores = {label: (number + 1) / 28 for number, label in enumerate(labels)}
    frame = {"start": 0.0, "end": 29.12, "genre": "rock", "scores": scores}
    song = SongResult("/m/a.mp3", "m", "rock", 0.25, scores, 1, 30.0, [frame])
    out = tmp_path / f"out.{form}"
    options = argparse.Namespace(format=form, out=out, timeline=timeline, top=3)
    classify._write([song, SongResult("/m/b.mp3", "m", error="cannot read it")], options)
    read = pd.read_csv if form == "csv" else pd.read_parquet
    rows = read(out).to_dict("records")
    assert [row["path"] for row in rows] == ["/m/a.mp3", "/m/b.mp3"]
    assert (rows[0]["frames"], rows[0]["genre"]) == (1, "rock")
    assert rows[1]["error"] == "cannot read it"
    names = [*(f"score_{label}" for label in labels[:-1]), "score_rock_2"]
    assert [rows[0][name] for name in names] == pytest.approx(list(scores.values()))
    assert len({name.casefold() for name in rows[0]}) == len(rows[0])


def test_timeline_in_a_table_and_in_csv(checkpoint, music, capsys):
    song = str(music / "treble" / "treble-1.wav")
    assert main(["classify", song, "--checkpoint", str(checkpoint), "--timeline"]) == 0
    assert "0:00 to 0:05" in capsys.readouterr().out
    arguments = ["--checkpoint", str(checkpoint), "--timeline", "--format", "csv"]
    assert main(["classify", song, *arguments]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["start"] for row in rows] == ["0.0", "1.5", "3.0", "3.5"]
    assert {row["frame_genre"] for row in rows} == {"treble"}


def test_data_check_split_prepare(music, tmp_path, capsys):
    assert main(["data", "check", str(music)]) == 0
    shown = capsys.readouterr().out
    assert "24 songs" in shown
    assert "no problems" in shown
    out = tmp_path / "split.csv"
    assert main(["data", "split", str(music), "--kind", "stratified", "--out", str(out)]) == 0
    assert "stratified" in capsys.readouterr().out
    assert out.read_text().count("test") >= 4
    store = tmp_path / "store"
    assert main(["data", "prepare", str(music), "--store", str(store)]) == 0
    assert "24 songs" in capsys.readouterr().out


def test_data_split_that_leaks_says_so_and_exits_with_1(music, tmp_path, capsys):
    root = tmp_path / "music"
    for genre in ("bass", "treble"):
        (root / genre).mkdir(parents=True)
        for file in (music / genre).iterdir():
            (root / genre / file.name).write_bytes(file.read_bytes())
    # The same recording under several names: some pair falls on both sides.
    for copy in range(12):
        source = root / "bass" / "bass-0.wav"
        (root / "bass" / f"copy-{copy}.wav").write_bytes(source.read_bytes())
    out = tmp_path / "split.csv"
    assert main(["data", "split", str(root), "--kind", "stratified", "--out", str(out)]) == 1
    assert "copy-" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the processes use gloo on Linux")
def test_the_ddp_configuration_trains_on_two_processes(music, tmp_path):
    """The packaged configuration, on processors: its batch-norm must not ask for GPUs."""
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    options = ["--trainer.accelerator=cpu", "--trainer.devices=2", "--name=two"]
    options += [f"--data.source={music}", f"--out={tmp_path / 'runs'}"]
    done = subprocess.run(
        [sys.executable, "-m", "genrenet", "fit", f"--config={config}", "--config=ddp", *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "best checkpoint" in done.stdout
    assert (tmp_path / "runs" / "two" / "version_0" / "checkpoints" / "last.ckpt").exists()
