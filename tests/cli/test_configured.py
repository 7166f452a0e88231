"""Options from configurations: all can be set, nearer files win, libraries are restricted."""

import os
import shutil

import pytest

from genrenet.cli import COMMANDS, configured, main
from genrenet.cli.commands import UNCONFIGURED
from genrenet.cli.configuration import NAME, ConfigurationError
from genrenet.cli.configured import settable
from genrenet.cli.parsers import parsers
from genrenet.cli.parsing import CommandParser
from genrenet.cli.shared_settings import OF_LIBRARIES, SHARED

CONFIGURED = [name for name in COMMANDS if name not in UNCONFIGURED]
PARSERS = {words: one for name in CONFIGURED for words, one in parsers(name).items()}
OPTIONS = [(words, name) for words, one in PARSERS.items() for name in settable(one)]


@pytest.fixture
def configure(tmp_path, monkeypatch):
    """Write the user's file; nothing of it is left for the next test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENRENET_CONFIG", str(tmp_path / "own" / "config.yaml"))
    (tmp_path / "own").mkdir()

    def write(text, folder="own"):
        name = "config.yaml" if folder == "own" else NAME
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(text)

    configured.applied.clear()
    yield write
    configured.applied.clear()


def parsed(command, *words):
    """The options of a command, with fresh parsers."""
    configured.applied.clear()
    name = command.partition(" ")[0]
    return parsers(name)[command].parse_args([*map(str, words)])


def sample(action):
    """A value that an option takes."""
    if action.nargs == 0:
        return "true"
    if action.choices:
        return str([*action.choices][-1])
    for text in ("some", "0.5", "3", "30d", "battery"):
        try:
            (action.type or str)(text)
        except Exception:
            continue
        return text
    raise AssertionError(action)


@pytest.mark.parametrize(("words", "name"), OPTIONS, ids=" ".join)
def test_every_option_can_be_set(words, name, configure):
    action = settable(PARSERS[words])[name]
    first, *rest = words.split()
    value = sample(action)
    inner = f"{name}: {value}\n"
    configure(f"{first}:\n" + (f"  {rest[0]}:\n    {inner}" if rest else f"  {inner}"))
    parser = parsers(first)[words]
    needed = [one for one in parser._actions if not one.option_strings and one.nargs != "*"]
    needed = [one for one in needed if not isinstance(one.choices, dict) and one.nargs != "?"]
    given = [next(iter(one.choices)) if one.choices else "x" for one in needed]
    required = [one for one in parser._actions if one.option_strings and one.required]
    given += [
        word
        for one in required
        if name not in one.option_strings[-1]
        for word in (one.option_strings[-1], "y")
    ]
    given += ["x"] if words == "compare" else []
    before = dict(os.environ)
    options = vars(parser.parse_args(given))
    setting, found = configured.applied[action.dest]
    assert setting.name == ".".join([*words.split(), name])
    if action.dest in options and action.nargs != 0:
        assert options[action.dest] == found
        flat = found[0] if isinstance(found, list) else found
        wanted = (action.type or str)(value)
        assert flat == wanted or str(flat).endswith(f"own/{value}")
    else:
        assert options.get(action.dest) is True or os.environ != before


def test_the_nearer_wins_and_the_command_line_over_all(configure, tmp_path, monkeypatch):
    configure("library: M\ntable: one.parquet\nframes: 3\nscan: {frames: 4, trim: 1}\n")
    found = parsed("scan")
    assert (found.libraries, found.out) == ([f"{tmp_path}/own/M"], f"{tmp_path}/own/one.parquet")
    assert (found.frames, found.trim, found.workers) == (4, 1.0, None)
    configure("frames: 5\ntable: t.parquet\nscan: {trim: null}\n", "Music")
    found = parsed("scan", tmp_path / "Music")
    assert (found.frames, found.trim, found.out) == (5, None, f"{tmp_path}/Music/t.parquet")
    found = parsed("scan", tmp_path / "Music", "--frames", "all", "--out", "x.parquet")
    assert (found.frames, found.out) == ("all", "x.parquet")
    (tmp_path / "Music" / "Album").mkdir()
    monkeypatch.chdir(tmp_path / "Music" / "Album")
    found = parsed("scan")
    assert (found.libraries, found.frames) == ([f"{tmp_path}/Music"], 5)


def test_lists_replace_and_rivals_give_way(configure):
    configure(
        "playlist:\n  genre: [rock, pop]\n  length: 60min\n  exclude: live\ntable: t.parquet\n"
    )
    found = parsed("playlist")
    assert (found.genre, found.length, found.exclude) == (["rock", "pop"], "60min", ["live"])
    found = parsed("playlist", "--genre", "jazz", "--songs", "3")
    assert (found.genre, found.length, found.songs) == (["jazz"], None, 3)
    configure("serve:\n  checkpoint: [a, b]\nlibrary: M\n")
    assert parsed("serve").checkpoint == ["a", "b"]
    assert parsed("serve", "--checkpoint", "c").checkpoint == ["c"]
    configure("playlist:\n  songs: 3\n  length: 60min\n")
    with pytest.raises(ConfigurationError, match=r"playlist\.length: found playlist\.songs too"):
        parsed("playlist", "x")


def test_shared_settings_go_where_they_mean_something(configure, tmp_path):
    configure("library: M\ntable: t.parquet\nembeddings: e.npz\ncheckpoint: mine.ckpt\nframes: 2\n")
    own = tmp_path / "own"
    found = parsed("playlist", "--genre", "rock")
    assert (found.library, found.checkpoint, found.frames) == (f"{own}/t.parquet", None, None)
    (tmp_path / "folder").mkdir()
    found = parsed("playlist", tmp_path / "folder")
    assert (found.checkpoint, found.frames) == (f"{own}/mine.ckpt", 2)
    # What helps need not be there yet.
    assert (parsed("serve").library, parsed("serve").embeddings) == (None, None)
    for name in ("t.parquet", "e.npz"):
        (own / name).touch()
    found = parsed("serve")
    assert (found.library, found.embeddings) == (f"{own}/t.parquet", f"{own}/e.npz")
    assert parsed("recommend", "--like", "x").history == [f"{own}/e.npz"]
    assert parsed("recommend", "h.csv", "--like", "x").history == ["h.csv"]
    assert parsed("playlist").embeddings is None
    assert parsed("playlist", "--order", "smooth").embeddings == f"{own}/e.npz"
    assert parsed("tag").table == f"{own}/t.parquet"
    assert parsed("tag", "--undo", "u.jsonl").table is None
    configure("checkpoint: genres\nlibrary: M\n")
    assert parsed("classify", "x").checkpoint == "genres"


def test_another_library_does_not_go_into_the_table(configure, tmp_path, capsys):
    configure("library: M\ntable: t.parquet\n")
    for folder in (tmp_path / "own" / "M" / "New", tmp_path / "Other"):
        folder.mkdir(parents=True)
    assert parsed("scan", tmp_path / "own" / "M" / "New").out == f"{tmp_path}/own/t.parquet"
    with pytest.raises(SystemExit):
        parsed("scan", tmp_path / "Other")
    error = capsys.readouterr().err
    assert "required: --out; the table that " in error
    assert "own/config.yaml, line 2 names is of another library" in error
    with pytest.raises(SystemExit):
        parsed("recommend", "--like", "x")
    assert "own/config.yaml, line 2 names is not there yet" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["scan", "serve", "playlist", "adapt", "correct"])
def test_what_is_lacking_is_told_with_both_remedies(words, configure, capsys):
    with pytest.raises(SystemExit, match="2"):
        parsed(words)
    error = capsys.readouterr().err
    assert "the following arguments are required: " in error
    assert "name them, or let the library's configuration say '" in error
    assert "genrenet init" in error
    assert error.count("\n") == 1


WRONG = {
    "tabel: x": "line 1: tabel: there is no such setting; did you mean 'table'?",
    "scan:\n  worker: 2": "line 2: scan.worker: there is no such setting; did you mean 'workers'?",
    "scan:\n  workers: 0": "line 2: scan.workers: found 0, wanted 1 or more",
    "scan:\n  processes: two": "line 2: scan.processes: found 'two', wanted",
    "scan:\n  retry: maybe": "line 2: scan.retry: found 'maybe', wanted true or false",
    "scan:\n  out: [a, b]": "line 2: scan.out: found a list, wanted one value",
    "scan: 3": "line 1: scan: found a plain value, wanted a mapping of the options of",
    "table: {a: b}": "line 1: table.a: found a mapping, wanted a value for table",
    "scan:\n  help: true": "line 2: scan.help: there is no such setting",
    "library: x\nscan: {libraries: y}": "line 2: scan.libraries: there is no such setting",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_settings_are_named_with_file_and_line(text, configure, tmp_path, capsys):
    configure(text)
    assert main(["scan", "M", "--out", "t.parquet"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"genrenet scan: error: {tmp_path}/own/config.yaml, {WRONG[text]}")
    assert error.count("\n") == 1
    with pytest.raises(SystemExit, match="0"):
        main(["scan", "--help"])


def test_an_error_says_which_setting_it_is_about(configure, tmp_path, capsys):
    configure("table: gone.parquet\nlibrary: M\ntag:\n  min-confidence: 3\n")
    assert main(["tag"]) == 2
    error = capsys.readouterr().err
    assert f"; tag.min-confidence is set in {tmp_path}/own/config.yaml, line 4" in error
    assert main(["correct", "--list"]) == 2
    assert "; table is set in" in capsys.readouterr().err
    assert main(["tag", "t.parquet", "--min-confidence", "4"]) == 2
    assert "is set in" not in capsys.readouterr().err


FORBIDDEN = {
    "table: ../t.parquet": "cannot name files outside",
    "table: /tmp/t.parquet": "cannot name files outside",
    "table: ~/t.parquet": "cannot name files outside",
    "table: link/t.parquet": "cannot name files outside",
    "library: ..": "cannot name files outside",
    "checkpoint: ../evil.ckpt": "cannot name files outside",
    "taxonomy: /etc/x.csv": "cannot name files outside",
    "scan: {out: x.parquet}": "a library's own file cannot set this",
    "tag: {write: true}": "a library's own file cannot set this",
    "tag: {overwrite: true}": "a library's own file cannot set this",
    "serve: {host: 0.0.0.0}": "a library's own file cannot set this",
    "fit: {model.network: os.system}": "a library's own file cannot set this",
    "offline: false": "a library's own file cannot set this",
}


@pytest.mark.parametrize("text", FORBIDDEN)
def test_a_librarys_own_file_stays_within_the_library(text, configure, tmp_path, capsys):
    configure(text, "Music")
    os.symlink(tmp_path, tmp_path / "Music" / "link")
    assert main(["scan", str(tmp_path / "Music")]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}/Music/{NAME}, line 1: " in error
    assert FORBIDDEN[text] in error
    assert f"set it in {tmp_path}/own/config.yaml" in error
    assert sorted(os.listdir(tmp_path / "Music")) == [NAME, "link"]


def test_rules_that_a_library_brings_replace_no_genres(configure, tmp_path, capsys):
    configure("library: ../Music")
    configure("tag: {rules: rules.yaml}", "Music")
    rules = tmp_path / "Music" / "rules.yaml"
    rules.write_text("- match: Rock\n  existing: overwrite\n")
    words = ["tag", str(tmp_path / "Music" / "t.parquet")]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}/Music/{NAME}, line 1: " in error
    assert "cannot replace genres" in error
    rules.write_text("- match: Rock\n  existing: refine\n")
    assert main(words) == 2
    assert "genres replaced" not in capsys.readouterr().err


def test_what_libraries_may_say_exists_and_changes_no_file():
    for command, names in OF_LIBRARIES.items():
        known = settable(PARSERS[command]) if command else SHARED
        assert {*names} <= {*known}
        assert not {*names} & {"write", "overwrite", "force", "undo", "out", "host", "yes", "retry"}


def test_a_flag_that_acts_at_once_is_heeded(configure, monkeypatch):
    monkeypatch.delenv("GENRENET_OFFLINE", raising=False)
    configure("offline: true\n")
    parsed("classify", "x")
    assert os.environ["GENRENET_OFFLINE"] == "1"


def test_options_that_were_typed_count_even_where_they_are_the_default(configure):
    configure("classify: {format: csv, top: 7}\n")
    assert (parsed("classify", "a").format, parsed("classify", "a").top) == ("csv", 7)
    found = parsed("classify", "a", "--format", "table", "--top", "3")
    assert (found.format, found.top) == ("table", 3)


def test_the_main_parser_takes_nothing_from_configurations(configure):
    configure("broken: [")
    assert CommandParser("genrenet").parse_args([]) is not None
    assert main(["plugins", "--kind", "metric"]) == 2


def test_commands_without_arguments(configure, music, tmp_path, capsys):
    shutil.copytree(music / "bass", tmp_path / "own" / "Music")
    configure(
        "library: Music\ntable: t.parquet\ncheckpoint: emotify-cnn\n"
        "tag: {min-confidence: 0}\nplaylist: {min-confidence: 0, out: p.m3u8}\n"
    )
    for words in (["scan"], ["tag"], ["playlist"], ["correct", "--list"]):
        assert main(words) == 0, capsys.readouterr().err
    song = tmp_path / "own" / "Music" / "bass-0.wav"
    assert main(["recommend", "--like", str(song)]) == 0
    assert len((tmp_path / "own" / "p.m3u8").read_text().splitlines()) > 8
    assert main(["correct", str(song), "blues"]) == 0
