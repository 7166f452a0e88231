"""Optional packages: the extras of ``setup.cfg``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from genrenet.utils.errors import GenrenetError

_TRAIN = [
    "pytorch_lightning",
    "lightning_fabric",
    "torchmetrics",
    "torchaudio",
    "jsonargparse",
    "tensorboard",
    "matplotlib",
    "jinja2",
    "markupsafe",
    "h5py",
]
_RESEARCH = [
    "transformers",
    "huggingface_hub",
    "onnxruntime",
    "mirdata",
    "optuna",
    "distributed",
]
EXTRAS = {
    "train": _TRAIN,
    "web": ["flask", "werkzeug", "waitress", "watchdog", "rapidfuzz", "usearch"],
    "recommend": ["implicit", "usearch", "matplotlib", "jinja2"],
    "export": ["onnx", "onnxscript", "onnxruntime"],
    "cloud": [*_TRAIN, "litdata"],
    "research": [*_TRAIN, *_RESEARCH],
    "faiss": ["faiss"],
}
"""Packages that each extra installs in addition to those for classification, by import name."""


class MissingPackageError(GenrenetError, ImportError):
    """A package is not installed; the message names the extra that installs it."""


def extra_of(module: str, preferred: str = "") -> str:
    """Return an extra that installs a package; '' if there is none.

    Parameters
    ----------
    module : str
        Its import name.
    preferred : str
        The extra to return if it is among those that install the package.

    Examples
    --------
    >>> extra_of("flask.json"), extra_of("matplotlib", "recommend"), extra_of("numpy")
    ('web', 'recommend', '')
    """
    root = module.partition(".")[0]
    extras = [extra for extra, modules in EXTRAS.items() if root in modules]
    return preferred if preferred in extras else next(iter(extras), "")


@contextmanager
def needed_by(
    what: str, error: type[GenrenetError] = MissingPackageError, *, preferred: str = ""
) -> Iterator[None]:
    """Context that names the extra if a package imported in it is not installed.

    Parameters
    ----------
    what : str
        What needs the package; the message begins with it.
    error : type of GenrenetError
        Class of the error.
    preferred : str
        The extra to name if it is among those that install the package.

    Raises
    ------
    GenrenetError
        Of the given class; it names the package and the command that installs it.

    Examples
    --------
    >>> with needed_by("the page"):
    ...     raise ModuleNotFoundError("No module named 'flask'", name="flask")
    Traceback (most recent call last):
        ...
    genrenet.utils.extras.MissingPackageError: the page needs the package flask: found \
No module named 'flask'; run: pip install 'genrenet[web]'
    """
    try:
        yield
    except ModuleNotFoundError as why:
        package = (why.name or "").partition(".")[0]
        if not (extra := extra_of(package, preferred)):
            raise
        raise error(
            f"{what} needs the package {package}",
            found=str(why),
            remedy=f"run: pip install 'genrenet[{extra}]'",
        ) from why


def import_extra(
    module: str,
    what: str,
    *,
    error: type[GenrenetError] = MissingPackageError,
    preferred: str = "",
) -> Any:
    """Import a package that an extra installs.

    Parameters
    ----------
    module : str
        Its import name.
    what : str
        What needs it; the message begins with it.
    error : type of GenrenetError
        Raised if the package is not installed.
    preferred : str
        The extra to name if it is among those that install the package.

    Returns
    -------
    module

    Raises
    ------
    GenrenetError
        Of the given class; see `needed_by`.

    Examples
    --------
    >>> import_extra("optuna.samplers", "this example").__name__
    'optuna.samplers'
    """
    with needed_by(what, error, preferred=preferred), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        return import_module(module)
