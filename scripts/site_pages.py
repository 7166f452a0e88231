"""Hooks of mkdocs: pages and files of the site that lie outside of ``docs/``, links, and commands.

The pages link to each other as they lie in the repository, so that they can be read there too; for
the site the links are written anew. Comments behind commands go above them where both together are
wider than a page of the site.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

EXAMPLES = {
    f"examples/{path.parent.name}/README.md": f"examples/{path.parent.name}.md"
    for path in sorted((ROOT / "examples").glob("*/README.md"))
    if path.parent.name != "notebooks"
}
"""Pages of the example plugins, which show their files too."""

PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "examples/notebooks/README.md": "notebooks.md",
    **EXAMPLES,
    "integrations/beets/README.md": "beets.md",
    "integrations/picard/README.md": "picard.md",
}
"""Pages outside of ``docs/``, and what they are called in the site."""

FILES = {
    "integrations/systemd/genrenet-watch.service": "files/genrenet-watch.service",
    "integrations/docker/compose.yaml": "files/compose.yaml",
    "LICENSE": "files/LICENSE.txt",
    **{
        f"examples/notebooks/{path.name}": f"files/{path.name}"
        for path in sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
    },
}
"""Files that pages link to, and where they are in the site."""

STAND_INS = {"README.md": "index.md", "ARCHITECTURE.md": "design.md"}
"""Pages of the repository that another page of the site stands in for."""

WIDTH = 84
"""Characters of a line of code that fit into a page of the site."""

_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
_COMMANDS = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.M | re.S)
_COMMENT = re.compile(r"(\S.*?) +(# .*)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside of ``docs/``."""
    for source, target in {**PAGES, **FILES}.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to their places in the site, and make room for comments behind commands."""
    places = {**PAGES, **FILES, **STAND_INS}
    sources = {target: source for source, target in PAGES.items()}
    uri = page.file.src_uri
    folder = posixpath.dirname(sources.get(uri, f"docs/{uri}"))

    def moved(link: re.Match[str]) -> str:
        wanted = posixpath.normpath(posixpath.join(folder, link[1]))
        target = places.get(wanted) or wanted.removeprefix("docs/")
        if target == wanted:  # in neither: mkdocs says so
            return link[0]
        return "](" + posixpath.relpath(target, posixpath.dirname(uri) or os.curdir)

    text = _COMMANDS.sub(_narrow, _LINK.sub(moved, markdown))
    if uri in EXAMPLES.values():
        text = "\n".join([text, *_listings(ROOT / folder)])
    return text


def _listings(folder: Path) -> Iterator[str]:
    """Yield each file of an example as a block of code, under its name."""
    for path in sorted(folder.iterdir()):
        language = {".py": "python", ".toml": "toml"}.get(path.suffix)
        if language:
            code = path.read_text("utf-8").rstrip()
            yield f"## {path.name}\n\n```{language}\n{code}\n```\n"


def _narrow(block: re.Match[str]) -> str:
    """Return a block of commands with each comment above its command, if any line is too wide."""
    lines = block[1].splitlines()
    if all(len(line) <= WIDTH for line in lines):
        return block[0]
    parts = [(line, _COMMENT.fullmatch(line)) for line in lines]
    made = [f"{found[2]}\n{found[1]}" if found else line for line, found in parts]
    return "\n".join([block[0].partition("\n")[0], *made, "```"])
