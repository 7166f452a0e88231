"""``hf:`` and ``onnx:`` on the command line: all commands with networks accept them."""

import json

import numpy as np
import pytest
import yaml

from genrenet.baselines.song_features import song_features
from genrenet.cli import main
from genrenet.evaluation.network_methods import ContenderError, NetworkContender
from genrenet.library.scanning import identity_of
from tests.helpers.backbones import LABELS, encoder_folder, essentia_json, mel_onnx

TINY = {
    "model": {"lr_scheduler": None},
    "data": {"split": "stratified", "num_workers": 0, "crops": "fixed"},
    "trainer": {
        "max_epochs": 1,
        "limit_train_batches": 1,
        "limit_val_batches": 1,
        "num_sanity_val_steps": 0,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "enable_model_summary": False,
    },
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tagger(tmp_path):
    mel_onnx(tmp_path / "effnet.onnx", (4, 128, 96))
    essentia_json(tmp_path / "effnet.json")
    return f"onnx:{tmp_path / 'effnet.onnx'}"


@pytest.fixture
def encoder(tmp_path):
    encoder_folder(tmp_path / "tiny")
    return f"hf:{tmp_path / 'tiny'}"


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_tagger_names_genres_and_an_encoder_does_not(music, tagger, encoder, capsys):
    song = str(music / "bass" / "bass-0.wav")
    assert main(["classify", song, "--checkpoint", tagger, "--format", "json"]) == 0
    (found,) = told(capsys)
    assert {*found["scores"]} == {*LABELS}
    assert found["frames"] == 3
    assert main(["classify", song, "--checkpoint", tagger, "--commercial"]) == 2
    assert "is not for commercial use: no: found licence CC BY-NC-SA" in capsys.readouterr().err
    assert main(["classify", song, "--checkpoint", encoder]) == 2
    assert "is an encoder without genres" in capsys.readouterr().err
    assert main(["scan", str(music / "bass"), "--checkpoint", tagger, "--out", "t.parquet"]) == 0
    assert identity_of(tagger).startswith("onnx:effnet.onnx@")
    capsys.readouterr()
    assert main(["checkpoints", "list", "--format", "json"]) == 0
    rows = {row["name"]: row for row in told(capsys)}
    assert (rows[tagger]["licence"], rows[tagger]["commercial"]) == ("CC BY-NC-SA 4.0", "no")
    assert main(["checkpoints", "info", encoder, "--format", "json"]) == 0
    info = told(capsys)
    assert (info["layers"], info["licence"], info["commercial"]) == (
        ["layer0", "layer1", "layer2"],
        "mit",
        "yes",
    )


def test_layers_are_embedded_and_are_features_of_baselines(music, tagger, encoder, capsys):
    songs = [str(music / "bass" / "bass-0.wav"), str(music / "treble" / "treble-0.wav")]
    arguments = ["embed", *songs, "--backbone", encoder, "--layer", "layer1,embedding"]
    assert main([*arguments, "--out", "songs.npz"]) == 0
    with np.load("songs.npz") as found:
        vectors = found["song_embeddings"]
    assert vectors.shape == (2, 32)
    rows = song_features(songs, f"{encoder}:layer1/embedding+{tagger}").rows
    assert rows.shape == (2, 32 + 12)
    np.testing.assert_allclose(rows[:, :32], vectors, atol=1e-5)


def test_fit_takes_rate_and_frames_from_the_backbone(music, tagger, tmp_path, capsys):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    option = f"--model.network.init_args.backbone={tagger}"
    arguments = ["--config", "transfer", "--config", "tiny.yaml", f"--data.source={music}"]
    assert main(["fit", *arguments, option, "--name", "run"]) == 0, capsys.readouterr().err
    assert "--data.sample_rate 16000, as in onnx:" in capsys.readouterr().out
    run = tmp_path / "runs" / "run" / "version_0"
    data = yaml.safe_load((run / "config.yaml").read_text())["data"]
    assert (data["sample_rate"], data["frame_seconds"]) == (16_000, 2.032)
    last = run / "checkpoints" / "last.ckpt"
    assert main(["fit", "--ckpt_path", str(last), "--trainer.max_epochs=2"]) == 0
    assert main(["test", "--ckpt_path", str(last), "--trainer.limit_test_batches=1"]) == 0
    capsys.readouterr()
    assert main(["checkpoints", "info", str(last), "--format", "json"]) == 0
    info = told(capsys)
    assert info["needs"] == "onnx:effnet.onnx"
    assert info["backbone"]["name"] == "onnx:effnet.onnx"


def test_contenders_on_backbones(encoder, tagger):
    contender = NetworkContender(f"transfer:{encoder}")
    assert contender.options == [
        f"--model.network.init_args.backbone={encoder}",
        "--data.sample_rate=16000",
        "--data.frame_seconds=5.0",
    ]
    assert len(contender.about()["backbone"]) == 64
    with pytest.raises(ContenderError, match="what an adapter opens, such as hf:ORG/NAME"):
        NetworkContender("transfer:nothing")


def test_trusting_code_is_an_option_of_each_command(music, tmp_path, capsys, monkeypatch):
    encoder_folder(tmp_path / "own")
    file = tmp_path / "own" / "config.json"
    config = json.loads(file.read_text())
    code = {"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnEncoder"}
    file.write_text(json.dumps({**config, "model_type": "own", "auto_map": code}))
    monkeypatch.setenv("GENRENET_TRUST", "")
    arguments = ["embed", "--backbone", "hf:own", "--layer", "list"]
    assert main(arguments) == 2
    assert "pass --trust-remote-code, or set GENRENET_TRUST=hf:own" in capsys.readouterr().err
    assert main([*arguments, "--trust-remote-code"]) == 2  # it goes on to look for the code
    assert "modeling_own" in capsys.readouterr().err


def test_a_configuration_may_name_one_and_a_librarys_own_may_not(music, tagger, tmp_path, capsys):
    config = tmp_path / "none.yaml"
    config.write_text("checkpoint: onnx:effnet.onnx\n")  # as seen from the configuration
    song = str(music / "bass" / "bass-0.wav")
    assert main(["classify", song, "--format", "json"]) == 0
    assert {*told(capsys)[0]["scores"]} == {*LABELS}
    library = tmp_path / "library"
    library.mkdir()
    (library / ".genrenet.yaml").write_text("checkpoint: hf:someone/model\n")
    assert main(["scan", str(library), "--out", str(tmp_path / "t.parquet")]) == 2
    assert "a library's own file cannot name an external backbone" in capsys.readouterr().err
