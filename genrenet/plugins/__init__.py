"""Plugins: how other packages, and the built-in methods, are found and registered."""
