"""Hooks of mkdocs: pages and files of the site that lie outside of ``docs/``, and links to them.

The pages link to each other as they lie in the repository, so that they can be read there too; for
the site the links are written anew.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "integrations/beets/README.md": "beets.md",
    "integrations/picard/README.md": "picard.md",
}
"""Pages outside of ``docs/``, and what they are called in the site."""

FILES = {
    "integrations/systemd/genrenet-watch.service": "files/genrenet-watch.service",
    "integrations/docker/compose.yaml": "files/compose.yaml",
    "LICENSE": "files/LICENSE.txt",
}
"""Files that pages link to, and where they are in the site."""

STAND_INS = {"README.md": "index.md", "ARCHITECTURE.md": "design.md"}
"""Pages of the repository that another page of the site stands in for."""

_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside of ``docs/``."""
    for source, target in {**PAGES, **FILES}.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files of the repository to their places in the site."""
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

    return _LINK.sub(moved, markdown)
