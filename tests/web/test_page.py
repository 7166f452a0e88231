"""The page in a real browser: songs by path, upload and drop, by mouse and by keys."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.helpers.browser import carried, classified, finished, go, opened, uploaded
from tests.helpers.served import make_service, serving

pytestmark = pytest.mark.long


def test_a_song_of_the_folder_is_completed_and_classified(page, site):
    opened(page, site.url)
    field = page.get_by_role("combobox", name="Song in the music folder")
    field.press_sequentially("TREB")
    options = page.get_by_role("option")
    expect(options.first).to_have_text("▸ treble/")  # a folder completes further
    expect(options.nth(1)).to_contain_text(re.compile(r"treble-0\.wav in treble.*treble \d+ %"))
    options.first.click()
    expect(field).to_have_value("treble/")
    expect(options).to_have_count(8)
    options.nth(3).click()
    expect(field).to_have_value("treble/treble-3.wav")
    expect(page.get_by_role("listbox")).to_be_hidden()
    go(page)
    finished(page)
    expect(page.locator("#result-genre")).to_have_text("treble")
    confidence = page.locator("#result-confidence").inner_text()
    assert re.fullmatch(r">?\d+ % confidence", confidence)
    rows = page.get_by_role("table", name="Scores of the genres").locator("tbody tr")
    assert {row.split()[0] for row in rows.all_inner_texts()} == {"bass", "middle", "treble"}
    expect(rows.first).to_contain_text("treble")
    expect(page).to_have_title("treble · treble-3.wav · genrenet")
    assert page.evaluate("location.hash") == "#/song?path=" + quote("treble/treble-3.wav", safe="")
    expect(page.get_by_role("status").first).to_have_text(re.compile("treble-3.wav: treble, "))
    expect(page.locator("#legend li")).to_have_text("treble, 100 % of the time")


def test_similar_songs_are_listed_and_lead_on(page, site):
    classified(opened(page, site.url), "bass/bass-2.wav")
    similar = page.locator("#similar").get_by_role("button")
    expect(similar.first).to_contain_text(
        re.compile(r"bass-\d\.wav.*bass, (>99|\d+) % alike", re.S)
    )
    name = similar.first.locator("span").first.inner_text().split()[0]
    similar.first.click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    finished(page)
    expect(page.locator("#path")).to_have_value(f"bass/{name}")
    expect(page.locator("#result-name")).to_be_focused()
    history = page.locator("#history").get_by_role("button").filter(has_text="wav")
    expect(history).to_have_count(2)
    expect(history.first).to_contain_text(name)


def test_a_file_is_uploaded_with_the_button(page, site):
    opened(page, site.url)
    song = (site.folder / "middle" / "middle-1.wav").read_bytes()
    uploaded(page, name="mine <b>&amp;.wav", content=song)
    expect(page.locator("#chosen")).to_contain_text("mine <b>&amp;.wav (120 kB)")
    go(page)
    finished(page)
    expect(page.locator("#result-name")).to_have_text("mine <b>&amp;.wav")  # as it is, no markup
    expect(page.locator("#result-genre")).to_have_text("middle")
    assert page.evaluate("location.hash") == "#/song"
    play = page.get_by_role("button", name="Play")
    expect(play).to_have_attribute("aria-disabled", "false")
    play.click()
    expect(page.locator("#clock")).not_to_have_text(re.compile("^0:00"))
    page.get_by_role("button", name="Pause").click()


def test_a_file_is_dropped_anywhere_on_the_page(page, site):
    opened(page, site.url)
    target, overlay = page.locator("footer"), page.get_by_text("Drop the song here")
    song = carried(page, site.folder / "bass" / "bass-4.wav")
    target.dispatch_event("dragenter", {"dataTransfer": song})
    expect(overlay).to_be_visible()
    target.dispatch_event("dragleave", {"dataTransfer": song})
    expect(overlay).to_be_hidden()
    target.dispatch_event("dragenter", {"dataTransfer": song})
    target.dispatch_event("drop", {"dataTransfer": song})
    expect(overlay).to_be_hidden()
    expect(page.locator("#chosen")).to_contain_text("bass-4.wav")
    go(page)
    finished(page)
    expect(page.locator("#result-genre")).to_have_text("bass")
    several = carried(page, *sorted((site.folder / "bass").iterdir())[:2])
    target.dispatch_event("drop", {"dataTransfer": several})
    expect(page.get_by_role("alert")).to_have_text(
        "These are several files. Drop one song at a time."
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("odd/broken.mp3", r"^No audio in 'odd/broken\.mp3'"),
        ("bass/none.wav", r"^No song 'bass/none\.wav'"),
        ("../secret.wav", r"without '\.\.'"),
        ("bass/", r"^That is a folder\. Choose a song in it\.$"),
        ("", r"^Choose a song first"),
    ],
)
def test_what_cannot_be_classified_has_an_alert(page, site, path, message):
    opened(page, site.url)
    page.locator("#path").fill(path)
    page.locator("#path").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(message))
    expect(page.locator("#result")).to_be_hidden()
    expect(page.locator("#work")).to_be_hidden()
    expect(page.locator("#path")).to_be_focused()
    page.locator("#path").fill("x")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_uploads_that_cannot_be_read_have_an_alert(page, site):
    opened(page, site.url)
    uploaded(page, name="notes.mp3", content=b"only text")
    go(page)
    expect(page.get_by_role("alert")).to_contain_text("No audio in 'notes.mp3'")
    uploaded(page, name="large.wav", content=bytes(2_000_001))
    expect(page.get_by_role("alert")).to_contain_text("the server accepts at most 2.0 MB")
    uploaded(page, name="void.wav", content=b"")
    expect(page.get_by_role("alert")).to_have_text("'void.wav' is empty.")


def test_a_damaged_song_shows_its_genre_and_the_damage(page, site):
    classified(opened(page, site.url), "odd/cut.wav")
    expect(page.locator("#result-genre")).to_have_text("bass")
    expect(page.locator("#result-notes .problem")).to_contain_text("Cut short or damaged")


def test_a_format_that_browsers_do_not_play_is_classified_all_the_same(page, site):
    classified(opened(page, site.url), "odd/old.au")
    expect(page.locator("#result-genre")).to_have_text("bass")
    expect(
        page.get_by_text("This browser cannot play the file; everything else works.")
    ).to_be_visible()
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "true")
    page.locator("#strip").press("PageUp")
    expect(page.locator("#strip")).to_have_attribute("aria-valuetext", re.compile("^0:05, "))


def test_a_busy_server_is_waited_for_and_a_full_one_refuses(page, site):
    opened(page, site.url)
    turns = site.service.scoring.turns
    with turns.join():
        page.locator("#path").fill("bass/bass-1.wav")
        go(page)
        expect(page.locator("#work-text")).to_have_text("Waiting for 1 song ahead")
        expect(page.get_by_role("status").first).to_have_text("Waiting for 1 song ahead")
        with page.context.new_page() as other:
            opened(other, site.url)
            other.locator("#path").fill("bass/bass-2.wav")
            go(other)
            expect(other.get_by_role("alert")).to_contain_text("Too many songs at once")
            expect(other.get_by_role("alert")).to_contain_text("Try again in 5 seconds.")
    finished(page)
    expect(page.locator("#result-genre")).to_have_text("bass")


def test_work_is_cancelled(page, site):
    opened(page, site.url)
    turns = site.service.scoring.turns
    with turns.join():
        page.locator("#path").fill("bass/bass-1.wav")
        go(page)
        expect(page.locator("#work-text")).to_contain_text("Waiting")
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.locator("#work")).to_be_hidden()
        expect(page.get_by_role("status").first).to_have_text("Cancelled")
        expect(page.get_by_role("button", name="GO", exact=True)).to_be_focused()
        expect(page.locator("#history")).to_be_hidden()
    classified(page, "treble/treble-1.wav")  # nothing is left of the other
    expect(page.locator("#result-genre")).to_have_text("treble")


def test_a_server_that_is_gone_is_told(page, music, checkpoint):
    with serving(make_service(music, checkpoint)) as server:
        opened(page, server.url)
    page.locator("#path").fill("bass/bass-1.wav")
    go(page)
    expect(page.get_by_role("alert")).to_contain_text("The server does not respond")


def test_a_token_opens_the_page(page, music, checkpoint):
    token = "a token of enough letters"
    with serving(make_service(music, checkpoint), token=token) as server:
        page.goto(server.url)
        expect(page.get_by_label("Token")).to_be_focused()
        page.get_by_label("Token").fill("guessed")
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the token. Try again.")
        expect(page).to_have_title("Wrong token · genrenet")
        page.get_by_label("Token").fill(token)
        page.get_by_label("Token").press("Enter")
        expect(page.get_by_label("Song in the music folder")).to_be_visible()
        classified(page, "bass/bass-1.wav")
        expect(page.locator("#result-genre")).to_have_text("bass")
        page.context.clear_cookies()
        go(page)
        expect(page.get_by_role("alert")).to_contain_text("Enter the token again")


def test_an_address_that_is_not_there_has_a_page(page, site):
    answer = page.goto(site.url + "nothing")
    assert answer.status == 404
    expect(page).to_have_title("404 · genrenet")
    page.get_by_role("link", name="To the start page").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
