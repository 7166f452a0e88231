"""Reports in a browser: wide and narrow, light and dark; and their players."""

import pytest

from genrenet.recommend import recommenders
from genrenet.recommend.evaluation import judge
from genrenet.recommend.report import write_report
from genrenet.recommend.results import summarise
from tests.helpers.browser import faults
from tests.helpers.guessed_runs import guessed_run
from tests.helpers.listeners import tastes

pytestmark = pytest.mark.long

OPEN = "document.querySelectorAll('details').forEach((each) => { each.open = true })"
CUT = """[...document.querySelectorAll('.wide')]
  .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.innerText)"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    plays = tastes()
    found = judge(plays, [recommenders()[name] for name in ("popularity", "item-knn")], tell=str)
    results = summarise("plays", plays, found, 0.2, 1)
    recommended = write_report(folder / "recommend", results)
    return {"run": guessed_run(folder)[2], "recommend": recommended}


@pytest.mark.parametrize("name", ["run", "recommend"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_they_fit_the_screen_and_have_no_faults(name, width, scheme, browser, reports):
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(reports[name].as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width > 1000:
            assert page.evaluate(CUT) == []
        page.evaluate(OPEN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not faults(page)


def test_players_find_their_files(browser, reports):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(reports["run"].as_uri())
        page.evaluate(OPEN)
        seconds = page.locator("audio").first.evaluate(
            """(player) => new Promise((done, failed) => {
              player.onloadedmetadata = () => done(player.duration);
              player.onerror = () => failed(new Error(player.error.message));
              player.preload = "metadata"; player.load();
            })"""
        )
        assert seconds == pytest.approx(0.25)
