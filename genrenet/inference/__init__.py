"""From files to genres."""
