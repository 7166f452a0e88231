"""Names of networks and front ends on the command line and in configurations."""

import pytest

from genrenet.cli.registered_names import RegisteredNameError, arguments_by_path, model_by_path

CRNN = "genrenet.models.networks.crnn.CRNN"
KALDI = "genrenet.models.kaldi.KaldiMel"


def test_names_become_paths_where_they_are_names():
    given = ["fit", "--model.network", "CRNN", "--model.frontend=KaldiMel", "--name", "CRNN"]
    wanted = ["fit", "--model.network", CRNN, f"--model.frontend={KALDI}", "--name", "CRNN"]
    assert arguments_by_path(given) == wanted
    others = ["fit", "--model.network=mine.Net", "--model.network.cell", "torch"]
    assert arguments_by_path(others) == others
    model = {"network": "CRNN", "frontend": {"class_path": "KaldiMel", "init_args": {"n_mels": 64}}}
    found = model_by_path(model)
    assert found["network"] == CRNN
    assert found["frontend"] == {"class_path": KALDI, "init_args": {"n_mels": 64}}


def test_a_name_that_is_nearly_right_is_asked_about():
    with pytest.raises(RegisteredNameError, match=r"no network 'CRN'.*did you mean 'CRNN'"):
        arguments_by_path(["fit", "--model.network", "CRN"])
