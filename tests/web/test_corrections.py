"""Corrections from the page: the API's answers, access control, and the button in a browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from genrenet.library.corrections import corrected_rows
from genrenet.library.table import table_lock
from genrenet.web.app import create_app
from tests.helpers.browser import classified, faults, opened
from tests.helpers.served import STREAM, conforms, make_service, scan_of

SONG = "bass/bass-3.wav"


@pytest.fixture
def table(music, checkpoint, tmp_path):
    return scan_of(music, checkpoint, tmp_path / "t.parquet")


@pytest.fixture
def served(music, checkpoint, table):
    return make_service(music, checkpoint, table=table)


def test_a_correction_is_noted_and_counts_everywhere(served, table, uploads):
    client = create_app(served, str(uploads)).test_client()
    answer = client.post("/api/correct", json={"path": SONG, "genre": "Treble"})
    assert answer.status_code == 200
    assert answer.json == {
        "path": SONG,
        "genre": "treble",
        "confidence": 1.0,
        "correction": "treble",
    }
    conforms(answer.json, "Correction")
    (row,) = corrected_rows(table)
    assert row["path"].endswith(SONG)
    (entry,) = client.get(f"/api/library?prefix={SONG}").json["entries"]
    assert (entry["genre"], entry["confidence"]) == ("treble", 1.0)

    def told(**sent):
        streamed = client.post("/api/classify", headers=STREAM, **sent)
        return json.loads(streamed.data.splitlines()[-1])

    last = told(json={"path": SONG})
    assert (last["song"]["genre"], last["correction"]) == ("bass", "treble")
    assert told(json={"path": "bass/bass-1.wav"})["correction"] is None
    # A server that starts later reads it from the table.
    later = make_service(served.shelf.root, table=table)
    assert later.corrections == {SONG: "treble"}
    back = client.post("/api/correct", json={"path": SONG, "genre": None}).json
    assert (back["genre"], back["correction"]) == ("bass", None)
    assert corrected_rows(table) == []


def test_wrong_corrections_are_refused(served, table, uploads, music, checkpoint):
    client = create_app(served, str(uploads)).test_client()
    for sent, status, words in (
        ({"json": {"path": "../x.wav", "genre": "bass"}}, 400, "without '..'"),
        ({"json": {"path": "x.wav", "genre": "bass"}}, 404, "no song 'x.wav'"),
        ({"json": {"path": SONG, "genre": 3}}, 400, "a name, or null"),
        ({"json": {"path": SONG, "genre": "a;b"}}, 422, "one name"),
        ({"json": {"path": SONG}}, 422, "one name"),
        ({"data": b"x"}, 400, "wanted JSON"),
    ):
        answer = client.post("/api/correct", **sent)
        assert (answer.status_code, words in answer.json["error"]) == (status, True), answer.json
        conforms(answer.json, "Error")
    with table_lock(table):
        assert client.post("/api/correct", json={"path": SONG, "genre": "bass"}).status_code == 422
    elsewhere = {"Origin": "http://elsewhere.example"}
    sent = {"path": SONG, "genre": "treble"}
    assert client.post("/api/correct", json=sent, headers=elsewhere).status_code == 403
    secret = create_app(served, str(uploads), token="a token of enough letters").test_client()
    assert secret.post("/api/correct", json=sent).status_code == 401
    bare = create_app(make_service(music, checkpoint), str(uploads)).test_client()
    assert "--library" in bare.post("/api/correct", json=sent).json["error"]
    assert corrected_rows(table) == []


def test_the_button_notes_the_right_genre(page, site):
    opened(page, site.url)
    classified(page, "middle/middle-2.wav")
    wrong, field = page.get_by_role("button", name="Wrong?"), page.get_by_label("Right genre")
    expect(field).to_be_hidden()
    wrong.press("Enter")
    expect(field).to_be_focused()
    assert faults(page) == []
    options = page.locator("#genre-names option")
    assert [each.get_attribute("value") for each in options.all()] == ["bass", "middle", "treble"]
    page.keyboard.press("Escape")
    expect(wrong).to_be_focused()
    wrong.press("Enter")
    page.keyboard.type("Lullaby")
    page.keyboard.press("Enter")
    expect(page.locator("#noted")).to_have_text("Saved in the library: Lullaby.")
    expect(wrong).to_be_focused()
    assert site.service.corrections["middle/middle-2.wav"] == "Lullaby"
    page.reload()
    page.locator("#history").get_by_role("button", name="middle-2.wav").click()
    expect(page.locator("#noted")).to_have_text("Saved in the library: Lullaby.")
    wrong.click()
    field.fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#noted")).to_have_text("The correction is taken back.")
    assert "middle/middle-2.wav" not in site.service.corrections
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(str(site.folder / "bass" / "bass-0.wav"))
    page.get_by_role("button", name="GO", exact=True).click()
    expect(page.locator("#result-name")).to_have_text("bass-0.wav")
    expect(page.locator("#result")).to_have_attribute("aria-busy", "false")
    expect(wrong).to_be_hidden()
