"""The built-in plugins, registered through the entry-point group for third-party packages."""
