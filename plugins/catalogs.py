"""The built-in formats of collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.data.catalog import Reader


@hookimpl
def register_catalogs(register: Callable[[Reader], None]) -> None:
    """Add the built-in formats, the specific ones first."""
    from genrenet.data.catalog.fma import FMA
    from genrenet.data.catalog.folders import FOLDER, GTZAN
    from genrenet.data.catalog.mirdata import MIRDATA
    from genrenet.data.catalog.tables import CSV, PARQUET

    for reader in (MIRDATA, FMA, CSV, PARQUET, GTZAN, FOLDER):
        register(reader)
