"""The documentation's site: it builds without a warning, its links hold, and it loads nothing from
another host."""

import inspect
import re
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from genrenet.cli.commands import COMMANDS
from genrenet.cli.parsers import parsers

ROOT = Path(__file__).parents[2]
API = (
    "genrenet",
    "genrenet.audio",
    "genrenet.baselines",
    "genrenet.data.catalog",
    "genrenet.data.splits",
    "genrenet.features",
    "genrenet.models.checkpoints",
    "genrenet.playlists",
    "genrenet.recommend",
)
"""Packages whose public classes and functions are all on a page."""


ASIDE = ("code", "pre", "script", "style", "title")
"""Elements whose text is no prose."""


class Found(HTMLParser):
    """Anchors of a page, its links, what it loads, and its text."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded, self.text = set(), [], [], []
        self.prose, self.aside = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(given.get("href") or "")
        self.loaded += [given[key] for key in ("src", "srcset", "data", "poster") if given.get(key)]
        self.loaded += re.findall(r"url\(([^)]*)\)", given.get("style") or "")

        self.aside += tag in ASIDE

    def handle_endtag(self, tag):
        self.aside -= tag in ASIDE

    def handle_data(self, data):
        self.text.append(data)
        if not self.aside:
            self.prose.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built folder, and what is in each of its pages."""
    pytest.importorskip("mkdocs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        patch.chdir(ROOT)
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
        config.plugins.on_shutdown()
    return folder, {path: Found(path.read_text("utf-8")) for path in folder.rglob("*.html")}


def test_every_page_is_built(site):
    folder, pages = site
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    built = {path.relative_to(folder) for path in pages}
    assert {path.with_suffix(".html") for path in sources} <= built


def test_links_and_anchors_hold(site):
    folder, pages = site
    missing = []
    for page, found in pages.items():
        if page.name == "404.html":
            continue  # its links are absolute, as it stands for pages at any depth
        for link in found.links:
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = unquote(link).partition("#")
            target = (page.parent / file).resolve() if file else page
            target = target / "index.html" if target.is_dir() else target
            lost = not target.is_file() or not target.is_relative_to(folder.resolve())
            if lost or (anchor and target in pages and anchor not in pages[target].anchors):
                missing.append(f"{page.relative_to(folder)}: {link}")
    assert missing == []


def test_no_markup_is_left(site):
    _, pages = site
    for page, found in pages.items():
        prose = "".join(found.prose)
        left = re.findall(r"\]\([^)]*\)|^#+ .*|\*\*.*|```.*|^\s*- .*", prose, re.M)
        assert left == [], page.name


def formulas(text):
    """Formulas of a page in Markdown, in its order: blocks, and those within a line."""
    found = r"^```math\n(?P<block>.*?)^```$|^```.*?^```$|`[^`]+`|\$(?=\S)(?P<line>[^$\n]+)(?<=\S)\$"
    parts = [one["block"] or one["line"] for one in re.finditer(found, text, re.M | re.S)]
    return [part for part in parts if part]


def test_formulas_are_mathml(site):
    folder, pages = site
    for source in (ROOT / "docs").rglob("*.md"):
        page = folder / source.relative_to(ROOT / "docs").with_suffix(".html")
        built, wanted = page.read_text("utf-8"), formulas(source.read_text("utf-8"))
        assert built.count("<math ") == built.count("</math>") == len(wanted), source.name
        if wanted:
            assert not re.findall(r"\$|\\[(\[]", "".join(pages[page].prose)), source.name
            assert "\\" not in "".join(re.findall(r"<math .*?</math>", built, re.S)), source.name
    assert len(formulas((ROOT / "docs" / "methods.md").read_text("utf-8"))) > 100
    # A dollar sign that is none of a formula's.
    assert "$GENRENET_MIRDATA" in "".join(pages[folder / "protocols.html"].text)


@pytest.mark.parametrize(
    ("formula", "error"),
    [
        (r"\nosuch{x} + 1", r"unknown: \nosuch"),
        (r"\frac{a}", "1 parts of <mfrac>"),
        (r"\left( a", "ExtraLeftOrMissingRightError"),
        (r"\begin{aligned} a &= b \end{aligned}", "ParseError"),
    ],
)
def test_a_formula_that_cannot_be_converted_fails_the_build(tmp_path, caplog, formula, error):
    pytest.importorskip("mkdocs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort

    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    kept = {"site_name": "one page", "theme": {"name": None}, "plugins": []}
    kept["markdown_extensions"] = settings["markdown_extensions"]
    kept["hooks"] = [str(ROOT / "scripts" / "site_maths.py")]
    (tmp_path / "docs").mkdir()
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme" / "main.html").write_text("{{ page.content }}")
    kept["theme"]["custom_dir"] = str(tmp_path / "theme")
    (tmp_path / "docs" / "index.md").write_text(f"Here $x$ is, and ${formula}$.\n")
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(kept))
    with pytest.raises(Abort):
        build(load_config(str(tmp_path / "mkdocs.yml")))
    assert f"index.md: a formula cannot be converted: {error}" in caplog.text
    assert formula in caplog.text


def test_modules_of_the_methods_exist():
    text = (ROOT / "docs" / "methods.md").read_text("utf-8")
    modules = re.findall(r"`((?:genrenet|plugins|scripts)/[^`]*)`", text)
    assert [module for module in modules if not (ROOT / module).exists()] == []
    # Each section names its own.
    assert len(re.findall(r"^## ", text, re.M)) == text.count("*Code:*")


def test_nothing_is_loaded_from_another_host(site):
    folder, pages = site
    for page, found in pages.items():
        for link in found.loaded:
            assert not re.match(r"['\"]?([a-z]+:)?//", link), f"{page.name}: {link}"
    for sheet in folder.rglob("*.css"):
        text = sheet.read_text("utf-8")
        loaded = re.findall(r"url\(\s*['\"]?([^)'\"]*)", text) + re.findall(
            r"@import\s+(\S+)", text
        )
        assert not [one for one in loaded if re.match(r"([a-z]+:)?//", one)]
    # The theme would fetch a program for diagrams of this kind.
    assert not [page.name for page in pages if 'class="mermaid"' in page.read_text("utf-8")]


def test_every_command_has_a_section(site):
    folder, pages = site
    page = pages[(folder / "commands.html")]
    text = "".join(page.text)
    assert {*COMMANDS} <= page.anchors
    for command in COMMANDS:
        for words, parser in parsers(command).items():
            assert words.replace(" ", "-") in page.anchors
            for action in parser._actions:
                assert all(option in text for option in action.option_strings)


@pytest.mark.parametrize("package", API)
def test_public_names_are_documented(site, package):
    _, pages = site
    anchors = {anchor for found in pages.values() for anchor in found.anchors}
    module = import_module(package)
    names = getattr(module, "__all__", None) or [name for name in vars(module) if name[0] != "_"]
    public = [getattr(module, name) for name in names]
    wanted = [
        f"{one.__module__}.{one.__name__}"
        for one in public
        if (inspect.isfunction(one) or inspect.isclass(one))
        and one.__module__.startswith("genrenet.")
        and not (inspect.isclass(one) and issubclass(one, Exception))
    ]
    assert [name for name in wanted if name not in anchors] == []


def test_navigation_names_every_page_once():
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]

    def leaves(node):
        if isinstance(node, str):
            yield node
        for child in () if isinstance(node, str) else getattr(node, "values", lambda: node)():
            yield from leaves(child)

    named = [leaf for part in nav for leaf in leaves(part)]
    assert len(named) == len(set(named))
