"""Packages that only some installations have: the extras of ``setup.cfg``."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from genrenet.utils.errors import GenrenetError


def import_extra(
    module: str, what: str, *, extra: str = "research", error: type[GenrenetError] = GenrenetError
) -> Any:
    """Import a package that an extra installs.

    Parameters
    ----------
    module : str
        As it is imported.
    what : str
        What needs it; the error begins with it.
    extra : str
        The one that installs the package.
    error : type of GenrenetError
        Raised where the package cannot be imported.

    Returns
    -------
    module

    Raises
    ------
    GenrenetError
        Of the given type; it names the package and the command that installs it.

    Examples
    --------
    >>> import_extra("numpy", "this example").__name__
    'numpy'
    >>> import_extra("no_such_package", "this example")
    Traceback (most recent call last):
        ...
    genrenet.utils.errors.GenrenetError: this example needs the package no_such_package: found \
No module named 'no_such_package'; run: pip install 'genrenet[research]'
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it imports
            return import_module(module)
    except ImportError as why:
        raise error(
            f"{what} needs the package {module}",
            found=str(why),
            remedy=f"run: pip install 'genrenet[{extra}]'",
        ) from why
