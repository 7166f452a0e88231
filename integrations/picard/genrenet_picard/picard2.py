"""The plugin in Picard 2."""

from __future__ import annotations

from typing import Any

from picard import log
from picard.config import BoolOption, TextOption, get_config
from picard.ui.itemviews import (
    BaseAction,
    register_album_action,
    register_cluster_action,
    register_file_action,
    register_track_action,
)
from picard.ui.options import OptionsPage, register_options_page
from picard.util import thread
from PyQt5 import QtWidgets

from .naming import OPTIONS, TITLE, name_files, settings_from
from .options_form import OptionsForm

_PREFIX = "genrenet_"


def _read(name: str) -> Any:
    return get_config().setting[_PREFIX + name]


class GenresAction(BaseAction):  # type: ignore[misc]
    """The entry of the context menu."""

    NAME = TITLE

    def callback(self, objs: Any) -> None:
        """Name the genres of what is selected."""
        files = self.tagger.get_files_from_objects(objs)
        name_files(files, settings_from(_read), thread.run_task, log.error)


class GenrenetOptions(OptionsPage):  # type: ignore[misc]
    """The page of options."""

    NAME, TITLE, PARENT = "genrenet", "genrenet", "plugins"
    options = [  # noqa: RUF012 - Picard's own form
        (BoolOption if isinstance(default, bool) else TextOption)(
            "setting", _PREFIX + name, default
        )
        for name, _, default in OPTIONS
    ]

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.form = OptionsForm(QtWidgets, self)

    def load(self) -> None:
        """Show what is set."""
        self.form.show(_read)

    def save(self) -> None:
        """Set what is shown."""
        for name, value in self.form.values().items():
            get_config().setting[_PREFIX + name] = value


for register in (
    register_file_action,
    register_track_action,
    register_album_action,
    register_cluster_action,
):
    register(GenresAction())
register_options_page(GenrenetOptions)
