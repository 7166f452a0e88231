"""Former names of options: they work, and the warning has the present name."""

import pytest
import yaml

from genrenet.cli import main
from genrenet.cli.old_options import current_arguments, current_settings
from tests.helpers.small_training import TINY

FREEZING = "genrenet.training.finetuning.LayerFreezing"


@pytest.mark.parametrize(
    ("given", "wanted", "old"),
    [
        (["--model.decision=vote"], ["--model.aggregation=vote"], "--model.decision"),
        (["--model.output", "sigmoid"], ["--model.activation", "sigmoid"], "--model.output"),
        (
            ["--model.network=CRNN", "--model.network.n_columns=71"],
            ["--model.network=CRNN", "--model.network.n_stft_frames=71"],
            "--model.network.n_columns",
        ),
        (
            ["--trainer.callbacks+", FREEZING, "--trainer.callbacks.thaw={1: [conv5]}"],
            ["--trainer.callbacks+", FREEZING, "--trainer.callbacks.unfreeze={1: [conv5]}"],
            "thaw",
        ),
    ],
)
def test_old_options_are_renamed_with_a_warning(given, wanted, old):
    with pytest.warns(FutureWarning, match=old):
        assert current_arguments(["fit", *given]) == ["fit", *wanted]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model.network=mine.Net", "--model.network.n_columns=3"],
        ["--trainer.callbacks+=EMA", "--trainer.callbacks.decay=0.9"],
        ["--data.output=x", "--model.decisions", "--model.decision_tree=y", "--out", "decision"],
    ],
)
def test_options_of_other_classes_stay(arguments):
    assert current_arguments(arguments) == arguments


def test_settings_of_other_classes_stay():
    callback = {"class_path": "mine.EMA", "init_args": {"decay": 0.9, "thaw": 1}}
    network = {"class_path": "mine.Net", "init_args": {"n_columns": 3}}
    settings = {"model": {"network": network}, "trainer": {"callbacks": [callback]}, "output": 1}
    assert current_settings(settings) == settings
    assert current_settings("--model.decision") == "--model.decision"


def test_a_configuration_with_old_names_is_understood(tmp_path, capsys):
    settings = yaml.safe_load(TINY)
    arguments = settings["model"]["network"]["init_args"]
    arguments["n_columns"] = arguments.pop("n_stft_frames")
    settings["model"] |= {"decision": "geometric"}
    plan = {"train": ["head"], "thaw": {1: ["conv2"]}, "decay": 0.5}
    settings["trainer"]["callbacks"] = [{"class_path": FREEZING, "init_args": plan}]
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(settings))
    command = ["fit", "--config", str(tmp_path / "old.yaml"), "--data.source=synthetic"]
    with pytest.warns(FutureWarning) as told, pytest.raises(SystemExit):
        main([*command, "--model.output=sigmoid", "--print_config"])
    told = " ".join(str(each.message) for each in told)
    for old in ("model.decision", "n_columns", "thaw", "LayerFreezing.decay", "--model.output"):
        assert old in told
    found = yaml.safe_load(capsys.readouterr().out)
    assert found["model"]["aggregation"] == "geometric"
    assert found["model"]["activation"] == "sigmoid"
    assert found["model"]["network"]["init_args"]["n_stft_frames"] == 71
    (callback,) = found["trainer"]["callbacks"]
    assert callback["init_args"]["unfreeze"] == {"1": ["conv2"]}
    assert callback["init_args"]["layer_decay"] == 0.5
