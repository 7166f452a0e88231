"""The form of the page of options, on either version of Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .naming import OPTIONS


class OptionsForm:
    """A row for each option: a line for texts, a box for what is on or off.

    Parameters
    ----------
    widgets : module
        ``QtWidgets`` of PyQt5 or PyQt6.
    page : QWidget
    """

    def __init__(self, widgets: Any, page: Any) -> None:
        layout = widgets.QFormLayout(page)
        self._fields: dict[str, Any] = {}
        for name, label, default in OPTIONS:
            on_or_off = isinstance(default, bool)
            self._fields[name] = widgets.QCheckBox(page) if on_or_off else widgets.QLineEdit(page)
            layout.addRow(label, self._fields[name])
        self._fields["token"].setEchoMode(widgets.QLineEdit.EchoMode.Password)

    def show(self, read: Callable[[str], Any]) -> None:
        """Show the options."""
        for name, _, default in OPTIONS:
            if isinstance(default, bool):
                self._fields[name].setChecked(bool(read(name)))
            else:
                self._fields[name].setText(str(read(name)))

    def values(self) -> dict[str, Any]:
        """Return what is shown."""
        return {
            name: field.isChecked() if isinstance(default, bool) else field.text()
            for (name, _, default), field in zip(OPTIONS, self._fields.values())  # noqa: B905 - 3.9
        }
