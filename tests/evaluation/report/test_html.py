"""Pages from templates: escaping, and files that cannot be written."""

import sys
import uuid

import jinja2
import pytest

from genrenet.evaluation.report.html import (
    ReportError,
    drawings,
    p_value,
    page,
    percent,
    writing,
)


@pytest.fixture
def render(tmp_path, monkeypatch):
    """Renders text as the template of a package that was made for it."""
    package = f"templates_{uuid.uuid4().hex}"
    folder = tmp_path / package / "templates"
    folder.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def rendered(text, **values):
        (folder / "x.html").write_text(text)
        return page("x.html", package, **values)

    yield rendered
    sys.modules.pop(package, None)


def test_values_are_escaped_and_drawings_are_not(render):
    svg = drawings({"curve": "<svg></svg>"})
    found = render("{{ name }} {{ svg.curve }}", name="<b>R&B</b>", svg=svg)
    assert found == "&lt;b&gt;R&amp;B&lt;/b&gt; <svg></svg>"


def test_names_that_no_page_can_hold(render):
    found = render("{{ name }}", name="a\x1bb\u202ec\udce9 ü")
    assert found == r"a b c\udce9 ü"
    found.encode("utf-8")


def test_a_value_that_is_missing_is_an_error(render):
    with pytest.raises(jinja2.UndefinedError, match="gone"):
        render("{{ gone }}")


def test_templates_of_other_packages_may_use_our_own(render):
    found = render("{% include 'report.css' %}{{ 0.6831|percent }} {{ 0.0001|p }} {{ none|span }}")
    assert page("report.css") in found
    assert found.endswith("68.3 % &lt; 0.001 ")


def test_shares_and_p_values():
    assert (percent(0), percent(0.12345), percent(1)) == ("0.0 %", "12.3 %", "100.0 %")
    assert (p_value(0.00099), p_value(0.001), p_value(1)) == ("< 0.001", "0.001", "1.000")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "gone" / "a\x1b.html"
    with pytest.raises(ReportError, match="No such file") as caught, writing(path):
        path.write_text("x")
    assert r"a\x1b.html" in str(caught.value)
    assert caught.value.remedy
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with pytest.raises(ZeroDivisionError), writing(path):
        _ = 1 / 0
