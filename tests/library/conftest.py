"""A library that may be changed, and its scans."""

import shutil
from pathlib import Path

import pytest

from genrenet.inference.classify import open_method
from genrenet.library.scanning import identity_of, scan
from genrenet.library.table import read_table


@pytest.fixture
def library(music, tmp_path):
    """A copy of the songs that may be changed."""
    return Path(shutil.copytree(music, tmp_path / "library"))


@pytest.fixture(scope="module")
def model(checkpoint):
    return open_method(checkpoint)


@pytest.fixture
def scanned(library, model, checkpoint, tmp_path):
    """Scan the library into a table, and give counts and the table."""

    def run(name="genres.parquet", *libraries, **options):
        out = tmp_path / name
        counts = scan(libraries or [library], out, model, identity_of(checkpoint), **options)
        return counts, read_table(out)

    return run
