"""CONTRIBUTING.md names existing packages, hooks, examples and commands."""

import re
from pathlib import Path

from genrenet.hookspecs import Hooks
from tests.helpers.plugin_packages import examples

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def rows(title):
    """Return the cells of the table below a heading."""
    part = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", part, re.MULTILINE)
    return [re.split(r" ?\| ?", line) for line in lines[2:]]


def test_links_and_places_are_there():
    found = re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT)
    found += re.findall(r"`((?:genrenet|plugins|integrations|examples|tests)/[\w./]*)`", TEXT)
    assert len(found) > 40
    for name in found:
        assert (ROOT / name).exists(), name


def test_every_package_has_a_row_and_every_example_is_named():
    named = " ".join(row[1] for row in rows("Where does a line belong?"))
    packages = {path.parent.name for path in (ROOT / "genrenet").glob("*/__init__.py")}
    assert {*re.findall(r"`genrenet/(\w+)/`", named)} == packages - {"plugins"}
    linked = {name for row in rows("Where does a line belong?") for name in row[2:]}
    assert {*re.findall(r"`examples/(\w+)/", " ".join(linked))} == {*examples()}


def test_every_kind_of_thing_has_an_example_with_its_hook():
    found = {}
    for _, link, hook in rows("Adding things"):
        (name,) = re.findall(r"^\[`examples/(\w+)/`\]", link)
        found[name] = hook.strip("` |")
    assert {*found} == {*examples()}
    for name, hook in found.items():
        code = "".join(file.read_text("utf-8") for file in examples()[name].glob("*.py"))
        assert f"@hookimpl\ndef {hook}(" in code
    hooks = {name for name in vars(Hooks) if name.startswith("register_")}
    others = {name for name in hooks - {*found.values()} if f"`{name}`" in TEXT}
    assert hooks == {*found.values()} | others


def test_commands_name_what_is_there():
    (commands,) = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    for name in re.findall(r"[\w/]+\.(?:py|sh)\b", commands):
        assert (ROOT / name).is_file(), name
    assert "def test_patterns" in (ROOT / "tests/library/test_tag_rules.py").read_text("utf-8")
