"""The plugin in Picard 3."""

from __future__ import annotations

from typing import Any

from picard.plugin3.api import BaseAction, OptionsPage
from picard.util import thread
from PyQt6 import QtWidgets

from .naming import OPTIONS, TITLE as ENTRY, name_files, settings_from
from .options_form import OptionsForm


class GenresAction(BaseAction):  # type: ignore[misc]
    """The entry of the context menu."""

    TITLE = ENTRY

    def callback(self, objs: Any) -> None:
        """Name the genres of what is selected."""
        api = self.api
        files = api.tagger.get_files_from_objects(objs)
        settings = settings_from(api.plugin_config.__getitem__)
        name_files(files, settings, thread.run_task, api.logger.error)


class GenrenetOptions(OptionsPage):  # type: ignore[misc]
    """The page of options."""

    NAME = TITLE = "genrenet"

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.form = OptionsForm(QtWidgets, self)

    def load(self) -> None:
        """Show what is set."""
        self.form.show(self.api.plugin_config.__getitem__)

    def save(self) -> None:
        """Set what is shown."""
        for name, value in self.form.values().items():
            self.api.plugin_config[name] = value


def enable(api: Any) -> None:
    """Register the options, their page, and the entries of the context menus."""
    for name, _, default in OPTIONS:
        api.plugin_config.register_option(name, default)
    api.register_options_page(GenrenetOptions)
    for register in (
        api.register_file_action,
        api.register_track_action,
        api.register_album_action,
        api.register_cluster_action,
    ):
        register(GenresAction)
