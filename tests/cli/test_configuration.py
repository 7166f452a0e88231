"""Configuration files: their content, and one-line errors for invalid ones."""

import os

import pytest

from genrenet.cli.configuration import (
    LARGEST,
    NAME,
    ConfigurationError,
    layers,
    library_file,
    parse,
    path_of,
    read,
    user_file,
)


@pytest.fixture
def user(tmp_path, monkeypatch):
    """The user's own file, which is not there yet."""
    file = tmp_path / "own" / "config.yaml"
    file.parent.mkdir()
    monkeypatch.setenv("GENRENET_CONFIG", str(file))
    monkeypatch.chdir(tmp_path)
    return file


def test_values_stay_as_they_are_written(tmp_path):
    text = "library: ~/Music\ntag:\n  min-confidence: 0.80\n  map: ~\nplaylist:\n  length: 1:30\n"
    text += (
        "  exclude: [no, 007]\n  by-score: yes\nfit:\n  data: {source: x}\n  model.network: CNN\n"
    )
    found = parse(text, tmp_path / "c.yaml").settings
    assert {setting.name: setting.value for setting in found.values()} == {
        "library": "~/Music",
        "tag.min-confidence": "0.80",
        "tag.map": None,
        "playlist.length": "1:30",
        "playlist.exclude": ["no", "007"],
        "playlist.by-score": "yes",
        "fit.data.source": "x",
        "fit.model.network": "CNN",
    }
    assert found["tag", "map"].line == 4
    assert found["tag", "map"].where == f"{tmp_path / 'c.yaml'}, line 4"
    assert parse("", tmp_path / "c.yaml").settings == {}
    assert parse("# only words\n", tmp_path / "c.yaml").settings == {}


BROKEN = {
    "library: a: b": ("line 1", "mapping values are not allowed"),
    "library: x\n\ttag: y": ("line 2", r"cannot start any token"),
    "library: x\ntable: [a": ("line 2", "expected ',' or ']'"),
    "- a\n- b": ("line 1", "found a list, wanted a mapping"),
    "just words": ("line 1", "found 'just words', wanted a mapping"),
    "library: x\ntable: y\nlibrary: z": ("line 3: library: is there twice", "line 1"),
    "? [a, b]\n: c": ("line 1", "found a list, wanted the name of a setting"),
    "tag:\n  map: [{a: b}]": ("line 2: tag.map", "found a mapping in a list"),
    "table: !!python/object/apply:os.system ['true']": ("line 1: table", "python/object/apply"),
    "table: !!python/name:os.system x": ("line 1: table", "python/name:os.system"),
    "library: x\n--- \ntable: y": ("line 2", "found another document"),
    "a: " * 5 + "{" * 500: ("line 1", "mapping values"),
    "[" * 60_000: ("", "nested too deeply"),
    "\x1b[2J: x": ("line 1", "special characters"),
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_is_one_line_with_file_and_line(text, user):
    user.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read(user)
    told = str(caught.value)
    assert "\n" not in told
    assert "\x1b" not in told
    assert told.startswith(str(user))
    for words in BROKEN[text]:
        assert words in told, told


def test_aliases_multiply_nothing(user):
    level = "l{}: &l{} {{{}}}\n"
    text = "l0: &l0 {a: 1, b: 2, c: 3, d: 4, e: 5}\n"
    for number in range(1, 6):
        same = ", ".join(f"k{place}: *l{number - 1}" for place in range(9))
        text += level.format(number, number, same)
    user.write_text(text)
    with pytest.raises(ConfigurationError, match="contains more than"):
        read(user)


def test_files_that_cannot_be_read(user, tmp_path):
    user.write_bytes(b"library: x\ntable: caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"config\.yaml, line 2: found the byte 0xe9"):
        read(user)
    user.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ConfigurationError, match="is not a configuration: found 100,001 bytes"):
        read(user)
    user.unlink()
    user.mkdir()
    with pytest.raises(ConfigurationError, match="cannot read the configuration"):
        read(user)
    assert read(tmp_path / "none.yaml").settings == {}


def test_a_file_that_was_changed_is_read_again(user):
    user.write_text("table: a\n")
    assert read(user).settings["table",].value == "a"
    user.write_text("table: longer\n")
    assert read(user).settings["table",].value == "longer"


def test_the_library_is_found_from_within_and_by_the_users_file(user, tmp_path, monkeypatch):
    music, deep = tmp_path / "Music", tmp_path / "Music" / "Artist" / "Album"
    deep.mkdir(parents=True)
    assert library_file(deep) is None
    (music / NAME).write_text("table: t.parquet\n")
    assert library_file(deep) == library_file(music) == music / NAME
    assert [layer.file for layer in layers()] == [user]
    user.write_text("library: ../Music\n")
    assert [layer.file for layer in layers()] == [user, music / NAME]
    assert [layer.file for layer in layers(tmp_path)] == [user]
    user.write_text("")
    monkeypatch.chdir(deep)
    _, near = layers()
    assert path_of(near.settings["library",].value, near.file) == str(music)
    assert near.settings["library",].where == str(music / NAME)


def test_where_the_users_file_is(monkeypatch, tmp_path):
    monkeypatch.setenv("GENRENET_CONFIG", "mine.yaml")
    monkeypatch.chdir(tmp_path)
    assert user_file() == tmp_path / "mine.yaml"
    monkeypatch.setenv("GENRENET_CONFIG", "")
    assert layers() == []
    monkeypatch.delenv("GENRENET_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert user_file() == tmp_path / "xdg" / "genrenet" / "config.yaml"
