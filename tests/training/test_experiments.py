"""Packaged experiments are complete, and invalid ones are rejected."""

import pytest

from genrenet.evaluation.protocols import protocols
from genrenet.evaluation.runner import contenders
from genrenet.training.configs import ConfigError, config_names, experiment, experiment_names


@pytest.mark.parametrize("name", experiment_names())
def test_every_packaged_experiment_can_be_started(name):
    settings = experiment(name)
    assert contenders(settings["models"])
    given = settings["protocol"]
    given = given if isinstance(given, str) else ",".join(given)
    assert protocols(given, settings["seeds"])


def test_experiments_are_no_configurations_of_training():
    assert "four-genres" in experiment_names()
    assert not any("four-genres" in name for name in config_names())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "is not an experiment"),
        ("model: svm", "found model"),
        ("a: [", "is not YAML"),
        ("reference: [{accuracy: 80}]", "is none"),
    ],
)
def test_what_is_no_experiment(tmp_path, text, said):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        experiment(str(file))
    with pytest.raises(ConfigError, match="four-genres"):
        experiment("nothing-of-that-name")
