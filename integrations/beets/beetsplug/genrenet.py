"""Genres by the sound of songs, on import and with ``beet genrenet``."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from beets import config, plugins, ui
from beets.dbcore import types
from beets.library import Item
from beets.util import syspath

if TYPE_CHECKING:
    from genrenet.inference.result import SongResult

DEFAULTS = {
    "auto": True,
    "count": 1,
    "taxonomy": "beets",
    "min_confidence": 0.5,
    "existing": "refine",
    "canonical": False,
    "whitelist": False,
    "title_case": True,
    "model": "",
    "device": "",
    "offline": False,
}
UserError: type[Exception] = ui.UserError  # type: ignore[attr-defined]
LISTS = "genres" in Item._fields
"""Whether this beets has several genres; older ones have one text."""


class GenrenetPlugin(plugins.BeetsPlugin):
    """beets' side of it: settings, the import, the command."""

    item_types = {"genrenet_confidence": types.FLOAT}  # noqa: RUF012 - beets' own form

    def __init__(self) -> None:
        super().__init__()
        self.config.add(DEFAULTS)
        self._named: set[int] = set()
        self._scorer: Scorer | None = None
        if self.config["auto"]:
            self.import_stages = [self.imported]
            self.register_listener("import_task_files", self.written)

    @property
    def scorer(self) -> Scorer:
        """The model, opened when it is first needed and kept."""
        if self._scorer is None:
            self._scorer = Scorer(self.config)
        return self._scorer

    def imported(self, session: Any, task: Any) -> None:
        """Set the genres of what is imported; its files may still have to move."""
        items = list(task.imported_items())
        changed = self.name_genres(items)
        self._named |= {item.id for item in changed}
        if task.is_album and changed:
            self._name_album(task.album, items)

    def written(self, session: Any, task: Any) -> None:
        """Write the genres of songs that were imported as they are, which beets does not."""
        named = [item for item in task.imported_items() if item.id in self._named]
        self._named -= {item.id for item in named}
        if config["import"]["write"].get(bool) and not task.apply:
            for item in named:
                item.try_write()

    def commands(self) -> list[ui.Subcommand]:
        """Return the command ``beet genrenet``."""
        command = ui.Subcommand("genrenet", help="name the genres of songs by their sound")
        add = command.parser.add_option
        add("-f", "--force", action="store_true", help="replace the genres that songs have")
        add("-p", "--pretend", action="store_true", help="show what would change")
        add("-c", "--count", type="int", help="most genres of a song")
        add("-w", "--write", action="store_true", dest="write", help="write tags into files")
        add("-W", "--nowrite", action="store_false", dest="write", help="write the database only")
        command.func = self._run
        return [command]

    def _run(self, lib: Any, options: Any, arguments: Sequence[str]) -> None:
        if options.force:
            self.config["existing"] = "overwrite"
        if options.count:
            self.config["count"] = options.count
        write = ui.should_write(options.write) and not options.pretend
        albums = set()
        for item in self.name_genres(lib.items(arguments), options.pretend):
            ui.print_(f"{item}: {', '.join(genres_of(item)) or '(none)'}")
            albums.add(item.album_id)
            if write:
                item.try_write()
        for album in filter(None, map(lib.get_album, filter(None, albums))):
            if not options.pretend:
                self._name_album(album, list(album.items()))

    def name_genres(self, items: Iterable[Any], pretend: bool = False) -> list[Any]:
        """Set the genres of songs in the database; return those that have changed."""
        existing = self.config["existing"].as_choice(["keep", "refine", "overwrite"])
        by_path = {
            os.fsdecode(syspath(item.path)): item
            for item in items
            if not _stays(genres_of(item), existing)
        }
        changed = []
        for result in self.scorer.score(by_path) if by_path else ():
            item = by_path[result.path]
            if result.error:
                self._log.warning("{}", result.error)
            genres = self.scorer.genres(result)
            if not genres or genres == genres_of(item):
                continue
            set_genres(item, genres)
            item["genrenet_confidence"] = round(result.confidence, 4)
            if not pretend:
                item.store()
            changed.append(item)
        return changed

    def _name_album(self, album: Any, items: Sequence[Any]) -> None:
        """Give an album the genres that most of its songs have, in the order of their number."""
        counts = Counter(genre for item in items for genre in genres_of(item))
        most = [genre for genre, _ in counts.most_common(self.config["count"].get(int))]
        if most and most != genres_of(album):
            set_genres(album, most)
            album.store(inherit=False)


