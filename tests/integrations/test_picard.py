"""The plugin for Picard: its requests to a real server, and the metadata it sets."""

import ast
import re
import sys
import uuid
from pathlib import Path

import pytest
import soundfile

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest needs it there

from tests.helpers.served import make_service, serving
from tests.helpers.tones import RATE, tone

PACKAGE = Path(__file__).parents[2] / "integrations" / "picard" / "genrenet_picard"
TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def plugin():
    """Its modules that need no Picard."""
    sys.path.insert(0, str(PACKAGE.parent))
    try:
        import genrenet_picard.naming
        from genrenet_picard import client, naming

        yield client, naming
    finally:
        sys.path.remove(str(PACKAGE.parent))
    assert not any(name.startswith("picard") for name in sys.modules)
    assert not hasattr(genrenet_picard, "picard2")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that asks for a token."""
    folder = tmp_path_factory.mktemp("served")
    with serving(make_service(folder, "emotify-cnn"), host="0.0.0.0", token=TOKEN) as running:
        yield f"http://127.0.0.1:{running.port}"


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("songs") / 'Größe "1".flac'
    soundfile.write(path, tone(300, 12.0), RATE)
    return str(path)


def test_asks_for_genres(plugin, server, song):
    client, _ = plugin
    ask = lambda **given: client.genres_of(  # noqa: E731
        song, client.Settings(url=server, token=TOKEN, min_confidence=0, **given)
    )
    found = ask(count=4)
    assert 1 <= len(found) <= 4
    assert {*found} <= {"Classical", "Electronic", "Pop", "Rock"}
    assert ask() == found[:1]
    assert ask(title_case=False) == [found[0].lower()]
    sure = client.Settings(url=f"{server}/", token=f" {TOKEN}\n", min_confidence=1.0)
    assert client.genres_of(song, sure) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token": ""}, "asks for a token"),
        ({"token": "another-token-than-that"}, "asks for a token"),
        ({"url": "http://127.0.0.1:9"}, "no genrenet at 'http://127.0.0.1:9'"),
        ({"url": "http://127.0.0.1:x"}, "is no address of a server"),
        ({"url": ""}, "no genrenet at ''"),
        ({"url": "{server}/elsewhere"}, "knows no genre of"),
    ],
)
def test_says_why_it_has_no_answer(plugin, server, song, given, said):
    client, _ = plugin
    given = {"token": TOKEN, "url": server, **given}
    given["url"] = given["url"].format(server=server)
    with pytest.raises(client.AskError, match=re.escape(said)):
        client.genres_of(song, client.Settings(**given))


def test_files_that_are_no_songs_or_gone(plugin, server, tmp_path):
    client, _ = plugin
    settings = client.Settings(url=server, token=TOKEN)
    (tmp_path / "text.mp3").write_text("no music")
    with pytest.raises(client.AskError, match="knows no genre of"):
        client.genres_of(str(tmp_path / "text.mp3"), settings)
    with pytest.raises(client.AskError, match="cannot read"):
        client.genres_of(str(tmp_path / "gone.mp3"), settings)


class Metadata(dict):
    """As Picard's, as far as the plugin goes."""

    def getall(self, name):
        return self.get(name, [])


class File:
    """As Picard's, as far as the plugin goes."""

    def __init__(self, filename, *genres):
        self.filename, self.metadata, self.pending, self.updated = filename, Metadata(), 0, 0
        if genres:
            self.metadata["genre"] = list(genres)

    def set_pending(self):
        self.pending += 1

    def clear_pending(self):
        self.pending -= 1

    def update(self):
        self.updated += 1


def run_task(func, next_func):
    """As Picard's, at once."""
    try:
        result = func()
    except Exception as error:
        next_func(error=error)
    else:
        next_func(result=result)


def test_puts_genres_into_tags(plugin, server, song, tmp_path):
    _, naming = plugin
    files = [File(song), File(song, "Jazz"), File(song, "Other", ""), File(str(tmp_path / "gone"))]
    told, options = [], {"url": server, "token": TOKEN, "count": "x", "min_confidence": "0"}
    read = {**options, "replace": False, "title_case": True}.__getitem__
    settings = naming.settings_from(read)
    assert (settings.count, settings.min_confidence) == (1, 0)
    assert naming.name_files(files, settings, run_task, told.append) == 3
    genres = [file.metadata.get("genre") for file in files]
    assert genres[0] == genres[2]
    assert len(genres[0]) == 1
    assert (genres[1], genres[3]) == (["Jazz"], None)
    assert [file.updated for file in files] == [1, 0, 1, 0]
    assert not any(file.pending for file in files)
    assert len(told) == 1
    assert "cannot read" in told[0]


def test_picard_2_reads_its_names():
    code = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    found = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in code.body
        if isinstance(node, ast.Assign)
    }
    assert {"NAME", "AUTHOR", "DESCRIPTION", "VERSION", "LICENSE", "LICENSE_URL"} <= {
        name.removeprefix("PLUGIN_") for name in found
    }
    assert all(re.fullmatch(r"2\.\d+", version) for version in found["PLUGIN_API_VERSIONS"])
    functions = {node.name for node in code.body if isinstance(node, ast.FunctionDef)}
    assert "enable" in functions  # Picard 3 calls it


def test_picard_3_reads_its_manifest(plugin):
    found = tomllib.loads((PACKAGE / "MANIFEST.toml").read_text(encoding="utf-8"))
    assert uuid.UUID(found["uuid"]).version == 4
    assert 1 <= len(found["name"]) <= 100
    assert 1 <= len(found["description"]) <= 200
    assert 1 <= len(found["long_description"]) <= 2000
    assert found["api"] == ["3.0"]
    assert {*found["categories"]} <= {"metadata", "coverart", "ui", "scripting", "formats", "other"}


@pytest.mark.parametrize("module", ["picard2", "picard3"])
def test_both_versions_register_an_entry_and_a_page(module):
    code = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    classes = {node.name: node for node in code.body if isinstance(node, ast.ClassDef)}
    methods = {
        name: {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        for name, node in classes.items()
    }
    assert "callback" in methods["GenresAction"]
    assert {"load", "save"} <= methods["GenrenetOptions"]
    text = ast.unparse(code)
    assert "register_options_page(GenrenetOptions)" in text
    assert all(f"register_{what}_action" in text for what in ("file", "track", "album", "cluster"))
