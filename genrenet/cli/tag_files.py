"""What users say to ``genrenet tag`` in files: names for genres, and rules for folders."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrenet.utils.errors import GenrenetError, printable
from genrenet.utils.suggest import nearest

if TYPE_CHECKING:
    from genrenet.library.tag_rules import Rules


class TagError(GenrenetError):
    """A request to tag that cannot be carried out."""


def read_rules(file: Path) -> Rules:
    """Read the rules for folders; see `genrenet.library.tag_rules.Rules`.

    Raises
    ------
    TagError
        The file cannot be read, or is no YAML.
    RuleError
        A rule cannot be understood.
    """
    import yaml

    from genrenet.library.tag_rules import RuleError, Rules

    found: Any = None
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise TagError(f"cannot read the rules '{printable(file)}'", found=said) from error
    try:
        return Rules(found["rules"] if isinstance(found, dict) and "rules" in found else found)
    except RuleError as error:
        raise TagError(f"the rules '{printable(file)}': {error}") from error


def overwrites(file: Path) -> bool:
    """Return whether rules have genres replaced that files have; False where they are unreadable,
    which `read_rules` tells of.
    """
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    rules = found.get("rules") if isinstance(found, dict) else found
    return isinstance(rules, list) and any(
        isinstance(rule, dict) and rule.get("existing") == "overwrite" for rule in rules
    )


def read_map(file: Path, labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what to write for each genre that a map names."""
    try:
        read = _read_yaml if file.suffix.lower() in {".yaml", ".yml"} else _read_csv
        found = read(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TagError(f"cannot read the map '{printable(file)}'", found=str(error)) from error
    if unknown := [genre for genre in found if genre not in labels]:
        raise TagError(
            f"the map '{printable(file)}' names genres that the table's model does not know",
            found=", ".join(f"'{genre}'{_near(genre, labels)}" for genre in unknown),
            wanted="one of " + ", ".join(labels),
        )
    return {
        genre: tuple(filter(None, (name.strip() for name in tag.split(";"))))
        for genre, tag in found.items()
    }


def _near(genre: str, labels: Sequence[str]) -> str:
    near = " and ".join(nearest(genre, labels))
    return f" (near {near})" if near else ""


def _read_csv(file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with open(file, encoding="utf-8-sig", newline="") as held:
        rows = csv.DictReader(held)
        if {"genre", "tag"} - {*(rows.fieldnames or ())}:
            header = ",".join(rows.fieldnames or ())
            raise TagError(
                f"the map '{printable(file)}'",
                found=f"the header '{header}'",
                wanted="the header 'genre,tag'",
            )
        for row in rows:
            genre = (row["genre"] or "").strip()
            if genre in found:
                raise TagError(f"the map '{printable(file)}' names '{genre}' twice")
            found[genre] = row["tag"] or ""
    return found


def _read_yaml(file: Path) -> Mapping[str, str]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        found = str(error)
    if not isinstance(found, dict):
        raise TagError(
            f"the map '{printable(file)}'", found=str(found), wanted="a YAML mapping: 'rock: Rock'"
        )
    return {
        str(genre): ";".join(map(str, tag)) if isinstance(tag, list) else str(tag or "")
        for genre, tag in found.items()
    }