class Scorer:
    """A model, and what its answers are called.

    Parameters
    ----------
    settings : confuse.ConfigView
    """

    def __init__(self, settings: Any) -> None:
        if settings["offline"].get(bool):
            os.environ["GENRENET_OFFLINE"] = "1"
        from genrenet.inference.classify import open_method
        from genrenet.inference.taxonomy import taxonomy
        from genrenet.models.checkpoints import default_checkpoint
        from genrenet.utils.errors import GenrenetError

        self.settings = settings
        try:
            name = settings["model"].get(str) or default_checkpoint()
            self.model = open_method(name, settings["device"].get(str) or None)
            self.taxonomy = taxonomy(settings["taxonomy"].as_str())
        except GenrenetError as error:
            raise UserError(f"genrenet: {error}") from error
        self.tree = Tree(settings)

    def score(self, paths: Iterable[str]) -> Iterator[SongResult]:
        """Score songs; those that cannot be read have an error."""
        from genrenet.inference.classify import score_songs

        return iter(score_songs(paths, self.model, taxonomy=self.taxonomy, ordered=False))

    def genres(self, result: SongResult) -> list[str]:
        """Return the genres that a result gives a song, none where it is not sure enough."""
        if not result.genres or result.confidence < self.settings["min_confidence"].get(float):
            return []
        # With a tree the names in it are followed upwards, the narrowest first.
        names = [*(result.subgenres if self.tree.branches else ()), *result.genres]
        return self.tree.names(names)[: self.settings["count"].get(int)]


class Tree:
    """Names as a tree of genres and a list of them have it, such as lastgenre's.

    Parameters
    ----------
    settings : confuse.ConfigView
    """

    def __init__(self, settings: Any) -> None:
        self.branches = _branches(_file(settings["canonical"].get(), "genres-tree.yaml"))
        self.whitelist = _names(_file(settings["whitelist"].get(), "genres.txt"))
        self.title_case = settings["title_case"].get(bool)

    def names(self, genres: Sequence[str]) -> list[str]:
        """Return genres followed up the tree and kept to the list, each once."""
        found = [up for genre in genres for up in self._upwards(genre)]
        if self.whitelist:
            found = [name for name in found if name.lower() in self.whitelist]
        return list(dict.fromkeys(_capitals(name) if self.title_case else name for name in found))

    def _upwards(self, genre: str) -> list[str]:
        for branch in self.branches:
            if genre.lower() in branch:
                up = branch[branch.index(genre.lower()) :: -1]
                return up if self.whitelist else up[-1:]
        return [genre]


def genres_of(thing: Any) -> list[str]:
    """Return the genres of a song or an album, in this and in older versions of beets."""
    if LISTS:
        return list(thing.get("genres") or ())
    return [one.strip() for one in (thing.get("genre") or "").split(_separator()) if one.strip()]


def set_genres(thing: Any, genres: Sequence[str]) -> None:
    """Set the genres of a song or an album."""
    if LISTS:
        thing["genres"] = list(genres)
    else:
        thing["genre"] = _separator().join(genres)


def _separator() -> str:
    """Return what stands between genres in one text: lastgenre's setting, or its default."""
    found = config["lastgenre"]["separator"]
    return found.as_str() if found.exists() else ", "


def _stays(genres: Sequence[str], existing: str) -> bool:
    """Return whether a song keeps the genres that it has: those that are more than a place-holder,
    unless all are replaced.
    """
    from genrenet.data.catalog.tags import first_genre

    if existing == "refine":
        return bool(first_genre(genres))
    return bool(genres) and existing == "keep"


def _file(setting: Any, name: str) -> str | None:
    """Return the path of a tree or list: lastgenre's own where the setting is yes."""
    if setting is True:
        # Found without being imported: it needs a package for Last.fm.
        spec = find_spec("beetsplug.lastgenre")
        for folder in (spec and spec.submodule_search_locations) or ():
            return os.path.join(folder, name)
        raise UserError(f"genrenet: no lastgenre here to take '{name}' from; name a file")
    return os.path.expanduser(str(setting)) if setting else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"genrenet: cannot read '{path}': {error}") from error


def _names(path: str | None) -> set[str]:
    lines = _read(path).splitlines() if path else ()
    return {line.strip().lower() for line in lines if line.strip() and line[0] != "#"}


def _branches(path: str | None) -> list[list[str]]:
    """Return the paths of a tree, from the top to each leaf, in lower case."""

    def flat(part: Any, above: list[str]) -> Iterator[list[str]]:
        if isinstance(part, dict):
            for name, below in part.items():
                yield from flat(below, [*above, str(name).lower()])
        elif isinstance(part, list):
            for one in part:
                yield from flat(one, above)
        else:
            yield [*above, str(part).lower()]

    try:
        return list(flat(yaml.safe_load(_read(path)), [])) if path else []
    except yaml.YAMLError as error:
        raise UserError(f"genrenet: '{path}' is no tree of genres: {error}") from error


def _capitals(name: str) -> str:
    """Return a genre with capitals, but for the "s" of "children's music"."""
    return re.sub(r"(?<![\w'\u2019])\w", lambda found: found[0].upper(), name)
