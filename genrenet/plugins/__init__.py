"""Plugins: how third-party packages, and the built-in methods, are found and registered."""

from genrenet.utils.moved import names_of

# It was a module once.
__getattr__ = names_of(
    __name__,
    ["genrenet.plugins.manager"],
    ["Contribution", "contributions", "hookimpl", "hookspec", "plugin_packages", "problems"],
)
