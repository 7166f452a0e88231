"""Hooks of mkdocs: formulas as MathML, which browsers draw by themselves, without any script.

Pages hold formulas as GitHub draws them: ``$...$`` within a line, and code blocks of the language
``math``. What latex2mathml does not know it copies, or leaves out without a word; that, too, is an
error here.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from xml.etree import ElementTree

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from pymdownx.arithmatex import arithmatex_fenced_format

PARTS = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3}
"""Children that elements must have."""

ROWS = ("math", "mrow", "mstyle", "mtd")
"""Elements whose children stand in a line."""

THIN, NO_SPACE = "0.167em", {"lspace": "0", "rspace": "0"}
"""Space beside the name of a function, and of fences, as TeX has it."""

FENCES = ("/", "|", "\N{DOUBLE VERTICAL LINE}")
"""Operators that a browser would set apart or stretch, as it cannot tell on which side they are."""

_BLOCK = re.compile(r"^```math\n.*?^```$", re.M | re.S)
# With what follows a formula in a line, which must not begin the next one.
_FORMULA = re.compile(r'(<(span|div) class="arithmatex">)\\[(\[](.*?)\\[)\]]</\2>([.,;:)]*)', re.S)
_XMLNS = "http://www.w3.org/1998/Math/MathML"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let code blocks of the language ``math`` be formulas; the format is an object of Python."""
    block = {"name": "math", "class": "arithmatex", "format": arithmatex_fenced_format(tag="div")}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [block]}
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Set blocks apart, which Python-Markdown would take into the paragraph before them."""
    return _BLOCK.sub(r"\n\g<0>\n", markdown)


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Convert the formulas of a page.

    Raises
    ------
    PluginError
        A formula that cannot be converted.
    """

    def converted(found: re.Match[str]) -> str:
        formula = html.unescape(found[3]).strip()
        try:
            return f"{found[1]}{mathml(formula, block=found[2] == 'div')}{found[4]}</{found[2]}>"
        except ValueError as error:
            told = f"{page.file.src_uri}: a formula cannot be converted: {error}\n    {formula}"
            raise PluginError(told) from error

    return _FORMULA.sub(converted, content)


def mathml(formula: str, *, block: bool) -> str:
    r"""Return a formula in LaTeX as MathML.

    Raises
    ------
    ValueError
        It cannot be converted.

    Examples
    --------
    >>> print(mathml(r"\log x", block=False).partition(">")[2])
    <mrow><mi>log</mi><mspace width="0.167em" /><mi>x</mi></mrow></math>
    """
    try:
        text = convert(formula, display="block" if block else "inline")
        tree = ElementTree.fromstring(text.replace(f' xmlns="{_XMLNS}"', ""))
    except Exception as error:  # its own have no base and no text; '&' is left as it is
        raise ValueError(f"{type(error).__name__} {error}".strip()) from error
    if unknown := [text for text in tree.itertext() if "\\" in text]:
        raise ValueError(f"unknown: {' '.join(unknown)}")
    for element in tree.iter():
        if len(element) != PARTS.get(element.tag, len(element)):
            raise ValueError(f"{len(element)} parts of <{element.tag}>")
        text = element.text or ""
        if element.tag == "mi" and not text.isalpha():  # such as the sign of plus and minus
            element.tag = "mo"
        if element.tag == "mo" and text in FENCES and "stretchy" not in element.attrib:
            element.attrib |= {"stretchy": "false", **NO_SPACE}
        if element.tag in ROWS:
            _set_names_apart(element)
    tree.set("xmlns", _XMLNS)
    return ElementTree.tostring(tree, "unicode")


def _set_names_apart(row: ElementTree.Element) -> None:
    """Put the space beside names of functions that TeX puts there."""
    for place, (left, right) in reversed([*enumerate(pairwise(row), 1)]):
        named = _is_name(left) or _is_name(right)
        ends = left.tag == "mo" and left.text not in (*")]}|",) and not _is_name(left)
        begins = right.tag == "mo" and not _is_name(right)
        if named and not (ends or begins or "mspace" in (left.tag, right.tag)):
            row.insert(place, ElementTree.Element("mspace", width=THIN))


def _is_name(element: ElementTree.Element) -> bool:
    """Return whether an element is the name of a function, or one with an index or a power."""
    if element.tag in PARTS and element.tag != "mfrac" and len(element):
        return _is_name(element[0])
    text = element.text or ""
    found = element.tag in ("mi", "mo") and len(text) > 1 and text.isalpha()
    if found and element.tag == "mo":
        element.attrib |= NO_SPACE
    return found
