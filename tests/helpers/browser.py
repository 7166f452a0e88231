"""User actions on the page, for tests in a browser."""

from __future__ import annotations

import base64
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import JSHandle, Page, expect

# Styles come with a slight transition; checks of colours want the state after it.
STILL = {"reduced_motion": "reduce"}


def opened(page: Page, url: str) -> Page:
    """The page's view of a song, when it knows the server."""
    page.goto(url if "#" in url else f"{url}#/song")
    expect(page.locator("#library")).not_to_be_empty()
    return page


def go(page: Page) -> None:
    """Press GO."""
    page.get_by_role("button", name="GO", exact=True).click()


def classified(page: Page, path: str) -> None:
    """Have a song of the folder classified, and wait for the result."""
    page.get_by_label("Song in the music folder").fill(path)
    go(page)
    finished(page)


def finished(page: Page) -> None:
    """Wait for a result that is whole."""
    expect(page.locator("#result")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#work")).to_be_hidden()


def uploaded(page: Page, *, name: str, content: bytes) -> None:
    """Choose a file with the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    payload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    chooser.value.set_files([payload])


def carried(page: Page, *files: Path) -> JSHandle:
    """Files as a drag carries them."""
    contents = [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]
    return page.evaluate_handle(
        """(files) => {
          const carried = new DataTransfer();
          for (const [name, content] of files) {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            carried.items.add(new File([bytes], name));
          }
          return carried;
        }""",
        contents,
    )


def faults(page: Page) -> list[str]:
    """What axe-core finds of serious and critical faults."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html']} {node.get('failureSummary', '')}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
