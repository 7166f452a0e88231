"""Small results stored between runs."""

import pytest

from genrenet.evaluation.stored_json import read_json, write_json


def test_what_was_written_comes_back(tmp_path):
    file = tmp_path / "a" / "b" / "result.json"
    values = {"text": "Käse\n", "n": 3, "share": 0.1, "list": [1, None, True]}
    write_json(file, values)
    assert read_json(file) == values
    write_json(file, {})
    assert read_json(file) == {}
    assert [path.name for path in file.parent.iterdir()] == ["result.json"]


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"[1, 2]", b"3", b"null", b'{"a": "\xe9"}'])
def test_what_is_damaged_is_as_if_it_were_not_there(tmp_path, content):
    file = tmp_path / "result.json"
    file.write_bytes(content)
    assert read_json(file) is None


def test_nothing_there(tmp_path):
    assert read_json(tmp_path / "gone.json") is None
    assert read_json(tmp_path) is None


def test_values_that_cannot_be_written_leave_the_old_file(tmp_path):
    file = tmp_path / "result.json"
    write_json(file, {"n": 1})
    with pytest.raises(TypeError):
        write_json(file, {"n": {1, 2}})
    assert read_json(file) == {"n": 1}
