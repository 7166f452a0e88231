"""Non-Python files are installed too: templates, configurations, tables."""

import configparser
import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_file_of_the_package_is_installed():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = {
        package: [pattern.strip() for pattern in text.split(",")]
        for package, text in parser["options.package_data"].items()
    }
    found = [
        path
        for path in sorted((ROOT / "genrenet").rglob("*"))
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    ]
    assert len(found) > 10
    for path in found:
        installed = [
            fnmatch.fnmatch(path.relative_to(folder).as_posix(), pattern)
            for package, texts in patterns.items()
            if (folder := ROOT.joinpath(*package.split("."))) in path.parents
            for pattern in texts
        ]
        assert any(installed), f"{path} is in no line of package_data"
