"""HTML pages of reports: Jinja templates filled with results, without external resources.

A page adapts to any screen size, and to light and dark mode. Jinja escapes the values of templates;
only markup made by this package, drawings as SVG, is marked as safe.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from genrenet.evaluation.report.ranking import number, span
from genrenet.utils.errors import GenrenetError, printable


class ReportError(GenrenetError):
    """A report that cannot be written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert write failures to errors that name the remedy."""
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"cannot write '{printable(path)}'",
            found=error.strerror or str(error),
            remedy="choose a writable folder",
        ) from error


def page(template: str, package: str = __package__, **values: Any) -> str:
    """Render a page.

    Parameters
    ----------
    template : str
        Name of a file in the folder ``templates`` of ``package``; it may extend ``base.html`` and
        import ``macros.html`` of this package.
    package : str
    **values
        Values of the template's variables.
    """
    return _templates(package).get_template(template).render(values)


def drawings(svg: Mapping[str, str]) -> dict[str, Markup]:
    """Return an SVG drawing of this package as markup, which templates insert unescaped."""
    return {name: Markup(text) for name, text in svg.items()}


def percent(share: float) -> str:
    """Return a share as text, such as ``68.3 %``."""
    return f"{100 * share:.1f} %"


def percents(interval: Sequence[float] | None) -> str:
    """Return an interval of shares as text, such as ``62.8 to 73.3 %``; empty if there is none."""
    return "" if interval is None else f"{span([100 * end for end in interval], 1)} %"


def p_value(value: float) -> str:
    """Return a p-value as text."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


@functools.cache
def _templates(package: str) -> Environment:
    found = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(__package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "percent": percent,
        "percents": percents,
        "p": p_value,
        "span": span,
        "number": number,
    }
    return found


def _shown(value: object) -> object:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def plain(value: str) -> str:
    """Return text without control characters and lone surrogates, which are invalid in HTML."""
    text = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in text)
