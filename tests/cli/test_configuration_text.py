"""Changes of a configuration's text: only the requested setting changes."""

import random
from pathlib import Path

import pytest

from genrenet.cli.configuration import ConfigurationError, parse
from genrenet.cli.configuration_text import scalar, with_setting, without_setting, write

TEXT = """# mine
library: ~/Music   # all of it
table: genres.parquet

tag:   # rules
  min-confidence: 0.8
  # names
  map: names.csv

playlist: {length: 60min, exclude: [live]}
serve:
  checkpoint:
  - genres
  - emotify-cnn
# the end
"""


def values(text):
    return {one.name: one.value for one in parse(text, Path("c")).settings.values()}


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("library", "/srv/music", "library: /srv/music   # all of it"),
        ("frames", "3", "frames: 3"),
        ("tag.min-confidence", "0.5", "  min-confidence: 0.5"),
        ("tag.refine", "true", "  refine: true"),
        ("playlist.length", "1:30", "playlist: {length: 1:30, exclude: [live]}"),
        ("playlist.songs", "5", "playlist: {length: 60min, exclude: [live], songs: 5}"),
        ("serve.checkpoint", "genres", "  checkpoint: genres"),
        ("serve.port", "80", "  port: 80"),
        ("scan.workers", "2", "scan:\n  workers: 2"),
        ("table", "null", "table: null"),
        ("table", "a: b #c", 'table: "a: b #c"'),
        ("library", "~", 'library: "~"'),
    ],
)
def test_one_setting_changes_and_comments_stay(key, value, line):
    text = with_setting(TEXT, key.split("."), [value])
    assert line in text
    assert values(text) == {**values(TEXT), key: None if value == "null" else value}
    for comment in ("# mine", "# all of it", "# rules", "# names", "# the end"):
        assert comment in text


def test_lists_and_what_begins_or_ends_a_file():
    assert values(with_setting(TEXT, ["playlist", "exclude"], ["a b", "é"]))[
        "playlist.exclude"
    ] == ["a b", "é"]
    for text in ("", "# nothing\n", "tag:\n", "tag:  # rules", "{}\n", "table: x", "tag: {}"):
        found = with_setting(text, ["tag", "map"], ["m.csv"])
        kept = {name: value for name, value in values(text).items() if name != "tag"}
        assert values(found) == {**kept, "tag.map": "m.csv"}
        assert ("# rules" in found) == ("# rules" in text)


@pytest.mark.parametrize("key", [*values(TEXT)])
def test_one_setting_goes(key):
    if key.startswith("playlist"):
        with pytest.raises(ConfigurationError, match="genrenet config edit"):
            without_setting(TEXT, key.split("."))
        return
    text = without_setting(TEXT, key.split("."))
    assert values(text) == {k: v for k, v in values(TEXT).items() if k != key}
    assert "# mine" in text
    assert "# the end" in text


def test_nothing_is_left_of_a_mapping_without_settings():
    assert without_setting("table: x\ntag:\n  map: a\n", ["tag", "map"]) == "table: x\n"


def test_what_cannot_be_changed_safely_is_refused():
    alias = "tag: &same\n  map: a\nscan: *same\n"
    with pytest.raises(ConfigurationError, match="genrenet config edit"):
        with_setting(alias, ["scan", "map"], ["b"])


def test_any_text_comes_back():
    rng = random.Random(0)
    letters = "aZ0 :#-'\"\\[]{},&*!|>%@`~?=é日\t."
    for _ in range(80):
        value = "".join(rng.choices(letters, k=rng.randint(1, 8)))
        if value.strip() and value != "null":
            assert values(with_setting(TEXT, ["tag", "map"], [value]))["tag.map"] == value
            assert values(f"k: {scalar(value)}\n") == {"k": value}


def test_a_link_keeps_leading_to_the_file(tmp_path):
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "g.yaml", tmp_path / "config.yaml"
    real.write_text("table: x\n")
    link.symlink_to(real)
    write(link, "table: y\n")
    assert link.is_symlink()
    assert real.read_text() == "table: y\n"


def test_a_place_that_cannot_be_written_keeps_what_was_there(tmp_path):
    file = tmp_path / "file" / "config.yaml"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot write the configuration") as caught:
        write(file, "table: y\n")
    assert "the old file is unchanged" in str(caught.value)
