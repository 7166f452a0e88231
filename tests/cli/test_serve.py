"""Errors that ``genrenet serve`` reports before it loads models."""

import socket

from genrenet.cli import main


def test_a_port_in_use_is_known_before_models_are_loaded(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        # It is not looked for: there is none of that name.
        options = ["--music", str(tmp_path), "--checkpoint", "no-such-model", "--port", port]
        assert main(["serve", *options]) == 2
    told = capsys.readouterr().err
    assert f"cannot serve at 127.0.0.1, port {port}: found Address already in use" in told
    assert "choose another --port" in told
