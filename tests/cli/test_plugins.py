"""`genrenet plugins`: listings of each kind, and classes that cannot be imported."""

import json

from genrenet.cli import main
from genrenet.cli.plugins import KINDS
from genrenet.hookspecs import Hooks
from tests.helpers.plugin_packages import genrenet, write_plugin


def test_every_kind_but_scorers_is_listed(capsys):
    hooks = {name for name in vars(Hooks) if name.startswith("register_")}
    assert hooks - set(KINDS.values()) == {"register_scorers"}
    assert main(["plugins", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["kind"] for row in rows} == set(KINDS)


def test_parameters_are_those_of_the_class(capsys):
    main(["plugins", "--kind", "network", "--format", "json"])
    found = {row["name"]: row["parameters"] for row in json.loads(capsys.readouterr().out)}
    assert found["CRNN"]["hidden_size"] == 32
    assert all("n_mels" in found[name] for name in found if name not in ("Fused", "Adapted"))
    assert not any("n_labels" in parameters for parameters in found.values())
    main(["plugins", "--kind", "frontend"])
    assert "hop_length=256" in capsys.readouterr().out


def test_a_class_that_cannot_be_imported_is_listed_with_the_reason(tmp_path):
    code = (
        "from genrenet import hookimpl\n@hookimpl\ndef register_networks(register):\n"
        "    from genrenet.models.registry import ModuleClass\n"
        "    register(ModuleClass('lost', 'lost', 'no_such_package.Net'))\n"
    )
    path = write_plugin(tmp_path / "site", "losing", code)
    rows = json.loads(
        genrenet("plugins", "--kind", "network", "--format", "json", path=path).stdout
    )
    (lost,) = [row for row in rows if row["name"] == "lost"]
    assert "no_such_package" in lost["parameters"]["error"]
    assert len(rows) == 7
