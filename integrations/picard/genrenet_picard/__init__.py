"""Picard plugin: genres of files by their sound, asked of a running ``genrenet serve``.

Picard 2 reads the names below and runs this module; Picard 3 reads MANIFEST.toml and calls
`enable`. Without Picard only `client` and `naming` can be used.
"""

from __future__ import annotations

from typing import Any

PLUGIN_NAME = "genrenet"
PLUGIN_AUTHOR = "The genrenet maintainers"
PLUGIN_DESCRIPTION = (
    "Names the genres of files by their sound: right-click them, Plugins, Genres by genrenet. "
    "It asks a running 'genrenet serve', on this machine or another one."
)
PLUGIN_VERSION = "0.1.0"
PLUGIN_API_VERSIONS = ["2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13"]
PLUGIN_LICENSE = "MIT"
PLUGIN_LICENSE_URL = "https://opensource.org/license/mit"


def enable(api: Any) -> None:
    """Begin, as Picard 3 asks for it."""
    from . import picard3

    picard3.enable(api)


def _is_picard2() -> bool:
    try:
        from picard import version_to_string  # noqa: F401 - Picard's, in whichever version
        from picard.ui.itemviews import register_file_action  # noqa: F401 - only Picard 2 has it
    except ImportError:
        return False
    return True


if _is_picard2():
    from . import picard2  # noqa: F401 - it registers itself
